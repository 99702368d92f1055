//! Shifts with their breaks, and the dates on which people decide about them.

use std::collections::BTreeSet;

use jiff::civil::Date;
use kernel::{
    Timestamp, Uuid,
    ids::{BlockId, ShiftId, ShiftPatternId, StoreId, TherapistId},
};
use pg::PgConnection;

use super::{sql, sql_date};
use crate::domain::{
    roster::{Dates, shift::Shift},
    span::{Span, instant, list, minute, minute_after},
};

/// Stores a new shift; its breaks become blocks, which keep nothing yet. Violates `shift_overlap` if the therapist has
/// one in that time.
#[tracing::instrument(name = "db.shift.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, shift: &Shift, now: Timestamp) -> pg::Result<()> {
    sqlx::query!(
        "insert into shift (id, therapist_id, store_id, start_time, end_time, create_time, date, pattern_id, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        shift.id.uuid(),
        shift.therapist.uuid(),
        shift.store.uuid(),
        sql(shift.start_time) as _,
        sql(shift.end_time) as _,
        sql(now) as _,
        sql_date(shift.date) as _,
        shift.pattern.map(ShiftPatternId::uuid),
        shift.version,
    )
    .execute(&mut *conn)
    .await?;
    insert_breaks(conn, shift, now).await
}

/// Stores the new times and the version of a shift, and its breaks anew. Violates `shift_overlap`.
#[tracing::instrument(name = "db.shift.save", skip_all)]
pub async fn save(conn: &mut PgConnection, shift: &Shift, now: Timestamp) -> pg::Result<()> {
    let saved = sqlx::query!(
        "update shift set start_time = $2, end_time = $3, date = $4, version = $5
         where id = $1 and version = $5::bigint - 1",
        shift.id.uuid(),
        sql(shift.start_time) as _,
        sql(shift.end_time) as _,
        sql_date(shift.date) as _,
        shift.version,
    )
    .execute(&mut *conn)
    .await?;
    if saved.rows_affected() != 1 {
        return Err(pg::Error::inconsistent("shift", shift.id, "changed although the roster was owned"));
    }
    sqlx::query!("delete from block where shift_id = $1", shift.id.uuid()).execute(&mut *conn).await?;
    insert_breaks(conn, shift, now).await
}

async fn insert_breaks(conn: &mut PgConnection, shift: &Shift, now: Timestamp) -> pg::Result<()> {
    for span in &shift.breaks {
        sqlx::query!(
            "insert into block (id, store_id, resource_id, kind, start_time, end_time, reason, create_time, shift_id)
             values ($1, $2, $3, 'BREAK', $4, $5, '', $6, $7)",
            BlockId::new(now).uuid(),
            shift.store.uuid(),
            shift.therapist.uuid(),
            sql(instant(span.start)) as _,
            sql(instant(span.end)) as _,
            sql(now) as _,
            shift.id.uuid(),
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Takes shifts away, with their breaks and what those kept.
#[tracing::instrument(name = "db.shift.delete", skip_all)]
pub async fn delete(conn: &mut PgConnection, ids: &[Uuid]) -> pg::Result<()> {
    sqlx::query!("delete from shift where id = any($1)", ids).execute(conn).await?;
    Ok(())
}

/// Reads a shift.
#[tracing::instrument(name = "db.shift.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: ShiftId) -> pg::Result<Option<Shift>> {
    let row = sqlx::query_as!(
        Row,
        r#"select s.id, s.therapist_id, s.store_id, s.start_time, s.end_time, s.date, s.pattern_id, s.version,
                  array(select start_time from block where shift_id = s.id order by start_time)
                      as "break_starts!: Vec<jiff_sqlx::Timestamp>",
                  array(select end_time from block where shift_id = s.id order by start_time)
                      as "break_ends!: Vec<jiff_sqlx::Timestamp>"
           from shift s where s.id = $1"#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Shift::from))
}

/// Lists the shifts of a store that overlap the time from `from` to `to`, by start. None is a day long, so whatever
/// started a day before is over.
#[tracing::instrument(name = "db.shift.list", skip_all)]
pub async fn list_of_store(
    conn: &mut PgConnection,
    store: StoreId,
    (from, to): (Timestamp, Timestamp),
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> pg::Result<Vec<Shift>> {
    let (start, last) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        r#"select s.id, s.therapist_id, s.store_id, s.start_time, s.end_time, s.date, s.pattern_id, s.version,
                  array(select start_time from block where shift_id = s.id order by start_time)
                      as "break_starts!: Vec<jiff_sqlx::Timestamp>",
                  array(select end_time from block where shift_id = s.id order by start_time)
                      as "break_ends!: Vec<jiff_sqlx::Timestamp>"
           from shift s
           where s.store_id = $1 and s.end_time > $2 and s.start_time < $3 and s.start_time > $2 - interval '1 day'
             and ($4::timestamptz is null or (s.start_time, s.id) > ($4, $5::uuid))
           order by s.start_time, s.id limit $6"#,
        store.uuid(),
        sql(from) as _,
        sql(to) as _,
        start.map(sql) as _,
        last,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Shift::from).collect())
}

/// Reads the shifts of a therapist that begin on one of `dates`, by start.
#[tracing::instrument(name = "db.shift.of_therapist", skip_all)]
pub async fn of_therapist(conn: &mut PgConnection, therapist: TherapistId, dates: Dates) -> pg::Result<Vec<Shift>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select s.id, s.therapist_id, s.store_id, s.start_time, s.end_time, s.date, s.pattern_id, s.version,
                  array(select start_time from block where shift_id = s.id order by start_time)
                      as "break_starts!: Vec<jiff_sqlx::Timestamp>",
                  array(select end_time from block where shift_id = s.id order by start_time)
                      as "break_ends!: Vec<jiff_sqlx::Timestamp>"
           from shift s where s.therapist_id = $1 and s.date between $2 and $3
           order by s.start_time, s.id"#,
        therapist.uuid(),
        sql_date(dates.first) as _,
        sql_date(dates.last) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Shift::from).collect())
}

/// When a therapist is on duty from `now` on.
#[tracing::instrument(name = "db.shift.on_duty", skip_all)]
pub async fn on_duty(conn: &mut PgConnection, therapist: TherapistId, now: Timestamp) -> pg::Result<Vec<Span>> {
    let rows = sqlx::query!(
        "select start_time, end_time from shift
         where therapist_id = $1 and end_time > $2 and start_time > $2::timestamptz - interval '1 day'",
        therapist.uuid(),
        sql(now) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(list(
        rows.into_iter()
            .map(|row| Span::new(minute(row.start_time.to_jiff()), minute_after(row.end_time.to_jiff())))
            .collect(),
    ))
}

/// A date about which people decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The date.
    pub date: Date,
    /// Why.
    pub note: String,
    /// When it was entered.
    pub create_time: Timestamp,
}

/// Keeps patterns away from a date of a therapist. Without a note an earlier one stays.
#[tracing::instrument(name = "db.shift_exception.set", skip_all)]
pub async fn except(
    conn: &mut PgConnection,
    therapist: TherapistId,
    date: Date,
    note: Option<&str>,
    now: Timestamp,
) -> pg::Result<()> {
    sqlx::query!(
        "insert into shift_exception (therapist_id, date, note, create_time)
         values ($1, $2, coalesce($3::text, ''), $4)
         on conflict (therapist_id, date) do update set note = coalesce($3::text, shift_exception.note)",
        therapist.uuid(),
        sql_date(date) as _,
        note,
        sql(now) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a date back to the patterns; `false` if it was theirs.
#[tracing::instrument(name = "db.shift_exception.clear", skip_all)]
pub async fn unexcept(conn: &mut PgConnection, therapist: TherapistId, date: Date) -> pg::Result<bool> {
    let deleted = sqlx::query!(
        "delete from shift_exception where therapist_id = $1 and date = $2",
        therapist.uuid(),
        sql_date(date) as _,
    );
    Ok(deleted.execute(conn).await?.rows_affected() == 1)
}

/// Lists the exceptions of a therapist on `dates`, by date.
#[tracing::instrument(name = "db.shift_exception.list", skip_all)]
pub async fn exceptions(conn: &mut PgConnection, therapist: TherapistId, dates: Dates) -> pg::Result<Vec<Exception>> {
    let rows = sqlx::query!(
        "select date, note, create_time from shift_exception
         where therapist_id = $1 and date between $2 and $3 order by date",
        therapist.uuid(),
        sql_date(dates.first) as _,
        sql_date(dates.last) as _,
    )
    .fetch_all(conn)
    .await?;
    let exception = |date: jiff_sqlx::Date, note, create_time: jiff_sqlx::Timestamp| Exception {
        date: date.to_jiff(),
        note,
        create_time: create_time.to_jiff(),
    };
    Ok(rows.into_iter().map(|row| exception(row.date, row.note, row.create_time)).collect())
}

/// The dates of [`exceptions`].
pub async fn excepted(conn: &mut PgConnection, therapist: TherapistId, dates: Dates) -> pg::Result<BTreeSet<Date>> {
    Ok(exceptions(conn, therapist, dates).await?.into_iter().map(|exception| exception.date).collect())
}

struct Row {
    id: Uuid,
    therapist_id: Uuid,
    store_id: Uuid,
    start_time: jiff_sqlx::Timestamp,
    end_time: jiff_sqlx::Timestamp,
    date: jiff_sqlx::Date,
    pattern_id: Option<Uuid>,
    version: i64,
    break_starts: Vec<jiff_sqlx::Timestamp>,
    break_ends: Vec<jiff_sqlx::Timestamp>,
}

impl From<Row> for Shift {
    fn from(row: Row) -> Self {
        let breaks = row.break_starts.into_iter().zip(row.break_ends);
        Self {
            id: ShiftId::from_uuid(row.id),
            therapist: TherapistId::from_uuid(row.therapist_id),
            store: StoreId::from_uuid(row.store_id),
            start_time: row.start_time.to_jiff(),
            end_time: row.end_time.to_jiff(),
            date: row.date.to_jiff(),
            pattern: row.pattern_id.map(ShiftPatternId::from_uuid),
            breaks: breaks.map(|(start, end)| Span::new(minute(start.to_jiff()), minute(end.to_jiff()))).collect(),
            version: row.version,
        }
    }
}
