//! The ledger by itself: postings per second, spread and all on one store's takings, against pgbench with the very same
//! statements; and how long the audit of a big one takes ([`audit`]).
//!
//! A posting here takes one fen off a stored-value card and adds it to the takings of a store: a transaction with two
//! entries and one balance that is checked, by a transaction of its own. There are far more cards than clients; the stores
//! are many or one. All take turns on the same machine, by as many clients over as many connections.

mod audit;
mod peer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use kernel::{
    Clock as _, Currency, Money, SystemClock, Timestamp,
    ids::{StoreId, uuid_v7},
};
use payment::{
    MIGRATOR, db,
    domain::ledger::{Account, Kind, Party, Transaction},
};
use pg::{Pg, PgConfig};

use super::{
    house,
    load::{self, Caller, Load, Until},
    pgbench::Amount,
    report::{Figure, Limit, Report},
    scale::Scale,
    servers::Servers,
};
use peer::Peer;

/// The database of our postings, and that of pgbench, each with a role of its name.
const OURS: &str = "ledger";
const PEER: &str = "ledger_peer";
const STORES: usize = 16;
const CARDS: usize = 2_000;
/// What is on each card at first, in fen: more than any run takes.
const FUNDS: i64 = 1_000_000;
/// What a posting must reach of what the same statements do alone, and all on one store of what they do spread, in percent.
const SHARE_LIMIT: Limit = Limit::AtLeast(60.0);
const HOT_LIMIT: Limit = Limit::AtLeast(50.0);
/// A steady load, in postings a second, and how long one may take then, in milliseconds.
const STEADY: f64 = 300.0;
const STEADY_LIMIT: Limit = Limit::AtMost(50.0);

/// Measures.
pub async fn measure(servers: &Servers, scale: &Scale, report: &mut Report) -> Result<()> {
    postings(servers, scale, report).await?;
    audit::measure(servers, scale, report).await
}

async fn postings(servers: &Servers, scale: &Scale, report: &mut Report) -> Result<()> {
    let url = servers.migrated(OURS, &MIGRATOR).await?;
    let pg = Pg::connect(&config(&url, scale)?).await?;
    let book = Book::fund(&pg).await?;
    let peer_url = servers.migrated(PEER, &MIGRATOR).await?;
    let peer = Peer::prepare(servers, &peer_url).await.context("preparing pgbench")?;
    if peer.is_none() {
        report.skipped("pgbench of the ledger", "Postgres came without the program pgbench");
    }
    let posters = |stores: usize| (0..scale.clients).map(|_| book.poster(stores)).collect::<Vec<_>>();
    let (mut spread, mut hot) = (posters(STORES), posters(1));
    let (mut ours, mut one, mut theirs) = (Load::default(), Load::default(), Vec::new());

    let warm = load::drive(spread, Until::Time(scale.warm_up)).await?;
    let mut calls = warm.1.samples.len();
    spread = warm.0;
    if let Some(peer) = &peer {
        peer.run(Amount::For(scale.warm_up, scale.clients)).await?;
    }
    for _ in 0..scale.rounds {
        servers.administer("checkpoint").await?;
        let (back, load) = load::drive(spread, Until::Time(scale.round)).await?;
        spread = back;
        ours.add(load);
        servers.administer("checkpoint").await?;
        let (back, load) = load::drive(hot, Until::Time(scale.round)).await?;
        hot = back;
        one.add(load);
        if let Some(peer) = &peer {
            servers.administer("checkpoint").await?;
            theirs.push(peer.run(Amount::For(scale.round, scale.clients)).await?.per_second);
        }
    }
    let steady = load::drive_steadily(hot, Duration::from_secs_f64(scale.clients as f64 / STEADY), scale.round).await?;
    calls += ours.samples.len() + one.samples.len() + steady.samples.len();
    book.check(calls).await?;

    let (rate, hot_rate) = (ours.per_second(), one.per_second());
    let note = format!("{} clients, {STORES} stores, a checked balance each", scale.clients);
    report.add(Figure::new("postings", rate, "/s", note).times(ours.samples.times()));
    let note = "all on the takings of one store";
    report.add(Figure::new("postings on one account", hot_rate, "/s", note).times(one.samples.times()));
    report.add(Figure::new("one account, of spread", 100.0 * hot_rate / rate, "%", "").limit(HOT_LIMIT));
    let times = steady.samples.times();
    let note = format!("{STEADY:.0} /s on one account, waiting for one's turn counted");
    report.add(Figure::new("posting at a steady load, p99", times.p99, "ms", note).times(times).limit(STEADY_LIMIT));
    if let Some(peer) = peer {
        let raw = theirs.iter().sum::<f64>() / theirs.len().max(1) as f64;
        // What asking for its values costs pgbench is taken off.
        let asking = peer.ask(Amount::For(scale.warm_up, scale.clients)).await?.per_second;
        let fair = 1.0 / (1.0 / raw - 1.0 / asking);
        peer.check().await?;
        let note = format!("{} statements a posting; {raw:.0} /s with its own overhead", peer.statements());
        report.add(Figure::new("pgbench, same statements", fair, "/s", note));
        report.add(Figure::new("postings, of pgbench", 100.0 * rate / fair, "%", "").limit(SHARE_LIMIT));
    }
    Ok(())
}

fn config(url: &str, scale: &Scale) -> Result<PgConfig> {
    Ok(PgConfig { max_connections: u32::try_from(scale.clients)?, ..house::config(url) })
}

/// Cards with money on them, and stores where it is spent.
#[derive(Debug, Clone)]
struct Book {
    pg: Pg,
    stores: Arc<Vec<StoreId>>,
    cards: Arc<Vec<Party>>,
    next: Arc<AtomicUsize>,
}

impl Book {
    /// Puts money on the cards.
    async fn fund(pg: &Pg) -> Result<Self> {
        let now = SystemClock.now();
        let stores = (0..STORES).map(|_| StoreId::new(now)).collect();
        let cards = (0..CARDS).map(|_| Party::new("cards", uuid_v7(now))).collect();
        let book = Self { pg: pg.clone(), stores: Arc::new(stores), cards: Arc::new(cards), next: Arc::default() };
        let mut tx = pg.begin().await?;
        for cards in book.cards.chunks(100) {
            let funds = cards.iter().map(|card| fund(book.stores[0], card.clone(), FUNDS, now));
            db::ledger::post_all(&mut tx, now, &funds.collect::<Result<Vec<_>>>()?).await?;
        }
        tx.commit().await?;
        sqlx::raw_sql("analyze ledger_transaction, ledger_entry, ledger_balance").execute(pg.pool()).await?;
        Ok(book)
    }

    /// Somebody who posts at the first of the stores.
    fn poster(&self, stores: usize) -> Poster {
        Poster { book: self.clone(), stores }
    }

    /// Takes a fen off the next card at one of the first `stores`.
    fn next(&self, stores: usize, now: Timestamp) -> Result<Transaction> {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        spend(self.stores[n % stores], self.cards[n % self.cards.len()].clone(), now)
    }

    /// Every posting must be stored, and each fen be on a card or in the takings.
    async fn check(&self, calls: usize) -> Result<()> {
        let posted: i64 =
            sqlx::query_scalar("select count(*) from ledger_transaction").fetch_one(self.pg.pool()).await?;
        let posted = usize::try_from(posted)? - CARDS;
        ensure!(posted == calls, "{posted} postings are stored, not as many as were made: {calls}");
        let left: i64 = sqlx::query_scalar("select sum(posted_minor)::bigint from ledger_balance")
            .fetch_one(self.pg.pool())
            .await?;
        let expected = i64::try_from(CARDS)? * FUNDS - i64::try_from(calls)?;
        ensure!(left == expected, "{left} fen are left on the cards, not {expected}");
        Ok(())
    }
}

/// Money on a card.
fn fund(store: StoreId, card: Party, minor: i64, now: Timestamp) -> Result<Transaction> {
    let (cash, principal) = (Account::CashDrawer.at(store), Account::StoredValuePrincipal.at(store).of(card));
    let amount = Money::new(minor, Currency::CNY);
    Ok(Transaction::moving(Kind::Recognise, uuid_v7(now), cash, principal, amount)?)
}

/// A fen off a card.
fn spend(store: StoreId, card: Party, now: Timestamp) -> Result<Transaction> {
    let (principal, takings) = (Account::StoredValuePrincipal.at(store).of(card), Account::Takings.at(store));
    Ok(Transaction::moving(Kind::Recognise, uuid_v7(now), principal, takings, Money::new(1, Currency::CNY))?)
}

/// Posts one thing after another.
struct Poster {
    book: Book,
    stores: usize,
}

impl Poster {
    async fn post(&self) -> Result<()> {
        let now = SystemClock.now();
        let transaction = self.book.next(self.stores, now)?;
        let mut tx = self.book.pg.begin().await?;
        db::ledger::post(&mut tx, now, &transaction).await?;
        Ok(tx.commit().await?)
    }
}

impl Caller for Poster {
    async fn call(&mut self) -> Result<()> {
        self.post().await
    }
}
