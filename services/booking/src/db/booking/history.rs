//! The steps of bookings.

use kernel::{Uuid, ids::BookingId};
use pg::PgConnection;

use super::row::state;
use crate::domain::booking::Step;

/// Reads the steps of a booking, the oldest first.
#[tracing::instrument(name = "db.booking.history", skip_all)]
pub async fn history(conn: &mut PgConnection, id: BookingId) -> pg::Result<Vec<Step>> {
    Ok(histories(conn, &[id.uuid()]).await?.into_iter().map(|(_, step)| step).collect())
}

/// Reads the steps of several bookings, by booking, the oldest first.
#[tracing::instrument(name = "db.booking.histories", skip_all)]
pub async fn histories(conn: &mut PgConnection, ids: &[Uuid]) -> pg::Result<Vec<(Uuid, Step)>> {
    let rows = sqlx::query!(
        "select booking_id, version, state, change_time, actor, reason from booking_history
         where booking_id = any($1) order by booking_id, version",
        ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let step = Step {
                version: row.version,
                state: state(row.booking_id, &row.state)?,
                change_time: row.change_time.to_jiff(),
                actor: row.actor,
                reason: row.reason,
            };
            Ok((row.booking_id, step))
        })
        .collect()
}
