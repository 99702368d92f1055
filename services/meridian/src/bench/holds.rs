//! Committed holds per second, through the service and by pgbench with the very same statements.
//!
//! Both work on a database of their own with the same shops, by as many clients over as many connections, taking turns.
//! The statements of pgbench are those that Postgres wrote down of one call of `HoldSlot`, all of them and in their order:
//! what is read before, the transaction of the hold, and that of its order. That pgbench sends these and no others is
//! checked with Postgres's log too, and that every transaction sold a time is checked by counting.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use booking::{App, MIGRATOR};
use feed::FeedServer;
use jiff::SignedDuration;
use kernel::{
    Clock as _, SystemClock, Timestamp, Uuid,
    ids::{MemberId, RoomId, StoreId, uuid_v7},
};
use pg::Pg;
use proto::booking::v1::booking_service_client::BookingServiceClient;
use rpc::client::{self, KeepAlive};
use runtime::{Shutdown, Tasks};
use slotlock::SlotLock;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::sync::watch;

use super::{
    capture::{Log, shape},
    history,
    house::{self, House},
    load::{self, Load, Until},
    peers,
    pgbench::{Amount, Done, Pgbench},
    report::{Figure, Limit, Report},
    scale::Scale,
    script::{Row, Script},
    servers::Servers,
    shops::{CLEANUP, PREPARATION, Shops, Slot, TREATMENT},
};

/// The database of pgbench, and its role.
const PEER: &str = "pgbench";
/// As many times as pgbench can sell at most in one run.
const MOST_SLOTS: u64 = 60_000;
/// The part of the most load at which it is looked how long a hold takes, and how long that may be in milliseconds.
const STEADY: f64 = 0.7;
const STEADY_LIMIT: Limit = Limit::AtMost(50.0);
/// What the service must reach of what the same statements do alone, in percent.
const SHARE_LIMIT: Limit = Limit::AtLeast(60.0);
/// How many rows are written at once.
const BATCH: usize = 2_000;

/// Measures.
pub async fn measure(servers: &Servers, house: &House, scale: &Scale, report: &mut Report) -> Result<()> {
    let url = servers.migrated(PEER, &MIGRATOR).await?;
    let peer = Peer::prepare(servers, house, &url).await.context("preparing pgbench")?;
    if peer.is_none() {
        report.skipped("pgbench", "Postgres came without the program pgbench");
    }
    let channel = house.channel()?;
    let mut holders: Vec<_> = (0..scale.clients).map(|_| house.holder(channel.clone())).collect();
    let before = count(&house.app.pg).await?;
    let (mut ours, mut theirs) = (Load::default(), Vec::new());

    let warm = load::drive(holders, Until::Time(scale.warm_up)).await?;
    let warm_calls = warm.1.samples.len();
    holders = warm.0;
    if let Some(peer) = &peer {
        peer.run(Amount::For(scale.warm_up, scale.clients)).await?;
    }
    for _ in 0..scale.rounds {
        servers.administer("checkpoint").await?;
        let (back, load) = load::drive(holders, Until::Time(scale.round)).await?;
        holders = back;
        ours.add(load);
        if let Some(peer) = &peer {
            servers.administer("checkpoint").await?;
            theirs.push(peer.run(Amount::For(scale.round, scale.clients)).await?);
        }
    }

    let rate = ours.per_second();
    let every = Duration::from_secs_f64(scale.clients as f64 / (rate * STEADY));
    servers.administer("checkpoint").await?;
    let steady = load::drive_steadily(holders, every, scale.round).await?;
    let steady_calls = steady.samples.len();

    let sold = usize::try_from(count(&house.app.pg).await? - before)?;
    ensure!(
        sold == ours.samples.len() + warm_calls + steady_calls,
        "{sold} bookings are stored, not as many as were answered"
    );
    let note = format!("{} clients", scale.clients);
    report.add(Figure::new("committed holds", rate, "/s", note).times(ours.samples.times()));
    let times = steady.samples.times();
    let note = format!("{:.0} /s, waiting for one's turn counted", load::per_second(steady_calls as f64, steady.time));
    report.add(Figure::new("hold at 70 % of that load, p99", times.p99, "ms", note).times(times).limit(STEADY_LIMIT));
    match peer {
        Some(peer) => compare(peer, rate, &theirs, scale, report).await,
        None => Ok(()),
    }
}

async fn compare(peer: Peer<'_>, rate: f64, theirs: &[Done], scale: &Scale, report: &mut Report) -> Result<()> {
    let raw = theirs.iter().map(|done| done.per_second).sum::<f64>() / theirs.len().max(1) as f64;
    // What asking for its values costs pgbench is taken off: then its rate is that of the statements of a hold alone.
    let asking = peer.ask(Amount::For(scale.warm_up, scale.clients)).await?.per_second;
    let fair = 1.0 / (1.0 / raw - 1.0 / asking);
    peer.check().await?;
    let note =
        format!("{} statements a hold; {raw:.0} /s before its own overhead is taken off", peer.script.shapes.len());
    report.add(Figure::new("pgbench, same statements", fair, "/s", note));
    report.add(Figure::new("share of pgbench", 100.0 * rate / fair, "%", "").limit(SHARE_LIMIT));
    Ok(())
}

/// pgbench with all that it needs.
struct Peer<'a> {
    program: Pgbench<'a>,
    script: Script,
    files: [PathBuf; 2],
    pg: Pg,
    /// What was sold before pgbench ran.
    sold_before: i64,
    /// How many it says that it sold.
    sold: AtomicI64,
}

impl<'a> Peer<'a> {
    async fn prepare(servers: &'a Servers, house: &House, url: &str) -> Result<Option<Self>> {
        let Some(program) = Pgbench::find(servers, url).await? else { return Ok(None) };
        let pg = Pg::connect(&house::config(url)).await?;
        house.shops.store(&pg).await?;
        let mut connection = PgConnection::connect(url).await?;
        history::write(&mut connection, &house.shops).await?;
        connection.close().await?;
        servers.administer(format!("alter role {PEER} set log_statement = 'all'")).await?;
        let prepared = Self::watched(servers, house, program, url, pg).await;
        servers.administer(format!("alter role {PEER} reset log_statement")).await?;
        prepared.map(Some)
    }

    /// Everything new on the peer's database is written to the log meanwhile.
    async fn watched(servers: &Servers, house: &House, program: Pgbench<'a>, url: &str, pg: Pg) -> Result<Self> {
        let mut log = Log::from_now(servers.log()?)?;
        let row = hold_some(house, url, &mut log).await?;
        let statements = log.statements()?;
        let script = Script::write(&statements, &row, &[house.shops.item.id.uuid()])?;
        fill(&pg, &house.shops, &script).await?;
        house::analyze(&mut *pg.conn().await?).await?;
        let files = [servers.folder().join("hold.sql"), servers.folder().join("asking.sql")];
        fs::write(&files[0], &script.text)?;
        fs::write(&files[1], &script.asking)?;
        let sold_before = count(&pg).await?;
        let peer = Self { program, script, files, pg, sold_before, sold: AtomicI64::new(0) };

        log.statements()?;
        peer.run(Amount::Once).await?;
        let sent: Vec<String> = log.statements()?.iter().map(|statement| shape(&statement.text)).collect();
        let asked =
            sent.iter().position(|shape| shape.contains("bench_slot")).context("pgbench asked for no values")?;
        ensure!(sent[asked + 1..] == peer.script.shapes[..], "pgbench sends other statements than a hold: {sent:#?}");
        Ok(peer)
    }

    async fn run(&self, amount: Amount) -> Result<Done> {
        let done = self.program.run(&self.files[0], &self.script, amount).await?;
        self.sold.fetch_add(done.transactions as i64, Ordering::Relaxed);
        Ok(done)
    }

    /// Only asks for values.
    async fn ask(&self, amount: Amount) -> Result<Done> {
        self.program.run(&self.files[1], &self.script, amount).await
    }

    /// Every transaction must have sold a time with its therapist and room.
    async fn check(&self) -> Result<()> {
        let claimed = self.sold.load(Ordering::Relaxed);
        let sold = count(&self.pg).await? - self.sold_before;
        ensure!(sold == claimed, "pgbench claims {claimed} holds, {sold} are stored");
        let kept: i64 = sqlx::query_scalar("select count(*) from allocation").fetch_one(self.pg.pool()).await?;
        ensure!(kept == 2 * (sold + self.sold_before), "pgbench's holds keep {kept} resources, not two each");
        Ok(())
    }
}

/// How many times are sold before the statements are looked at: by then connections are open, types are known, and every
/// shop has been seen.
fn warm_holds(shops: &Shops) -> u64 {
    shops.shops.len() as u64 + 6
}

/// Sells a few times through the real service on the peer's database; of the last one the log tells all statements.
/// Returns what belongs to the last.
async fn hold_some(house: &House, url: &str, log: &mut Log) -> Result<Row> {
    let tasks = Tasks::new(Shutdown::new());
    let config = pg::PgConfig { max_connections: 2, ..house::config(url) };
    let pg = Pg::connect(&config).await?;
    // Nobody reads the feed of this one, and it must not look for readers while the log is read.
    let feed = FeedServer::new(house.app.pg.clone(), watch::channel(0).1, tasks.shutdown().soft().clone());
    let (locks, clock) = (SlotLock::new(None, ""), Arc::new(SystemClock));
    let app = App::new(pg, locks, clock, peers::policy(), peers::link_key(), peers::prompt());
    let uri = house::serve("pgbench", booking::rpc::routes(&app, feed), &house.keys, &tasks).await?;
    let mut client = BookingServiceClient::new(client::channel(&uri, KeepAlive::default())?);
    let mut row = Row::new();
    for n in 0..warm_holds(&house.shops) {
        // Only the last one is told.
        log.statements()?;
        let slot = house.shops.slot(n).context("no times to sell")?;
        let booking = house::hold(&mut client, &house.shops, slot, &house.keys.member(slot.customer)?).await?;
        let room = RoomId::parse_name("room", &booking.room)?;
        row = row_of(&Slot { room, ..slot })?;
    }
    tasks.shutdown().abort();
    Ok(row)
}

/// What of the parameters of a hold belongs to its time, as Postgres writes it.
fn row_of(slot: &Slot<'_>) -> Result<Row> {
    let minutes = SignedDuration::from_mins;
    let text = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M:%S+00").to_string();
    let array = |ids: &[Uuid]| format!("{{{}}}", ids.iter().map(Uuid::to_string).collect::<Vec<_>>().join(","));
    let quoted = |times: [Timestamp; 2]| format!("{{\"{}\",\"{}\"}}", text(times[0]), text(times[1]));
    let closing = slot.opening + minutes(Shops::open_minutes());
    let end = slot.start + minutes(TREATMENT);
    let mut kept = [
        (slot.therapist.uuid(), slot.start, end),
        (slot.room.uuid(), slot.start - minutes(PREPARATION), end + minutes(CLEANUP)),
    ];
    kept.sort_unstable();
    let rooms = slot.shop.rooms.iter().map(|room| room.id.uuid());
    let resources: Vec<Uuid> = [slot.therapist.uuid()].into_iter().chain(rooms).collect();
    Ok(vec![
        ("store", slot.shop.store.id.uuid().to_string()),
        ("therapist", slot.therapist.uuid().to_string()),
        ("room", slot.room.uuid().to_string()),
        ("resources", array(&resources)),
        ("customer", slot.customer.uuid().to_string()),
        ("caller", slot.customer.name()),
        ("start_time", text(slot.start)),
        ("end_time", text(end)),
        ("around_start", text(slot.opening - minutes(PREPARATION))),
        // A visit may start at the end of the window, which is the closing.
        ("around_end", text(closing + minutes(TREATMENT + CLEANUP))),
        ("store_lock", store_lock(slot.shop.store.id).to_string()),
        ("customer_lock", format!("{{{}}}", customer_lock(slot.customer))),
        ("kept", array(&[kept[0].0, kept[1].0])),
        ("kept_starts", quoted([kept[0].1, kept[1].1])),
        ("kept_ends", quoted([kept[0].2, kept[1].2])),
    ])
}

/// What a store's roster is locked by, as [`booking::db::roster`] does it.
fn store_lock(store: StoreId) -> i64 {
    let (_, low) = store.uuid().as_u64_pair();
    i64::from_ne_bytes(low.to_ne_bytes())
}

/// What the holds of a customer are locked by, as [`booking::db::locks`] does it.
fn customer_lock(customer: MemberId) -> i32 {
    let [.., a, b, c, d] = customer.uuid().into_bytes();
    i32::from_be_bytes([a, b, c, d])
}

/// Writes the table from which pgbench takes its values: the times that are not yet sold.
async fn fill(pg: &Pg, shops: &Shops, script: &Script) -> Result<()> {
    let rows = shops.slots().min(MOST_SLOTS);
    let example = row_of(&shops.slot(0).context("no times to sell")?)?;
    let columns = script.columns(&example);
    let list = columns.join(", ");
    let typed = columns.iter().map(|name| format!("{name} text not null")).collect::<Vec<_>>().join(", ");
    let (first, last) = (warm_holds(shops), rows - 1);
    let tables = format!(
        "create table bench_slot (n bigint primary key, {typed});
         create sequence bench_next minvalue {first} maxvalue {last};
         create sequence bench_probe minvalue {first} maxvalue {last} cycle;"
    );
    sqlx::raw_sql(AssertSqlSafe(tables)).execute(pg.pool()).await?;
    let arrays = (2..columns.len() + 2).map(|n| format!("${n}::text[]")).collect::<Vec<_>>().join(", ");
    let insert = format!("insert into bench_slot (n, {list}) select * from unnest($1::bigint[], {arrays})");
    let numbers: Vec<u64> = (first..rows).collect();
    for batch in numbers.chunks(BATCH) {
        let mut values: Vec<Vec<String>> = vec![Vec::with_capacity(batch.len()); columns.len()];
        for &n in batch {
            let slot = shops.slot(n).context("no such time")?;
            let ids = (0..script.ids).map(|_| fresh_id(n));
            let row = row_of(&slot)?.into_iter().map(|(_, value)| value).chain(ids);
            values.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
        let numbers: Vec<i64> = batch.iter().map(|&n| i64::try_from(n)).collect::<Result<_, _>>()?;
        let query = sqlx::query(AssertSqlSafe(insert.clone())).bind(numbers);
        values.into_iter().fold(query, |query, column| query.bind(column)).execute(pg.pool()).await?;
    }
    sqlx::raw_sql("analyze bench_slot").execute(pg.pool()).await?;
    Ok(())
}

/// An id such as the service makes: later ones sort later.
fn fresh_id(n: u64) -> String {
    let later = SignedDuration::from_millis(i64::try_from(n).unwrap_or(i64::MAX));
    uuid_v7(SystemClock.now() + later).to_string()
}

/// How many bookings are stored.
async fn count(pg: &Pg) -> Result<i64> {
    Ok(sqlx::query_scalar("select count(*) from booking").fetch_one(pg.pool()).await?)
}
