//! Answers kept for repeated requests, sealed.

use kernel::{Timestamp, Uuid, ids::SessionId};
use pg::PgConnection;

use super::sql;

/// An answer as it is stored.
#[derive(Debug, Clone)]
pub struct SealedReply {
    /// The keyed digest of method and request.
    pub fingerprint: Vec<u8>,
    /// Under whose key it is sealed.
    pub owner: Uuid,
    /// The sealed answer.
    pub sealed: Vec<u8>,
}

/// The answer given before.
#[tracing::instrument(name = "db.sealed_reply.get", skip_all)]
pub async fn get(conn: &mut PgConnection, caller: &str, request_id: Uuid) -> pg::Result<Option<SealedReply>> {
    let row = sqlx::query!(
        "select fingerprint, owner_id, sealed_reply from sealed_reply where caller = $1 and request_id = $2",
        caller,
        request_id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| SealedReply { fingerprint: row.fingerprint, owner: row.owner_id, sealed: row.sealed_reply }))
}

/// Stores an answer; it goes with its session. False if the request id is known.
#[tracing::instrument(name = "db.sealed_reply.insert", skip_all)]
pub async fn insert(
    conn: &mut PgConnection,
    caller: &str,
    request_id: Uuid,
    reply: &SealedReply,
    session: Option<SessionId>,
    now: Timestamp,
) -> pg::Result<bool> {
    let done = sqlx::query!(
        "insert into sealed_reply (caller, request_id, fingerprint, owner_id, session_id, sealed_reply, create_time)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        caller,
        request_id,
        reply.fingerprint,
        reply.owner,
        session.map(SessionId::uuid),
        reply.sealed,
        sql(now) as _,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
