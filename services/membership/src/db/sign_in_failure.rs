//! Sign-ins that failed.

use kernel::{Timestamp, ids::uuid_v7};
use pg::PgConnection;

use super::{count, sql};

/// How many sign-ins with a name failed after `since`.
#[tracing::instrument(name = "db.sign_in_failure.count", skip_all)]
pub async fn failures(conn: &mut PgConnection, name_index: &[u8; 32], since: Timestamp) -> pg::Result<i64> {
    let failures = sqlx::query_scalar!(
        r#"select count(*) as "count!" from sign_in_failure where user_name_index = $1 and create_time > $2"#,
        name_index.as_slice(),
        sql(since) as _,
    )
    .fetch_one(conn)
    .await?;
    Ok(failures)
}

/// Counts a failure.
#[tracing::instrument(name = "db.sign_in_failure.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, name_index: &[u8; 32], now: Timestamp) -> pg::Result<()> {
    sqlx::query!(
        "insert into sign_in_failure (id, user_name_index, create_time) values ($1, $2, $3)",
        uuid_v7(now),
        name_index.as_slice(),
        sql(now) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets the failures of a name, after a sign-in that succeeded.
#[tracing::instrument(name = "db.sign_in_failure.forget", skip_all)]
pub async fn forget(conn: &mut PgConnection, name_index: &[u8; 32]) -> pg::Result<()> {
    sqlx::query!("delete from sign_in_failure where user_name_index = $1", name_index.as_slice()).execute(conn).await?;
    Ok(())
}

/// Deletes failures before `before`.
#[tracing::instrument(name = "db.sign_in_failure.clean", skip_all)]
pub async fn clean(conn: &mut PgConnection, before: Timestamp) -> pg::Result<usize> {
    let done =
        sqlx::query!("delete from sign_in_failure where create_time < $1", sql(before) as _).execute(conn).await?;
    Ok(count(done.rows_affected()))
}
