//! Sessions and their refresh tokens.

use kernel::{
    Timestamp, Uuid,
    ids::{MemberId, SessionId, StaffId},
};
use pg::PgConnection;

use super::{count, jiff, sql};
use crate::domain::session::{EndReason, Owner, Shown};

/// Opens a session.
#[tracing::instrument(name = "db.session.insert", skip_all)]
pub async fn insert(
    conn: &mut PgConnection,
    id: SessionId,
    owner: Owner,
    now: Timestamp,
    expire_time: Timestamp,
) -> pg::Result<()> {
    let kind = match owner {
        Owner::Member(_) => "MEMBER",
        Owner::Staff(_) => "STAFF",
    };
    sqlx::query!(
        "insert into session (id, owner_kind, owner_id, create_time, expire_time) values ($1, $2, $3, $4, $5)",
        id.uuid(),
        kind,
        owner.uuid(),
        sql(now) as _,
        sql(expire_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a session its next refresh token, and with it as long a life.
#[tracing::instrument(name = "db.refresh_token.insert", skip_all)]
pub async fn insert_token(
    conn: &mut PgConnection,
    session: SessionId,
    hash: &[u8; 32],
    now: Timestamp,
    expire_time: Timestamp,
) -> pg::Result<()> {
    sqlx::query!(
        "insert into refresh_token (hash, session_id, create_time, expire_time) values ($1, $2, $3, $4)",
        hash.as_slice(),
        session.uuid(),
        sql(now) as _,
        sql(expire_time) as _,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("update session set expire_time = $2 where id = $1", session.uuid(), sql(expire_time) as _)
        .execute(conn)
        .await?;
    Ok(())
}

/// Finds a shown token, and keeps others from using its session until the transaction ends.
#[tracing::instrument(name = "db.refresh_token.lock", skip_all)]
pub async fn lock_by_token(conn: &mut PgConnection, hash: &[u8; 32]) -> pg::Result<Option<Shown>> {
    let session = sqlx::query!(
        "select id, owner_kind, owner_id, end_time from session
         where id = (select session_id from refresh_token where hash = $1) for update",
        hash.as_slice(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(session) = session else { return Ok(None) };
    // Read only now: the token may have been used while this waited for the session.
    let token = sqlx::query!("select expire_time, use_time from refresh_token where hash = $1", hash.as_slice())
        .fetch_one(conn)
        .await?;
    Ok(Some(Shown {
        session: SessionId::from_uuid(session.id),
        owner: owner(session.id, &session.owner_kind, session.owner_id)?,
        ended: session.end_time.is_some(),
        use_time: jiff(token.use_time),
        expire_time: token.expire_time.to_jiff(),
    }))
}

/// Uses a refresh token up.
#[tracing::instrument(name = "db.refresh_token.use", skip_all)]
pub async fn use_token(conn: &mut PgConnection, hash: &[u8; 32], now: Timestamp) -> pg::Result<()> {
    sqlx::query!("update refresh_token set use_time = $2 where hash = $1", hash.as_slice(), sql(now) as _)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends a session and forgets the answers that hold its tokens.
#[tracing::instrument(name = "db.session.end", skip_all)]
pub async fn end(conn: &mut PgConnection, id: SessionId, reason: EndReason, now: Timestamp) -> pg::Result<()> {
    sqlx::query!(
        "update session set end_time = $2, end_reason = $3 where id = $1 and end_time is null",
        id.uuid(),
        sql(now) as _,
        reason.as_str(),
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("delete from sealed_reply where session_id = $1", id.uuid()).execute(conn).await?;
    Ok(())
}

/// Deletes sessions that ended by themselves before `before`, with their tokens and answers.
#[tracing::instrument(name = "db.session.clean", skip_all)]
pub async fn clean(conn: &mut PgConnection, before: Timestamp) -> pg::Result<usize> {
    let done = sqlx::query!("delete from session where expire_time < $1", sql(before) as _).execute(conn).await?;
    Ok(count(done.rows_affected()))
}

fn owner(session: Uuid, kind: &str, id: Uuid) -> pg::Result<Owner> {
    match kind {
        "MEMBER" => Ok(Owner::Member(MemberId::from_uuid(id))),
        "STAFF" => Ok(Owner::Staff(StaffId::from_uuid(id))),
        _ => Err(pg::Error::inconsistent("session", session, "unknown kind of owner")),
    }
}
