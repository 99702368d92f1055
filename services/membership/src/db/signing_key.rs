//! Keys that sign access tokens.

use kernel::{Timestamp, Uuid};
use pg::PgConnection;
use rpc::token::PublicKey;

use super::{jiff, sql};
use crate::domain::signing_key::KeyLife;

/// Whoever makes or retires keys takes this advisory lock ("keys" in ASCII).
const LOCK: i64 = 0x6b_65_79_73;

/// The private half of a key as it is stored.
#[derive(Debug, Clone)]
pub struct SealedKey {
    /// The owner of its key in the vault.
    pub id: Uuid,
    /// The sealed seed.
    pub sealed: Vec<u8>,
}

/// Keeps others from making or retiring keys until the transaction ends.
#[tracing::instrument(name = "db.signing_key.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection) -> pg::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock($1)", LOCK).fetch_one(conn).await?;
    Ok(())
}

/// Stores a new key.
#[tracing::instrument(name = "db.signing_key.insert", skip_all)]
pub async fn insert(
    conn: &mut PgConnection,
    key: &KeyLife,
    public: &[u8],
    private: &SealedKey,
    now: Timestamp,
) -> pg::Result<()> {
    sqlx::query!(
        "insert into signing_key (kid, id, public_key, sealed_private_key, create_time, activate_time)
         values ($1, $2, $3, $4, $5, $6)",
        key.kid,
        private.id,
        public,
        private.sealed,
        sql(now) as _,
        sql(key.activate_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The key that signs at `now`.
#[tracing::instrument(name = "db.signing_key.signing", skip_all)]
pub async fn signing(conn: &mut PgConnection, now: Timestamp) -> pg::Result<Option<SealedKey>> {
    let row = sqlx::query!(
        r#"select id, sealed_private_key as "sealed!" from signing_key
           where activate_time <= $1 and sealed_private_key is not null order by activate_time desc limit 1"#,
        sql(now) as _,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| SealedKey { id: row.id, sealed: row.sealed }))
}

/// The key made last.
#[tracing::instrument(name = "db.signing_key.newest", skip_all)]
pub async fn newest(conn: &mut PgConnection) -> pg::Result<Option<KeyLife>> {
    let row =
        sqlx::query!("select kid, activate_time, retire_time from signing_key order by activate_time desc limit 1",)
            .fetch_optional(conn)
            .await?;
    Ok(row.map(|row| KeyLife {
        kid: row.kid,
        activate_time: row.activate_time.to_jiff(),
        retire_time: jiff(row.retire_time),
    }))
}

/// Says from when on the tokens of a key are refused.
#[tracing::instrument(name = "db.signing_key.retire", skip_all)]
pub async fn retire(conn: &mut PgConnection, kid: &str, retire_time: Timestamp) -> pg::Result<()> {
    sqlx::query!("update signing_key set retire_time = $2 where kid = $1", kid, sql(retire_time) as _)
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets the private halves of retired keys; returns their ids.
#[tracing::instrument(name = "db.signing_key.erase", skip_all)]
pub async fn erase_retired(conn: &mut PgConnection, now: Timestamp) -> pg::Result<Vec<Uuid>> {
    let ids = sqlx::query_scalar!(
        "update signing_key set sealed_private_key = null
         where retire_time <= $1 and sealed_private_key is not null returning id",
        sql(now) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids)
}

/// The public halves of all keys whose tokens may still be out, the newest first.
#[tracing::instrument(name = "db.signing_key.published", skip_all)]
pub async fn published(conn: &mut PgConnection, now: Timestamp) -> pg::Result<Vec<(String, PublicKey)>> {
    let rows = sqlx::query!(
        "select kid, public_key from signing_key where retire_time is null or retire_time > $1
         order by activate_time desc",
        sql(now) as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((row.kid.clone(), public_key(&row.kid, row.public_key)?))).collect()
}

/// The public half of one of them.
#[tracing::instrument(name = "db.signing_key.find", skip_all)]
pub async fn find(conn: &mut PgConnection, kid: &str, now: Timestamp) -> pg::Result<Option<PublicKey>> {
    let bytes = sqlx::query_scalar!(
        "select public_key from signing_key where kid = $1 and (retire_time is null or retire_time > $2)",
        kid,
        sql(now) as _,
    )
    .fetch_optional(conn)
    .await?;
    bytes.map(|bytes| public_key(kid, bytes)).transpose()
}

fn public_key(kid: &str, bytes: Vec<u8>) -> pg::Result<PublicKey> {
    let bytes = bytes.try_into().map_err(|_| pg::Error::inconsistent("signing_key", kid, "its key is too short"))?;
    Ok(PublicKey::from_bytes(bytes))
}
