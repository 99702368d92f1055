//! Waiting in line for things that may have no row yet.

use pg::PgConnection;

/// Keeps others with the same digest waiting until the transaction ends. Two digests that begin alike share a line,
/// which costs time and nothing else.
#[tracing::instrument(name = "db.lock.digest", skip_all)]
pub async fn digest(conn: &mut PgConnection, digest: &[u8; 32]) -> pg::Result<()> {
    let key = digest.iter().take(8).fold(0_i64, |key, byte| key << 8 | i64::from(*byte));
    sqlx::query!("select pg_advisory_xact_lock($1)", key).fetch_one(conn).await?;
    Ok(())
}
