//! Which resource a booking keeps, and when. A row exists exactly as long as its booking keeps the time.

use kernel::{Uuid, ids::BookingId};
use pg::PgConnection;

use super::sql;
use crate::domain::span::{Span, instant};

/// A resource that a booking keeps for a time.
pub type Kept = (BookingId, Uuid, Span);

/// Takes every resource of `wanted`, or reports `false` when one of them is somebody else's; then the caller must roll
/// back. `wanted` must be in the order of `Assignment::allocations`: taking in one fixed order, and passing over
/// conflicts instead of failing at them, is what keeps concurrent bookings from deadlocking.
pub async fn take(conn: &mut PgConnection, booking: BookingId, wanted: &[(Uuid, Span)]) -> pg::Result<bool> {
    let wanted: Vec<Kept> = wanted.iter().map(|(resource, span)| (booking, *resource, *span)).collect();
    take_all(conn, wanted).await
}

/// The same for several bookings at once, in any order.
pub async fn take_all(conn: &mut PgConnection, wanted: Vec<Kept>) -> pg::Result<bool> {
    let count = wanted.len();
    Ok(insert(conn, in_order(wanted)).await?.len() == count)
}

/// Takes every resource of `wanted`, those that somebody else keeps too: only these overlap, outside of the constraint.
#[tracing::instrument(name = "db.allocation.overbook", skip_all)]
pub async fn overbook(conn: &mut PgConnection, wanted: Vec<Kept>) -> pg::Result<()> {
    let wanted = in_order(wanted);
    let taken = insert(&mut *conn, wanted.clone()).await?;
    for (booking, resource, span) in wanted {
        if taken.contains(&(resource, instant(span.start))) {
            continue;
        }
        sqlx::query!(
            "insert into allocation (booking_id, resource_id, start_time, end_time, overbooked)
             values ($1, $2, $3, $4, true)",
            booking.uuid(),
            resource,
            sql(instant(span.start)) as _,
            sql(instant(span.end)) as _,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

fn in_order(mut wanted: Vec<Kept>) -> Vec<Kept> {
    wanted.sort_unstable_by_key(|(_, resource, span)| (*resource, *span));
    wanted
}

/// Inserts what nobody else keeps; returns what that was.
#[tracing::instrument(name = "db.allocation.take", skip_all)]
async fn insert(conn: &mut PgConnection, wanted: Vec<Kept>) -> pg::Result<Vec<(Uuid, kernel::Timestamp)>> {
    let bookings: Vec<Uuid> = wanted.iter().map(|(booking, ..)| booking.uuid()).collect();
    let resources: Vec<Uuid> = wanted.iter().map(|(_, resource, _)| *resource).collect();
    let starts: Vec<_> = wanted.iter().map(|(.., span)| sql(instant(span.start))).collect();
    let ends: Vec<_> = wanted.iter().map(|(.., span)| sql(instant(span.end))).collect();
    let taken = sqlx::query!(
        "insert into allocation (booking_id, resource_id, start_time, end_time)
         select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[])
         on conflict do nothing returning resource_id, start_time",
        &bookings,
        &resources,
        &starts as &[jiff_sqlx::Timestamp],
        &ends as &[jiff_sqlx::Timestamp],
    )
    .fetch_all(conn)
    .await?;
    Ok(taken.into_iter().map(|row| (row.resource_id, row.start_time.to_jiff())).collect())
}

/// Gives back all that a booking keeps.
#[tracing::instrument(name = "db.allocation.release", skip_all)]
pub async fn release(conn: &mut PgConnection, booking: BookingId) -> pg::Result<()> {
    sqlx::query!("delete from allocation where booking_id = $1", booking.uuid()).execute(conn).await?;
    Ok(())
}
