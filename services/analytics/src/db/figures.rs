//! The figures of a store's days.

use jiff_sqlx::ToSqlx;
use kernel::Money;
use pg::PgConnection;

use crate::domain::{DailyFigures, Period, fact::Store};

/// A line for each day of `period`, by date.
///
/// The local date of each fact decides on which day it counts, so that a day has 23 hours or 25 where its zone says so,
/// and a midnight that comes twice or never is no special case. The window only narrows down what the indexes yield: no
/// zone is a day off UTC.
#[tracing::instrument(name = "db.figures.daily", skip_all)]
pub async fn daily(conn: &mut PgConnection, store: &Store, period: Period) -> pg::Result<Vec<DailyFigures>> {
    let rows = sqlx::query!(
        r#"with bounds as (
               select ($2::date - 1)::timestamp at time zone 'UTC' as early,
                      ($3::date + 2)::timestamp at time zone 'UTC' as late
           ), day as (
               select step::date as date from generate_series($2::date::timestamp, $3::date::timestamp, '1 day') as step
           ), visit as (
               select (start_time at time zone $4::text)::date as date, state, count(*) as visits
               from fact_booking, bounds
               where store_id = $1 and start_time >= early and start_time < late
               group by 1, 2
           ), visited as (
               select date, array_agg(state order by state) as states, array_agg(visits order by state) as visits
               from visit group by date
           ), captured as (
               select (capture_time at time zone $4::text)::date as date, sum(amount_minor)::bigint as minor
               from fact_payment, bounds
               where store_id = $1 and currency = $5::text and capture_time >= early and capture_time < late
               group by 1
           ), refunded as (
               select (refund_time at time zone $4::text)::date as date, sum(amount_minor)::bigint as minor
               from fact_refund, bounds
               where store_id = $1 and currency = $5::text and refund_time >= early and refund_time < late
               group by 1
           ), joined as (
               select (register_time at time zone $4::text)::date as date, count(*) as members
               from fact_member, bounds
               where store_id = $1 and register_time >= early and register_time < late
               group by 1
           ), points as (
               select (change_time at time zone $4::text)::date as date,
                      sum(points) filter (where change = 'EARNED')::bigint as earned,
                      sum(points) filter (where change = 'REVOKED')::bigint as revoked
               from fact_points, bounds
               where store_id = $1 and change_time >= early and change_time < late
               group by 1
           ), changed as (
               select (change_time at time zone $4::text)::date as date,
                      count(*) filter (where change = 'RESCHEDULED') as rescheduled,
                      count(*) filter (where change = 'MOVED') as moved,
                      count(*) filter (where change = 'CANCELLED') as cancelled
               from fact_booking_change, bounds
               where store_id = $1 and change_time >= early and change_time < late
               group by 1
           )
           select day.date as "date!", coalesce(visited.states, '{}') as "states!",
                  coalesce(visited.visits, '{}') as "visits!", coalesce(captured.minor, 0) as "captured!",
                  coalesce(refunded.minor, 0) as "refunded!", coalesce(joined.members, 0) as "members!",
                  coalesce(points.earned, 0) as "earned!", coalesce(points.revoked, 0) as "revoked!",
                  coalesce(changed.rescheduled, 0) as "rescheduled!", coalesce(changed.moved, 0) as "moved!",
                  coalesce(changed.cancelled, 0) as "cancelled!"
           from day
           left join visited using (date)
           left join captured using (date)
           left join refunded using (date)
           left join joined using (date)
           left join points using (date)
           left join changed using (date)
           order by day.date"#,
        store.id.uuid(),
        period.first().to_sqlx() as _,
        period.last().to_sqlx() as _,
        store.time_zone,
        store.currency.code(),
    )
    .fetch_all(conn)
    .await?;
    let days = rows.into_iter().map(|row| DailyFigures {
        date: row.date.to_jiff(),
        bookings_by_state: row.states.into_iter().zip(row.visits).collect(),
        captured: Money::new(row.captured, store.currency),
        refunded: Money::new(row.refunded, store.currency),
        new_members: row.members,
        points_earned: row.earned,
        points_revoked: row.revoked,
        rescheduled: row.rescheduled,
        moved: row.moved,
        cancelled: row.cancelled,
    });
    Ok(days.collect())
}
