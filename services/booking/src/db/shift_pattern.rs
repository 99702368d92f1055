//! The hours that therapists work each week.

use std::collections::HashMap;

use jiff::civil::Date;
use kernel::{
    Uuid,
    ids::{ShiftPatternId, StoreId, TherapistId},
};
use pg::PgConnection;

use super::{sql, sql_date};
use crate::domain::roster::{
    Dates,
    pattern::{Hours, ShiftPattern, WeeklyShift},
};

/// Stores a new pattern, of which nothing has been made yet. Violates `shift_pattern_overlap` if the therapist has
/// another on one of its dates.
#[tracing::instrument(name = "db.shift_pattern.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, pattern: &ShiftPattern) -> pg::Result<()> {
    sqlx::query!(
        "insert into shift_pattern (id, therapist_id, store_id, start_date, end_date, follows_calendar, made_until,
                                    version, create_time)
         values ($1, $2, $3, $4, $5, $6, $4::date - 1, $7, $8)",
        pattern.id.uuid(),
        pattern.therapist.uuid(),
        pattern.store.uuid(),
        sql_date(pattern.start_date) as _,
        pattern.end_date.map(sql_date) as _,
        pattern.follows_calendar,
        pattern.version,
        sql(pattern.create_time) as _,
    )
    .execute(&mut *conn)
    .await?;
    insert_shifts(conn, pattern).await
}

/// Stores a changed pattern. Violates `shift_pattern_overlap`.
#[tracing::instrument(name = "db.shift_pattern.save", skip_all)]
pub async fn save(conn: &mut PgConnection, pattern: &ShiftPattern) -> pg::Result<()> {
    let saved = sqlx::query!(
        "update shift_pattern set start_date = $2, end_date = $3, follows_calendar = $4, version = $5
         where id = $1 and version = $5::bigint - 1",
        pattern.id.uuid(),
        sql_date(pattern.start_date) as _,
        pattern.end_date.map(sql_date) as _,
        pattern.follows_calendar,
        pattern.version,
    )
    .execute(&mut *conn)
    .await?;
    if saved.rows_affected() != 1 {
        return Err(pg::Error::inconsistent("shift_pattern", pattern.id, "changed although the roster was owned"));
    }
    sqlx::query!("delete from shift_pattern_shift where pattern_id = $1", pattern.id.uuid())
        .execute(&mut *conn)
        .await?;
    insert_shifts(conn, pattern).await
}

async fn insert_shifts(conn: &mut PgConnection, pattern: &ShiftPattern) -> pg::Result<()> {
    for WeeklyShift { day, hours } in &pattern.shifts {
        let (starts, ends): (Vec<i16>, Vec<i16>) = hours.breaks.iter().copied().unzip();
        sqlx::query!(
            "insert into shift_pattern_shift (pattern_id, day, start_minute, end_minute, break_starts, break_ends)
             values ($1, $2, $3, $4, $5, $6)",
            pattern.id.uuid(),
            day,
            hours.start_minute,
            hours.end_minute,
            &starts,
            &ends,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Takes a pattern away; shifts that were made from it stay, as if they had been entered.
#[tracing::instrument(name = "db.shift_pattern.delete", skip_all)]
pub async fn delete(conn: &mut PgConnection, id: ShiftPatternId) -> pg::Result<()> {
    sqlx::query!("delete from shift_pattern where id = $1", id.uuid()).execute(conn).await?;
    Ok(())
}

/// Reads a pattern.
#[tracing::instrument(name = "db.shift_pattern.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: ShiftPatternId) -> pg::Result<Option<ShiftPattern>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, therapist_id, store_id, start_date, end_date, follows_calendar, version, create_time
         from shift_pattern where id = $1",
        id.uuid(),
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(whole(conn, rows).await?.pop())
}

/// Lists the patterns of a store, or of one of its therapists, by first date.
#[tracing::instrument(name = "db.shift_pattern.list", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    store: StoreId,
    therapist: Option<TherapistId>,
    after: Option<(Date, Uuid)>,
    limit: i64,
) -> pg::Result<Vec<ShiftPattern>> {
    let (start, last) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select id, therapist_id, store_id, start_date, end_date, follows_calendar, version, create_time
         from shift_pattern
         where store_id = $1 and ($2::uuid is null or therapist_id = $2)
           and ($3::date is null or (start_date, id) > ($3, $4::uuid))
         order by start_date, id limit $5",
        store.uuid(),
        therapist.map(TherapistId::uuid),
        start.map(sql_date) as _,
        last,
        limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    whole(conn, rows).await
}

/// Reads the patterns of a therapist that hold on any of `dates`.
#[tracing::instrument(name = "db.shift_pattern.of_therapist", skip_all)]
pub async fn of_therapist(
    conn: &mut PgConnection,
    therapist: TherapistId,
    dates: Dates,
) -> pg::Result<Vec<ShiftPattern>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, therapist_id, store_id, start_date, end_date, follows_calendar, version, create_time
         from shift_pattern
         where therapist_id = $1 and start_date <= $3 and (end_date is null or end_date >= $2)
         order by start_date",
        therapist.uuid(),
        sql_date(dates.first) as _,
        sql_date(dates.last) as _,
    )
    .fetch_all(&mut *conn)
    .await?;
    whole(conn, rows).await
}

/// A therapist whose shifts are to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Where he works.
    pub store: StoreId,
    /// Who.
    pub therapist: TherapistId,
    /// The last date whose shifts have been made.
    pub made_until: Date,
}

/// Therapists with a pattern of which not all up to `until` has been made; those who have left get no shifts any more.
#[tracing::instrument(name = "db.shift_pattern.due", skip_all)]
pub async fn due(conn: &mut PgConnection, until: Date) -> pg::Result<Vec<Due>> {
    let rows = sqlx::query!(
        r#"select p.store_id, therapist_id, min(made_until) as "made_until!: jiff_sqlx::Date"
           from shift_pattern p join therapist t on t.id = p.therapist_id
           where made_until < $1 and start_date <= $1 and (end_date is null or end_date > made_until)
             and t.retire_time is null
           group by p.store_id, therapist_id order by p.store_id, therapist_id"#,
        sql_date(until) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| due_of(row.store_id, row.therapist_id, row.made_until)).collect())
}

/// Therapists with a pattern that follows `calendar` on any of `dates`, by store.
#[tracing::instrument(name = "db.shift_pattern.followers", skip_all)]
pub async fn followers(conn: &mut PgConnection, calendar: &str, dates: Dates) -> pg::Result<Vec<Due>> {
    let rows = sqlx::query!(
        r#"select p.store_id, therapist_id, min(made_until) as "made_until!: jiff_sqlx::Date"
           from shift_pattern p join therapist t on t.id = p.therapist_id
           where follows_calendar = $1 and start_date <= $3 and (end_date is null or end_date >= $2)
             and t.retire_time is null
           group by p.store_id, therapist_id order by p.store_id, therapist_id"#,
        calendar,
        sql_date(dates.first) as _,
        sql_date(dates.last) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| due_of(row.store_id, row.therapist_id, row.made_until)).collect())
}

fn due_of(store: Uuid, therapist: Uuid, made_until: jiff_sqlx::Date) -> Due {
    Due {
        store: StoreId::from_uuid(store),
        therapist: TherapistId::from_uuid(therapist),
        made_until: made_until.to_jiff(),
    }
}

/// Notes that the shifts of a therapist have been made up to a date.
#[tracing::instrument(name = "db.shift_pattern.made", skip_all)]
pub async fn made(conn: &mut PgConnection, therapist: TherapistId, until: Date) -> pg::Result<()> {
    sqlx::query!(
        "update shift_pattern set made_until = $2 where therapist_id = $1 and made_until < $2",
        therapist.uuid(),
        sql_date(until) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct Row {
    id: Uuid,
    therapist_id: Uuid,
    store_id: Uuid,
    start_date: jiff_sqlx::Date,
    end_date: Option<jiff_sqlx::Date>,
    follows_calendar: Option<String>,
    version: i64,
    create_time: jiff_sqlx::Timestamp,
}

async fn whole(conn: &mut PgConnection, rows: Vec<Row>) -> pg::Result<Vec<ShiftPattern>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut shifts: HashMap<Uuid, Vec<WeeklyShift>> = HashMap::new();
    let weekly = sqlx::query!(
        "select pattern_id, day, start_minute, end_minute, break_starts, break_ends from shift_pattern_shift
         where pattern_id = any($1) order by pattern_id, day, start_minute",
        &ids,
    )
    .fetch_all(conn)
    .await?;
    for row in weekly {
        let hours = Hours {
            start_minute: row.start_minute,
            end_minute: row.end_minute,
            breaks: row.break_starts.into_iter().zip(row.break_ends).collect(),
        };
        shifts.entry(row.pattern_id).or_default().push(WeeklyShift { day: row.day, hours });
    }
    Ok(rows
        .into_iter()
        .map(|row| ShiftPattern {
            shifts: shifts.remove(&row.id).unwrap_or_default(),
            id: ShiftPatternId::from_uuid(row.id),
            therapist: TherapistId::from_uuid(row.therapist_id),
            store: StoreId::from_uuid(row.store_id),
            start_date: row.start_date.to_jiff(),
            end_date: row.end_date.map(jiff_sqlx::Date::to_jiff),
            follows_calendar: row.follows_calendar,
            version: row.version,
            create_time: row.create_time.to_jiff(),
        })
        .collect())
}
