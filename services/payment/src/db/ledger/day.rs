//! Closing the days of stores.

use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use kernel::{Money, Timestamp, Uuid, ids::StoreId};
use pg::{PgConnection, Result};

use super::{currency, read_account, read_store, store_id};
use crate::domain::ledger::{Account, Day, first_id};

/// A store whose books are kept.
#[derive(Debug, Clone)]
pub struct StoreBooks {
    /// Which; `None` is the head office.
    pub store: Option<StoreId>,
    /// The IANA name of its time zone, if it is known.
    pub time_zone: Option<String>,
    /// The last day that was cut off.
    pub last: Option<Day>,
    /// When the first entry was booked.
    pub first_entry: Timestamp,
}

/// All stores that have sealed entries.
#[tracing::instrument(name = "db.ledger_cutoff.stores", skip_all)]
pub async fn stores(conn: &mut PgConnection) -> Result<Vec<StoreBooks>> {
    let rows = sqlx::query!(
        r#"select store.store_id as "store_id!", zone.time_zone as "time_zone?",
                  last.date as "date?", last.start_time as "start_time?", last.end_time as "end_time?",
                  first.create_time as "first_time!"
           from (select distinct store_id from ledger_rollup) as store
                left join store_zone as zone on zone.store_id = store.store_id
                left join lateral (select date, start_time, end_time from ledger_cutoff as cutoff
                                   where cutoff.store_id = store.store_id order by date desc limit 1) as last on true
                cross join lateral (select booked.create_time
                                    from ledger_entry as entry join ledger_transaction as booked
                                         on booked.id = entry.transaction_id
                                    where entry.store_id = store.store_id
                                    order by entry.transaction_id limit 1) as first
           order by store.store_id"#,
    )
    .fetch_all(conn)
    .await?;
    let books = rows.into_iter().map(|row| StoreBooks {
        store: read_store(row.store_id),
        time_zone: row.time_zone,
        last: match (row.date, row.start_time, row.end_time) {
            (Some(date), Some(start), Some(end)) => {
                Some(Day { date: date.to_jiff(), start: start.to_jiff(), end: end.to_jiff() })
            }
            _ => None,
        },
        first_entry: row.first_time.to_jiff(),
    });
    Ok(books.collect())
}

/// Cuts a day off: from the commit on nothing is booked in it any more. Returns whether it was not cut off before.
#[tracing::instrument(name = "db.ledger_cutoff.insert", skip_all)]
pub async fn cut_off(conn: &mut PgConnection, now: Timestamp, store: Option<StoreId>, day: &Day) -> Result<bool> {
    let inserted = sqlx::query!(
        "insert into ledger_cutoff (store_id, date, start_time, end_time, create_time) values ($1, $2, $3, $4, $5)
         on conflict (store_id, date) do nothing",
        store_id(store),
        day.date.to_sqlx() as _,
        day.start.to_sqlx() as _,
        day.end.to_sqlx() as _,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Puts up a fence behind each cut that is committed; returns how many. Transactions that begin to write later see the cut.
#[tracing::instrument(name = "db.ledger_fence.insert", skip_all)]
pub async fn put_up_fences(conn: &mut PgConnection) -> Result<u64> {
    let put_up = sqlx::query!(
        "insert into ledger_fence (store_id, date)
         select store_id, date from ledger_cutoff as cutoff
         where not exists (select from ledger_fence as fence
                           where fence.store_id = cutoff.store_id and fence.date = cutoff.date)
         on conflict do nothing",
    )
    .execute(conn)
    .await?;
    Ok(put_up.rows_affected())
}

/// For each store the oldest day, `limit` stores at most, that has no sheet yet and to which nothing can be added any more:
/// whoever began to write before its fence has ended.
#[tracing::instrument(name = "db.ledger_cutoff.without_sheet", skip_all)]
pub async fn without_sheet(conn: &mut PgConnection, limit: i64) -> Result<Vec<(Option<StoreId>, Day)>> {
    let rows = sqlx::query!(
        "select distinct on (store_id) store_id, date, cutoff.start_time, cutoff.end_time
         from ledger_cutoff as cutoff join ledger_fence as fence using (store_id, date)
         where fence.xid < pg_snapshot_xmin(pg_current_snapshot())
           and not exists (select from ledger_sheet as sheet
                           where sheet.store_id = cutoff.store_id and sheet.date = cutoff.date)
         order by store_id, date limit $1",
        limit,
    )
    .fetch_all(conn)
    .await?;
    let days = rows.into_iter().map(|row| {
        let day = Day { date: row.date.to_jiff(), start: row.start_time.to_jiff(), end: row.end_time.to_jiff() };
        (read_store(row.store_id), day)
    });
    Ok(days.collect())
}

/// Makes the sheet of a day that [`without_sheet`] has told, once. Returns whether it was not made before.
#[tracing::instrument(name = "db.ledger_sheet.insert", skip_all)]
pub async fn make_sheet(conn: &mut PgConnection, now: Timestamp, store: Option<StoreId>, day: &Day) -> Result<bool> {
    let made = sqlx::query!(
        "insert into ledger_sheet (store_id, date, create_time) values ($1, $2, $3) on conflict do nothing",
        store_id(store),
        day.date.to_sqlx() as _,
        now.to_sqlx() as _,
    )
    .execute(&mut *conn)
    .await?;
    if made.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        "with before as (
             select account, currency, closing_minor from ledger_day
             where store_id = $1
               and date = (select max(date) from ledger_sheet where store_id = $1 and date < $2)
         ),
         moved as (
             select account, currency,
                    coalesce(sum(amount_minor) filter (where amount_minor > 0), 0)::bigint as debits_minor,
                    coalesce(-sum(amount_minor) filter (where amount_minor < 0), 0)::bigint as credits_minor
             from ledger_entry
             where store_id = $1 and transaction_id >= $3 and transaction_id < $4
             group by account, currency
         ),
         line as (
             select account, currency, coalesce(closing_minor, 0) as opening_minor,
                    coalesce(debits_minor, 0) as debits_minor, coalesce(credits_minor, 0) as credits_minor
             from before full join moved using (account, currency)
         )
         insert into ledger_day (store_id, date, account, currency, opening_minor, debits_minor, credits_minor,
                                 closing_minor)
         select $1, $2, account, currency, opening_minor, debits_minor, credits_minor,
                opening_minor + debits_minor - credits_minor
         from line
         where opening_minor <> 0 or debits_minor <> 0 or credits_minor <> 0",
        store_id(store),
        day.date.to_sqlx() as _,
        first_id(day.start),
        first_id(day.end),
    )
    .execute(conn)
    .await?;
    Ok(true)
}

/// A line of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetLine {
    /// The account.
    pub account: Account,
    /// Debits less credits of all days before.
    pub opening: Money,
    /// What was debited on the day; not below zero.
    pub debits: Money,
    /// What was credited on the day; not below zero.
    pub credits: Money,
    /// Opening and debits less credits.
    pub closing: Money,
}

/// A day of which the sheet was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClosedDay {
    /// The day.
    pub day: Day,
    /// When the sheet was made.
    pub close_time: Timestamp,
}

/// The last day up to `date` of which the sheet was made.
#[tracing::instrument(name = "db.ledger_sheet.last", skip_all)]
pub async fn last_closed(conn: &mut PgConnection, store: Option<StoreId>, date: Date) -> Result<Option<ClosedDay>> {
    let row = sqlx::query!(
        r#"select sheet.date, cutoff.start_time, cutoff.end_time, sheet.create_time
           from ledger_sheet as sheet join ledger_cutoff as cutoff using (store_id, date)
           where sheet.store_id = $1 and sheet.date <= $2 order by sheet.date desc limit 1"#,
        store_id(store),
        date.to_sqlx() as _,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| ClosedDay {
        day: Day { date: row.date.to_jiff(), start: row.start_time.to_jiff(), end: row.end_time.to_jiff() },
        close_time: row.create_time.to_jiff(),
    }))
}

/// The lines of the sheet of a closed day, by account and currency.
#[tracing::instrument(name = "db.ledger_day.lines", skip_all)]
pub async fn sheet(conn: &mut PgConnection, store: Option<StoreId>, date: Date) -> Result<Vec<SheetLine>> {
    let rows = sqlx::query_as!(
        LineRow,
        "select account, currency, opening_minor, debits_minor, credits_minor, closing_minor from ledger_day
         where store_id = $1 and date = $2 order by account, currency",
        store_id(store),
        date.to_sqlx() as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(LineRow::read).collect()
}

/// The lines that the sheet of a day would have if it were made now; `last` is the last day of which it was.
#[tracing::instrument(name = "db.ledger_day.preview", skip_all)]
pub async fn preview(
    conn: &mut PgConnection,
    store: Option<StoreId>,
    last: Option<&Day>,
    day: &Day,
) -> Result<Vec<SheetLine>> {
    let rows = sqlx::query_as!(
        LineRow,
        r#"with before as (
             select account, currency, closing_minor from ledger_day where store_id = $1 and date = $2
         ),
         moved as (
             select account, currency,
                    coalesce(sum(amount_minor) filter (where transaction_id < $4), 0)::bigint as carried_minor,
                    coalesce(sum(amount_minor) filter (where transaction_id >= $4 and amount_minor > 0), 0)::bigint
                        as debits_minor,
                    coalesce(-sum(amount_minor) filter (where transaction_id >= $4 and amount_minor < 0), 0)::bigint
                        as credits_minor
             from ledger_entry
             where store_id = $1 and transaction_id >= $3 and transaction_id < $5
             group by account, currency
         ),
         line as (
             select account, currency, coalesce(closing_minor, 0) + coalesce(carried_minor, 0) as opening_minor,
                    coalesce(debits_minor, 0) as debits_minor, coalesce(credits_minor, 0) as credits_minor
             from before full join moved using (account, currency)
         )
         select account as "account!", currency as "currency!", opening_minor as "opening_minor!",
                debits_minor as "debits_minor!", credits_minor as "credits_minor!",
                opening_minor + debits_minor - credits_minor as "closing_minor!"
         from line
         where opening_minor <> 0 or debits_minor <> 0 or credits_minor <> 0
         order by account, currency"#,
        store_id(store),
        last.map(|last| last.date.to_sqlx()) as _,
        last.map_or(Uuid::nil(), |last| first_id(last.end)),
        first_id(day.start),
        first_id(day.end),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(LineRow::read).collect()
}

struct LineRow {
    account: String,
    currency: String,
    opening_minor: i64,
    debits_minor: i64,
    credits_minor: i64,
    closing_minor: i64,
}

impl LineRow {
    fn read(self) -> Result<SheetLine> {
        let account = read_account("ledger_day", &self.account, &self.account)?;
        let currency = currency("ledger_day", &self.account, &self.currency)?;
        let money = |minor| Money::new(minor, currency);
        Ok(SheetLine {
            account,
            opening: money(self.opening_minor),
            debits: money(self.debits_minor),
            credits: money(self.credits_minor),
            closing: money(self.closing_minor),
        })
    }
}
