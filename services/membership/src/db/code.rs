//! One-time codes.

use kernel::{Timestamp, Uuid};
use pg::PgConnection;

use super::{count, jiff, sql};
use crate::domain::code::Code;

/// The code that a request asked for, and the blind index of its phone.
#[tracing::instrument(name = "db.one_time_code.by_request", skip_all)]
pub async fn by_request(conn: &mut PgConnection, request_id: Uuid) -> pg::Result<Option<(Code, Vec<u8>)>> {
    let row = sqlx::query!(
        "select id, salt, expire_time, send_time, use_time, try_count, phone_index from one_time_code
         where request_id = $1",
        request_id,
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let code = Code {
        id: row.id,
        salt: salt(row.id, row.salt)?,
        expire_time: row.expire_time.to_jiff(),
        send_time: jiff(row.send_time),
        use_time: jiff(row.use_time),
        try_count: row.try_count,
    };
    Ok(Some((code, row.phone_index)))
}

/// The newest code of a phone that was sent. The caller holds the phone's lock.
#[tracing::instrument(name = "db.one_time_code.newest", skip_all)]
pub async fn newest(conn: &mut PgConnection, phone_index: &[u8; 32]) -> pg::Result<Option<Code>> {
    let row = sqlx::query!(
        "select id, salt, expire_time, send_time, use_time, try_count from one_time_code
         where phone_index = $1 and send_time is not null order by create_time desc, id desc limit 1",
        phone_index.as_slice(),
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Code {
        id: row.id,
        salt: salt(row.id, row.salt)?,
        expire_time: row.expire_time.to_jiff(),
        send_time: jiff(row.send_time),
        use_time: jiff(row.use_time),
        try_count: row.try_count,
    }))
}

/// When codes were asked for, for a phone, after `since`.
#[tracing::instrument(name = "db.one_time_code.times", skip_all)]
pub async fn times(conn: &mut PgConnection, phone_index: &[u8; 32], since: Timestamp) -> pg::Result<Vec<Timestamp>> {
    let times = sqlx::query_scalar!(
        "select create_time from one_time_code where phone_index = $1 and create_time > $2",
        phone_index.as_slice(),
        sql(since) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(times.into_iter().map(jiff_sqlx::Timestamp::to_jiff).collect())
}

/// Stores a code that is yet to be sent. False if the request id is known.
#[tracing::instrument(name = "db.one_time_code.insert", skip_all)]
pub async fn insert(
    conn: &mut PgConnection,
    code: &Code,
    request_id: Uuid,
    phone_index: &[u8; 32],
    now: Timestamp,
) -> pg::Result<bool> {
    let done = sqlx::query!(
        "insert into one_time_code (id, request_id, phone_index, salt, create_time, expire_time)
         values ($1, $2, $3, $4, $5, $6) on conflict (request_id) do nothing",
        code.id,
        request_id,
        phone_index.as_slice(),
        code.salt.as_slice(),
        sql(now) as _,
        sql(code.expire_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets a code that was never sent run from anew.
#[tracing::instrument(name = "db.one_time_code.renew", skip_all)]
pub async fn renew(conn: &mut PgConnection, id: Uuid, expire_time: Timestamp) -> pg::Result<()> {
    sqlx::query!(
        "update one_time_code set expire_time = $2 where id = $1 and send_time is null",
        id,
        sql(expire_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The message service has taken the code. Returns until when it is good.
#[tracing::instrument(name = "db.one_time_code.sent", skip_all)]
pub async fn sent(conn: &mut PgConnection, id: Uuid, now: Timestamp) -> pg::Result<Timestamp> {
    let expire_time = sqlx::query_scalar!(
        "update one_time_code set send_time = coalesce(send_time, $2) where id = $1 returning expire_time",
        id,
        sql(now) as _,
    )
    .fetch_one(conn)
    .await?;
    Ok(expire_time.to_jiff())
}

/// Counts a try in vain.
#[tracing::instrument(name = "db.one_time_code.failed", skip_all)]
pub async fn failed(conn: &mut PgConnection, id: Uuid) -> pg::Result<()> {
    sqlx::query!("update one_time_code set try_count = try_count + 1 where id = $1", id).execute(conn).await?;
    Ok(())
}

/// Uses a code up.
#[tracing::instrument(name = "db.one_time_code.used", skip_all)]
pub async fn used(conn: &mut PgConnection, id: Uuid, now: Timestamp) -> pg::Result<()> {
    let used =
        sqlx::query!("update one_time_code set use_time = $2 where id = $1 and use_time is null", id, sql(now) as _,)
            .execute(conn)
            .await?;
    if used.rows_affected() != 1 {
        return Err(pg::Error::inconsistent("one_time_code", id, "was used although its phone was locked"));
    }
    Ok(())
}

/// Deletes codes that were asked for before `before`.
#[tracing::instrument(name = "db.one_time_code.clean", skip_all)]
pub async fn clean(conn: &mut PgConnection, before: Timestamp) -> pg::Result<usize> {
    let done = sqlx::query!("delete from one_time_code where create_time < $1", sql(before) as _).execute(conn).await?;
    Ok(count(done.rows_affected()))
}

fn salt(id: Uuid, bytes: Vec<u8>) -> pg::Result<[u8; 32]> {
    bytes.try_into().map_err(|_| pg::Error::inconsistent("one_time_code", id, "its salt is too short"))
}
