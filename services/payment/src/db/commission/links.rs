//! Which member of staff a therapist is.

use jiff_sqlx::ToSqlx;
use kernel::{
    Timestamp,
    ids::{StaffId, TherapistId},
};
use pg::{PgConnection, Result};

/// Notes which member of staff a therapist is; what was noted of either before is forgotten.
#[tracing::instrument(name = "db.therapist_link.put", skip_all)]
pub async fn link(conn: &mut PgConnection, therapist: TherapistId, staff: StaffId, now: Timestamp) -> Result<()> {
    // Linking is rare: one at a time keeps two that cross from waiting for each other.
    sqlx::query!("lock table therapist_link in share row exclusive mode").execute(&mut *conn).await?;
    sqlx::query!("delete from therapist_link where therapist_id = $1 or staff_id = $2", therapist.uuid(), staff.uuid())
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "insert into therapist_link (therapist_id, staff_id, link_time) values ($1, $2, $3)",
        therapist.uuid(),
        staff.uuid(),
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The therapist that a member of staff is, if anybody has said so.
#[tracing::instrument(name = "db.therapist_link.therapist_of", skip_all)]
pub async fn therapist_of(conn: &mut PgConnection, staff: StaffId) -> Result<Option<TherapistId>> {
    let id = sqlx::query_scalar!("select therapist_id from therapist_link where staff_id = $1", staff.uuid());
    Ok(id.fetch_optional(conn).await?.map(TherapistId::from_uuid))
}
