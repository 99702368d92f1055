//! The worker closes the days of stores.
//!
//! In three steps, so that the sheet of a day is made once and stays right. First the day is cut off: whoever looks after
//! that commit is refused (`DAY_CLOSED`, to be tried again with the time of then). Then a fence is put up, by a transaction
//! of its own: only those who began to write before it may have looked before the cut. Once they have ended the sheet is
//! made. Nobody ever waits for any of it. Days are cut off some minutes after their end, so that hardly anybody is refused.

use std::time::Duration;

use jiff::tz::TimeZone;
use kernel::{Error, Result, Timestamp, ids::StoreId};
use pg::PgConnection;

use crate::{App, db, db::ledger::StoreBooks, domain::ledger::Day};

/// How many stores one step takes on.
pub const BATCH: usize = 200;

/// Cuts off the days that are over, one for each store at most, and makes the sheets of those that were cut off before.
/// Returns how many days it has moved on: call again until it is 0.
///
/// # Errors
/// Those of the database.
pub async fn close_days(app: &App) -> Result<usize> {
    let cut = cut_off(app).await?;
    put_up_fences(app).await?;
    Ok(cut + make_sheets(app).await?)
}

async fn cut_off(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let mut cut = 0;
    for books in db::ledger::stores(&mut tx).await? {
        let zone = zone_of(app, books.store, books.time_zone.as_deref())?;
        let Some(day) = due(app, now, &books, &zone) else { continue };
        if db::ledger::cut_off(&mut tx, now, books.store, &day).await? {
            cut += 1;
        }
    }
    tx.commit().await?;
    Ok(cut)
}

/// The next day of a store, if it is over for long enough.
fn due(app: &App, now: Timestamp, books: &StoreBooks, zone: &TimeZone) -> Option<Day> {
    let day = match &books.last {
        Some(last) => last.next(zone),
        None => Day::of(books.first_entry, zone),
    };
    let pause = Duration::from_secs(u64::from(app.policy.close_day_after_minutes) * 60);
    day.filter(|day| day.end + pause <= now)
}

async fn put_up_fences(app: &App) -> Result<()> {
    let mut tx = app.pg.begin().await?;
    db::ledger::put_up_fences(&mut tx).await?;
    Ok(tx.commit().await?)
}

async fn make_sheets(app: &App) -> Result<usize> {
    let mut conn = app.pg.conn().await?;
    let days = db::ledger::without_sheet(&mut conn, i64::try_from(BATCH).unwrap_or(i64::MAX)).await?;
    drop(conn);
    let mut made = 0;
    for (store, day) in days {
        let mut tx = app.pg.begin().await?;
        if db::ledger::make_sheet(&mut tx, app.clock.now(), store, &day).await? {
            made += 1;
        }
        tx.commit().await?;
    }
    Ok(made)
}

/// The time zone of a store: as booking tells it, and else that of the chain.
pub(crate) async fn zone(app: &App, conn: &mut PgConnection, store: Option<StoreId>) -> Result<TimeZone> {
    let told = match store {
        Some(store) => db::stores::zone(conn, store).await?,
        None => None,
    };
    zone_of(app, store, told.as_deref())
}

fn zone_of(app: &App, store: Option<StoreId>, told: Option<&str>) -> Result<TimeZone> {
    if let Some(zone) = told.and_then(|name| TimeZone::get(name).ok()) {
        return Ok(zone);
    }
    if let (Some(store), Some(name)) = (store, told) {
        tracing::warn!(%store, zone = name, "unknown time zone; that of the chain is taken");
    }
    let name = &app.policy.time_zone;
    TimeZone::get(name).map_err(Error::internal)
}
