//! pgbench with the statements of a posting.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicI64, Ordering},
};

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use kernel::{Clock as _, SystemClock, Timestamp, ids::uuid_v7};
use pg::Pg;
use sqlx::AssertSqlSafe;

use super::{
    super::{
        capture::{Log, shape},
        house,
        pgbench::{Amount, Done, Pgbench},
        script::{Row, Script},
        servers::Servers,
    },
    Book, CARDS, PEER, STORES,
};

/// How many postings are made before the statements are looked at: by then connections are open and types are known.
const WARM: usize = 6;
/// As many postings as pgbench can make at most in one run.
const ROWS: usize = 150_000;
/// How many rows are written at once.
const BATCH: usize = 5_000;

/// pgbench with all that it needs.
pub struct Peer<'a> {
    program: Pgbench<'a>,
    script: Script,
    files: [PathBuf; 2],
    pg: Pg,
    /// How many postings it says that it has made.
    posted: AtomicI64,
}

impl<'a> Peer<'a> {
    /// `None` if Postgres came without the program.
    pub async fn prepare(servers: &'a Servers, url: &str) -> Result<Option<Self>> {
        let Some(program) = Pgbench::find(servers, url).await? else { return Ok(None) };
        let book = Book::fund(&Pg::connect(&house::config(url)).await?).await?;
        servers.administer(format!("alter role {PEER} set log_statement = 'all'")).await?;
        let prepared = Self::watched(servers, program, url, &book).await;
        servers.administer(format!("alter role {PEER} reset log_statement")).await?;
        prepared.map(Some)
    }

    /// Every new connection's statements are written to the log meanwhile.
    async fn watched(servers: &Servers, program: Pgbench<'a>, url: &str, book: &Book) -> Result<Self> {
        let mut log = Log::from_now(servers.log()?)?;
        let watched = Pg::connect(&pg::PgConfig { max_connections: 1, ..house::config(url) }).await?;
        let poster = Book { pg: watched, ..book.clone() }.poster(STORES);
        for _ in 0..WARM {
            // Only the last one is told.
            log.statements()?;
            poster.post().await?;
        }
        let statements = log.statements()?;
        let booked = statements.iter().find(|statement| statement.text.contains("ledger_entry"));
        let at = booked.and_then(|booked| booked.parameters.get(4)?.clone()).context("a posting has no time")?;
        let script = Script::write(&statements, &row(book, WARM - 1, at), &[])?;
        ensure!(script.ids == 2, "a posting makes up {} ids, not those of a transaction and its source", script.ids);
        fill(book, &script).await?;
        let files = [servers.folder().join("posting.sql"), servers.folder().join("posting_asking.sql")];
        fs::write(&files[0], &script.text)?;
        fs::write(&files[1], &script.asking)?;
        let peer = Self { program, script, files, pg: book.pg.clone(), posted: AtomicI64::new(0) };

        log.statements()?;
        peer.run(Amount::Once).await?;
        let sent: Vec<String> = log.statements()?.iter().map(|statement| shape(&statement.text)).collect();
        let asked =
            sent.iter().position(|shape| shape.contains("bench_slot")).context("pgbench asked for no values")?;
        ensure!(
            sent[asked + 1..] == peer.script.shapes[..],
            "pgbench sends other statements than a posting: {sent:#?}"
        );
        Ok(peer)
    }

    /// Posts.
    pub async fn run(&self, amount: Amount) -> Result<Done> {
        let done = self.program.run(&self.files[0], &self.script, amount).await?;
        self.posted.fetch_add(done.transactions as i64, Ordering::Relaxed);
        Ok(done)
    }

    /// Only asks for values.
    pub async fn ask(&self, amount: Amount) -> Result<Done> {
        self.program.run(&self.files[1], &self.script, amount).await
    }

    /// How many statements a posting has.
    pub fn statements(&self) -> usize {
        self.script.shapes.len()
    }

    /// Every transaction must have booked two entries and taken a fen off a card.
    pub async fn check(&self) -> Result<()> {
        let known = i64::try_from(CARDS + WARM)?;
        let claimed = self.posted.load(Ordering::Relaxed) + known;
        let count = "select (select count(*) from ledger_transaction), (select count(*) from ledger_entry),
                            (select count(*) from ledger_entry where account = 'takings')";
        let (posted, entries, taken): (i64, i64, i64) = sqlx::query_as(count).fetch_one(self.pg.pool()).await?;
        ensure!(posted == claimed, "pgbench claims {claimed} postings, {posted} are stored");
        ensure!(entries == 2 * posted, "{entries} entries are stored, not two each");
        let left: i64 = sqlx::query_scalar("select sum(posted_minor)::bigint from ledger_balance")
            .fetch_one(self.pg.pool())
            .await?;
        ensure!(left == i64::try_from(CARDS)? * super::FUNDS - taken, "{left} fen are left on the cards");
        Ok(())
    }
}

/// What of the parameters of the `n`th posting is its own, as Postgres writes it.
fn row(book: &Book, n: usize, at: String) -> Row {
    let (store, card) = (book.stores[n % STORES].uuid(), book.cards[n % CARDS].name());
    vec![
        ("at", at),
        ("stores", format!("{{{store},{store}}}")),
        ("party", card.to_owned()),
        ("parties", format!("{{{card},NULL}}")),
    ]
}

/// Writes the table from which pgbench takes its values.
async fn fill(book: &Book, script: &Script) -> Result<()> {
    let columns = script.columns(&row(book, 0, String::new()));
    let list = columns.join(", ");
    let typed = columns.iter().map(|name| format!("{name} text not null")).collect::<Vec<_>>().join(", ");
    let tables = format!(
        "create table bench_slot (n bigint primary key, {typed});
         create sequence bench_next minvalue 0 maxvalue {last};
         create sequence bench_probe minvalue 0 maxvalue {last} cycle;",
        last = ROWS - 1,
    );
    sqlx::raw_sql(AssertSqlSafe(tables)).execute(book.pg.pool()).await?;
    let arrays = (2..columns.len() + 2).map(|n| format!("${n}::text[]")).collect::<Vec<_>>().join(", ");
    let insert = format!("insert into bench_slot (n, {list}) select * from unnest($1::bigint[], {arrays})");
    let began = SystemClock.now();
    let numbers: Vec<usize> = (0..ROWS).collect();
    for batch in numbers.chunks(BATCH) {
        let mut values: Vec<Vec<String>> = vec![Vec::with_capacity(batch.len()); columns.len()];
        for &n in batch {
            // An id begins with the milliseconds of its time, and later ones sort later.
            let at = began + SignedDuration::from_millis(i64::try_from(n)?);
            let ids = (0..script.ids).map(|_| uuid_v7(at).to_string());
            let own = row(book, n, text(at)).into_iter().map(|(_, value)| value).chain(ids);
            values.iter_mut().zip(own).for_each(|(column, value)| column.push(value));
        }
        let numbers: Vec<i64> = batch.iter().map(|&n| i64::try_from(n)).collect::<Result<_, _>>()?;
        let query = sqlx::query(AssertSqlSafe(insert.clone())).bind(numbers);
        values.into_iter().fold(query, |query, column| query.bind(column)).execute(book.pg.pool()).await?;
    }
    sqlx::raw_sql("analyze bench_slot").execute(book.pg.pool()).await?;
    Ok(())
}

fn text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S%.6f+00").to_string()
}
