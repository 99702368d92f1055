//! Members and points.

use pg::PgConnection;

use super::{sql, store_uuid};
use crate::domain::fact::{MemberFact, PointsFact};

/// Stores a registration.
#[tracing::instrument(name = "db.fact_member.insert", skip_all)]
pub async fn insert_member(conn: &mut PgConnection, fact: &MemberFact) -> pg::Result<()> {
    sqlx::query!(
        "insert into fact_member (member, store_id, register_time) values ($1::bytea, $2, $3)
         on conflict (member) do nothing",
        fact.member.bytes(),
        store_uuid(fact.store),
        sql(fact.register_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores a change of points.
#[tracing::instrument(name = "db.fact_points.insert", skip_all)]
pub async fn insert_points(conn: &mut PgConnection, fact: &PointsFact) -> pg::Result<()> {
    sqlx::query!(
        "insert into fact_points (event_id, member, store_id, change, points, change_time)
         values ($1, $2::bytea, $3, $4, $5, $6)
         on conflict (event_id) do nothing",
        fact.event.uuid(),
        fact.member.bytes(),
        store_uuid(fact.store),
        fact.change.as_str(),
        fact.points,
        sql(fact.change_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
