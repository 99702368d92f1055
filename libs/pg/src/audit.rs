//! Who saw or changed what: append-only, chained, verifiable.
//!
//! Entries are written without reference to each other, so that no writer waits for another. A worker calls [`seal`] now
//! and then, which chains what was written since: see [`seal`](crate::seal) for what the chain shows.
//!
//! Triggers refuse any update, delete or truncate of both tables.

use jiff_sqlx::ToSqlx;
use kernel::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Row, postgres::PgRow};

pub use crate::seal::Verdict;
use crate::{
    Result, Tx,
    seal::{self, Place, Sealable, Trail},
};

/// The audit trail of a database.
enum AuditTrail {}

/// Something that somebody did.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Who: `members/<uuid>`, `staff/<uuid>` or `services/<name>`.
    pub actor: String,
    /// What was done, such as `booking.cancel`.
    pub action: String,
    /// The resource name of what it was done to.
    pub target: String,
    /// Facts worth keeping. It can never be erased, so it carries no personal data.
    pub detail: serde_json::Value,
}

/// Records an entry in the transaction of the deed.
#[tracing::instrument(name = "db.audit_entry.record", skip_all, fields(action = entry.action))]
pub async fn record(tx: &mut Tx, now: Timestamp, entry: Entry) -> Result<()> {
    sqlx::query("insert into audit_entry (create_time, actor, action, target, detail) values ($1, $2, $3, $4, $5)")
        .bind(now.to_sqlx())
        .bind(entry.actor)
        .bind(entry.action)
        .bind(entry.target)
        .bind(entry.detail)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Seals what became final since the last seal; returns how many entries that were, up to a few thousand: call again
/// until it is 0. It is 0 at once while another replica seals.
#[tracing::instrument(name = "db.audit_seal.seal", skip_all)]
pub async fn seal(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    let seal = seal::seal::<AuditTrail>(tx, now).await?;
    Ok(seal.map_or(0, |(_, seal)| u64::try_from(seal.rows).unwrap_or(0)))
}

/// Recomputes the whole chain. Entries not sealed yet are not looked at.
pub async fn verify(conn: &mut PgConnection) -> Result<Verdict> {
    seal::verify::<AuditTrail>(conn).await
}

impl Trail for AuditTrail {
    const NAME: &'static str = "audit";
    const SEALS: &'static str = "audit_seal";
    const COUNT: &'static str = "entries";
    const LIMIT: i64 = 5_000;
    /// "audit" in ASCII.
    const LOCK: i64 = 0x61_75_64_69_74;

    async fn after(conn: &mut PgConnection, place: &Place, limit: i64) -> Result<Vec<Sealable>> {
        let rows = sqlx::query(
            "select xid::text as xid, position, create_time, actor, action, target, detail::text as detail
             from audit_entry
             where (xid, position) > ($1::text::xid8, $2) and xid < pg_snapshot_xmin(pg_current_snapshot())
             order by audit_entry.xid, position
             limit $3",
        )
        .bind(&place.xid)
        .bind(place.position)
        .bind(limit)
        .fetch_all(conn)
        .await?;
        rows.iter().map(sealable).collect()
    }
}

fn sealable(row: &PgRow) -> Result<Sealable> {
    let place = Place { xid: row.try_get("xid")?, position: row.try_get("position")? };
    let time = row.try_get::<jiff_sqlx::Timestamp, _>("create_time")?.to_jiff().as_microsecond();
    let mut digest = Sha256::new();
    digest.update(place.position.to_be_bytes());
    digest.update(time.to_be_bytes());
    for column in ["xid", "actor", "action", "target", "detail"] {
        let text: &str = row.try_get(column)?;
        // The length first, so that no text can be moved from one column to the next.
        digest.update(text.len().to_be_bytes());
        digest.update(text);
    }
    Ok(Sealable { place, hash: digest.finalize().into() })
}
