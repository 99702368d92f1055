//! Which resource a booking keeps, and when. A row exists exactly as long as its booking keeps the time.

use kernel::{Uuid, ids::BookingId};
use pg::PgConnection;

use super::sql;
use crate::domain::span::{Span, instant};

/// Takes every resource of `wanted`, or reports `false` when one of them is somebody else's; then the caller must roll
/// back. `wanted` must be in the order of `Assignment::allocations`: taking in one fixed order, and passing over
/// conflicts instead of failing at them, is what keeps concurrent bookings from deadlocking.
#[tracing::instrument(name = "db.allocation.take", skip_all)]
pub async fn take(conn: &mut PgConnection, booking: BookingId, wanted: &[(Uuid, Span)]) -> pg::Result<bool> {
    let resources: Vec<Uuid> = wanted.iter().map(|(resource, _)| *resource).collect();
    let starts: Vec<_> = wanted.iter().map(|(_, span)| sql(instant(span.start))).collect();
    let ends: Vec<_> = wanted.iter().map(|(_, span)| sql(instant(span.end))).collect();
    let taken = sqlx::query!(
        "insert into allocation (booking_id, resource_id, start_time, end_time)
         select $1, * from unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[])
         on conflict do nothing",
        booking.uuid(),
        &resources,
        &starts as &[jiff_sqlx::Timestamp],
        &ends as &[jiff_sqlx::Timestamp],
    )
    .execute(conn)
    .await?
    .rows_affected();
    Ok(usize::try_from(taken) == Ok(wanted.len()))
}

/// Gives back all that a booking keeps.
#[tracing::instrument(name = "db.allocation.release", skip_all)]
pub async fn release(conn: &mut PgConnection, booking: BookingId) -> pg::Result<()> {
    sqlx::query!("delete from allocation where booking_id = $1", booking.uuid()).execute(conn).await?;
    Ok(())
}
