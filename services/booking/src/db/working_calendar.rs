//! Days on which a country does not work as the weekday says.

use std::collections::{BTreeSet, HashMap};

use pg::PgConnection;

use super::sql_date;
use crate::domain::roster::{
    Dates,
    calendar::{Calendar, CalendarDay, Kind},
    pattern::ShiftPattern,
};

/// Lists the days of a calendar on `dates`, by date.
#[tracing::instrument(name = "db.calendar_day.list", skip_all)]
pub async fn list(conn: &mut PgConnection, calendar: &str, dates: Dates) -> pg::Result<Vec<CalendarDay>> {
    let rows = sqlx::query!(
        "select date, kind, name, replaces from calendar_day
         where calendar = $1 and date between $2 and $3 order by date",
        calendar,
        sql_date(dates.first) as _,
        sql_date(dates.last) as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kind = match (row.kind.as_str(), row.replaces) {
                ("HOLIDAY", None) => Kind::Holiday,
                ("MAKE_UP_WORKDAY", Some(replaces)) => Kind::MakeUpWorkday { replaces: replaces.to_jiff() },
                _ => return Err(pg::Error::inconsistent("calendar_day", calendar, "unknown kind of day")),
            };
            Ok(CalendarDay { date: row.date.to_jiff(), kind, name: row.name })
        })
        .collect()
}

/// Sets which of `dates` are not worked as the weekday says: exactly `days`, which must lie on them.
#[tracing::instrument(name = "db.calendar_day.set", skip_all)]
pub async fn set(conn: &mut PgConnection, calendar: &str, dates: Dates, days: &[CalendarDay]) -> pg::Result<()> {
    sqlx::query!(
        "delete from calendar_day where calendar = $1 and date between $2 and $3",
        calendar,
        sql_date(dates.first) as _,
        sql_date(dates.last) as _,
    )
    .execute(&mut *conn)
    .await?;
    for day in days {
        let (kind, replaces) = match day.kind {
            Kind::Holiday => ("HOLIDAY", None),
            Kind::MakeUpWorkday { replaces } => ("MAKE_UP_WORKDAY", Some(replaces)),
        };
        sqlx::query!(
            "insert into calendar_day (calendar, date, kind, name, replaces) values ($1, $2, $3, $4, $5)",
            calendar,
            sql_date(day.date) as _,
            kind,
            day.name,
            replaces.map(sql_date) as _,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Whether anything is known of a calendar.
#[tracing::instrument(name = "db.calendar_day.exists", skip_all)]
pub async fn exists(conn: &mut PgConnection, calendar: &str) -> pg::Result<bool> {
    let found =
        sqlx::query_scalar!(r#"select exists (select from calendar_day where calendar = $1) as "exists!""#, calendar);
    Ok(found.fetch_one(conn).await?)
}

/// Reads the calendars that `patterns` follow, on `dates`, and keeps them from being set until the transaction ends.
#[tracing::instrument(name = "db.calendar_day.followed", skip_all)]
pub async fn followed(
    conn: &mut PgConnection,
    patterns: &[ShiftPattern],
    dates: Dates,
) -> pg::Result<HashMap<String, Calendar>> {
    let names: BTreeSet<&String> = patterns.iter().filter_map(|pattern| pattern.follows_calendar.as_ref()).collect();
    let mut calendars = HashMap::new();
    for name in names {
        share(conn, name).await?;
        calendars.insert(name.clone(), Calendar::new(&list(conn, name, dates).await?));
    }
    Ok(calendars)
}

/// Keeps others from making shifts of a calendar's days until the transaction ends. To be called after the rosters are
/// owned.
#[tracing::instrument(name = "db.calendar_day.own", skip_all)]
pub async fn own(conn: &mut PgConnection, calendar: &str) -> pg::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('working_calendar/' || $1::text, 0))", calendar)
        .execute(conn)
        .await?;
    Ok(())
}

async fn share(conn: &mut PgConnection, calendar: &str) -> pg::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock_shared(hashtextextended('working_calendar/' || $1::text, 0))", calendar)
        .execute(conn)
        .await?;
    Ok(())
}
