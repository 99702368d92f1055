//! What booking tells of visits.

use kernel::ids::{BookingId, MemberId, TherapistId};
use pg::PgConnection;

use super::sql;
use crate::domain::visit::{Known, State, Visit};

/// What is known of a visit so far.
#[tracing::instrument(name = "db.visit.known", skip_all)]
pub async fn known(conn: &mut PgConnection, booking: BookingId) -> pg::Result<Option<Known>> {
    let row = sqlx::query!("select state, start_time, therapist_id from visit where booking_id = $1", booking.uuid())
        .fetch_optional(conn)
        .await?;
    row.map(|row| {
        let unknown = || pg::Error::inconsistent("visit", booking, "unknown state");
        Ok(Known {
            state: State::parse(&row.state).ok_or_else(unknown)?,
            start_time: row.start_time.map(jiff_sqlx::Timestamp::to_jiff),
            therapist: row.therapist_id.map(TherapistId::from_uuid),
        })
    })
    .transpose()
}

/// Notes a visit as of `version`. False if that version or a later one is known: then the event is old news.
#[tracing::instrument(name = "db.visit.note", skip_all)]
pub async fn note(conn: &mut PgConnection, visit: &Visit, version: i64) -> pg::Result<bool> {
    let noted = sqlx::query!(
        "insert into visit (booking_id, customer_id, state, version, start_time, therapist_id)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (booking_id) do update
         set state = excluded.state, version = excluded.version, start_time = excluded.start_time,
             therapist_id = excluded.therapist_id
         where visit.version < excluded.version",
        visit.booking.uuid(),
        visit.customer.uuid(),
        visit.state.as_str(),
        version,
        sql(visit.start_time) as _,
        visit.therapist.uuid(),
    )
    .execute(conn)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// Whether a member has completed a visit.
#[tracing::instrument(name = "db.visit.visited", skip_all)]
pub async fn visited(conn: &mut PgConnection, member: MemberId) -> pg::Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from visit where customer_id = $1 and state = 'COMPLETED') as "visited!""#,
        member.uuid(),
    )
    .fetch_one(conn)
    .await?)
}
