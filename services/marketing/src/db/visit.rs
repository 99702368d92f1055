//! What booking tells of visits.

use kernel::ids::MemberId;
use pg::PgConnection;

use crate::domain::visit::Visit;

/// Notes a visit as of `version`. False if that version or a later one is known: then the event is old news.
#[tracing::instrument(name = "db.visit.note", skip_all)]
pub async fn note(conn: &mut PgConnection, visit: &Visit, version: i64) -> pg::Result<bool> {
    let noted = sqlx::query!(
        "insert into visit (booking_id, customer_id, state, version) values ($1, $2, $3, $4)
         on conflict (booking_id) do update set state = excluded.state, version = excluded.version
         where visit.version < excluded.version",
        visit.booking.uuid(),
        visit.customer.uuid(),
        visit.state.as_str(),
        version,
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
