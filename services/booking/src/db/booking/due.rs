//! Bookings with which something has to be done by now.

use kernel::{Timestamp, ids::BookingId};
use pg::PgConnection;

use crate::db::sql;

/// A booking, and since when something has to be done with it.
pub type Due = (Timestamp, BookingId);

/// Bookings whose hold has run out by `now` without a deposit, the earliest first, those after `after`.
#[tracing::instrument(name = "db.booking.unpaid", skip_all)]
pub async fn unpaid(conn: &mut PgConnection, now: Timestamp, after: Option<Due>, limit: i64) -> pg::Result<Vec<Due>> {
    let (since, last) = after.unzip();
    let rows = sqlx::query!(
        "select id, hold_expire_time from booking
         where state in ('HELD', 'AWAITING_PAYMENT') and hold_expire_time <= $1
           and ($2::timestamptz is null or (hold_expire_time, id) > ($2, $3::uuid))
         order by hold_expire_time, id limit $4",
        sql(now) as _,
        since.map(sql) as _,
        last.map(BookingId::uuid),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.hold_expire_time.to_jiff(), BookingId::from_uuid(row.id))).collect())
}

/// Confirmed bookings whose customer has not come within the grace time of the store, `grace_minutes` where it has none
/// of its own, by start, those after `after`.
#[tracing::instrument(name = "db.booking.missed", skip_all)]
pub async fn missed(
    conn: &mut PgConnection,
    now: Timestamp,
    grace_minutes: i64,
    after: Option<Due>,
    limit: i64,
) -> pg::Result<Vec<Due>> {
    let (since, last) = after.unzip();
    let rows = sqlx::query!(
        "select b.id, b.start_time from booking b left join store_policy p on p.store_id = b.store_id
         where b.state = 'CONFIRMED' and b.start_time <= $1
           and b.start_time <= $1 - make_interval(mins => coalesce(p.no_show_grace_minutes, $2))
           and ($3::timestamptz is null or (b.start_time, b.id) > ($3, $4::uuid))
         order by b.start_time, b.id limit $5",
        sql(now) as _,
        i32::try_from(grace_minutes).unwrap_or(i32::MAX),
        since.map(sql) as _,
        last.map(BookingId::uuid),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.start_time.to_jiff(), BookingId::from_uuid(row.id))).collect())
}
