//! How long `meridian audit` takes on a big ledger.

use std::time::Instant;

use anyhow::{Result, ensure};
use jiff::{SignedDuration, tz::TimeZone};
use kernel::{
    Clock as _, SystemClock, Timestamp,
    ids::{StoreId, uuid_v7},
};
use payment::{
    MIGRATOR, db,
    domain::ledger::{Day, Party, Transaction},
    flows::audit::audit,
};
use pg::{Pg, PgConfig};

use super::{
    super::{
        house,
        report::{Figure, Limit, Report},
        scale::Scale,
        servers::Servers,
    },
    fund, spend,
};

const DATABASE: &str = "ledger_audit";
/// How many transactions are booked at once, and on how many cards: each is a balance that is locked.
const BATCH: i64 = 500;
const CARDS_OF_BATCH: i64 = 10;
const STORES: i64 = 8;
/// Over how many days they are spread; all but the last are closed.
const DAYS: i64 = 30;
/// How long the audit may take, in seconds.
const LIMIT: Limit = Limit::AtMost(30.0);

/// Measures.
pub async fn measure(servers: &Servers, scale: &Scale, report: &mut Report) -> Result<()> {
    let url = servers.migrated(DATABASE, &MIGRATOR).await?;
    let pg = Pg::connect(&PgConfig { max_connections: 4, ..house::config(&url) }).await?;
    let now = SystemClock.now();
    let stores: Vec<StoreId> = (0..STORES).map(|_| StoreId::new(now)).collect();
    let began = Instant::now();
    let batches = scale.entries / 2 / BATCH;
    // Both cores, and so that two chains of commits meet.
    let halves = [0, 1].map(|half| write(&pg, &stores, now, (half..batches).step_by(2).map(move |n| (n, batches))));
    let [one, other] = halves;
    tokio::try_join!(one, other)?;
    seal(&pg, now).await?;
    close(&pg, &stores, now).await?;
    sqlx::raw_sql("vacuum analyze ledger_transaction, ledger_entry, ledger_balance, ledger_day, ledger_seal")
        .execute(pg.pool())
        .await?;
    let written = began.elapsed();

    let began = Instant::now();
    let findings = audit(&pg, |_| {}).await?;
    let took = began.elapsed().as_secs_f64();
    for finding in &findings {
        ensure!(finding.breaches.is_empty(), "{}: {:?}", finding.invariant.name, finding.breaches);
    }
    let entries: i64 = sqlx::query_scalar("select count(*) from ledger_entry").fetch_one(pg.pool()).await?;
    let slowest = findings.iter().max_by_key(|finding| finding.took);
    let slowest = slowest.map_or_else(String::new, |finding| {
        format!("; {} took {:.1} s of it", finding.invariant.name, finding.took.as_secs_f64())
    });
    let note = format!(
        "{entries} entries, {} invariants{slowest}; written, sealed and closed in {:.0} s",
        findings.len(),
        written.as_secs_f64()
    );
    report.add(Figure::new("audit", took, "s", note).limit(LIMIT));
    Ok(())
}

/// Books batches of top-ups and of what is spent of them, the older ones earlier.
async fn write(pg: &Pg, stores: &[StoreId], now: Timestamp, batches: impl Iterator<Item = (i64, i64)>) -> Result<()> {
    for (n, of) in batches {
        let at = now - SignedDuration::from_hours(24 * DAYS) + SignedDuration::from_secs(24 * 3_600 * DAYS * n / of);
        let at = kernel::clock::truncate(at);
        let store = stores[usize::try_from(n % STORES)?];
        let cards: Vec<Party> = (0..CARDS_OF_BATCH).map(|_| Party::new("cards", uuid_v7(at))).collect();
        let transaction = |i: i64| -> Result<Transaction> {
            let card = cards[usize::try_from(i % CARDS_OF_BATCH)?].clone();
            if i < BATCH / 2 { fund(store, card, 100, at) } else { spend(store, card, at) }
        };
        let transactions = (0..BATCH).map(transaction).collect::<Result<Vec<_>>>()?;
        let mut tx = pg.begin().await?;
        db::ledger::post_all(&mut tx, at, &transactions).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn seal(pg: &Pg, now: Timestamp) -> Result<()> {
    loop {
        let mut tx = pg.begin().await?;
        let sealed = db::ledger::seal(&mut tx, now).await?;
        tx.commit().await?;
        if sealed == 0 {
            return Ok(());
        }
    }
}

async fn close(pg: &Pg, stores: &[StoreId], now: Timestamp) -> Result<()> {
    for &store in stores {
        let first = Day::of(now - SignedDuration::from_hours(24 * DAYS), &TimeZone::UTC);
        let days = std::iter::successors(first, |day| day.next(&TimeZone::UTC));
        for day in days.take_while(|day| day.end <= now) {
            let mut tx = pg.begin().await?;
            db::ledger::cut_off(&mut tx, now, Some(store), &day).await?;
            tx.commit().await?;
            let mut tx = pg.begin().await?;
            db::ledger::make_sheet(&mut tx, now, Some(store), &day).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}
