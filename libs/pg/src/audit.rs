//! Who saw or changed what: append-only, chained, verifiable.
//!
//! Entries are written without reference to each other, so that no writer waits for another. A worker calls [`seal`] now
//! and then: it hashes the entries that have become final since, in commit order, into the next link of a chain. A
//! changed, removed or slipped-in entry breaks its seal; a changed seal breaks the next. Only the removal of the newest
//! seals can't be seen from within, so every seal's hash also goes to the log, which leaves the machine.
//!
//! Triggers refuse any update, delete or truncate of both tables.

use jiff_sqlx::ToSqlx;
use kernel::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Row, postgres::PgRow};

use crate::{Result, Tx};

/// How many entries one seal covers at most.
const SEAL_LIMIT: i64 = 5_000;

/// The sealers of one database exclude each other by this advisory lock ("audit" in ASCII).
const SEALER_LOCK: i64 = 0x61_75_64_69_74;

type Hash = [u8; 32];

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

/// The outcome of [`verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing sealed was changed.
    Intact {
        /// How many seals there are.
        seals: i64,
        /// How many entries they cover.
        entries: i64,
        /// The hash of the newest seal, to compare with the log.
        head: Hash,
    },
    /// Something was changed.
    Broken {
        /// The first seal that does not hold.
        seal: i64,
        /// What is wrong there.
        what: &'static str,
    },
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
    let alone: bool =
        sqlx::query_scalar("select pg_try_advisory_xact_lock($1)").bind(SEALER_LOCK).fetch_one(&mut **tx).await?;
    if !alone {
        return Ok(0);
    }
    let previous = last_seal(tx).await?;
    let fresh = entries_after(tx, &previous.until, SEAL_LIMIT).await?;
    let Some(last) = fresh.last() else { return Ok(0) };
    let hash = chain(&previous.hash, &fresh);
    let number = previous.number + 1;
    sqlx::query(
        "insert into audit_seal (number, until_xid, until_position, entries, hash, create_time)
         values ($1, $2::text::xid8, $3, $4, $5, $6)",
    )
    .bind(number)
    .bind(&last.place.xid)
    .bind(last.place.position)
    .bind(i64::try_from(fresh.len()).unwrap_or(i64::MAX))
    .bind(hash.as_slice())
    .bind(now.to_sqlx())
    .execute(&mut **tx)
    .await?;
    tracing::info!(seal = number, entries = fresh.len(), hash = hex(&hash), "audit trail sealed");
    Ok(u64::try_from(fresh.len()).unwrap_or(u64::MAX))
}

/// Recomputes the whole chain. Entries not sealed yet are not looked at.
pub async fn verify(conn: &mut PgConnection) -> Result<Verdict> {
    let mut previous = Seal::default();
    let mut entries = 0;
    loop {
        let Some(next) = seal_after(conn, previous.number).await? else {
            return Ok(Verdict::Intact { seals: previous.number, entries, head: previous.hash });
        };
        let broken = |what| Ok(Verdict::Broken { seal: next.number, what });
        if next.number != previous.number + 1 {
            return broken("the seal before it is missing");
        }
        // One more than it claims, so that a slipped-in entry shows.
        let covered: Vec<_> = entries_after(conn, &previous.until, next.entries + 1)
            .await?
            .into_iter()
            .filter(|entry| entry.place.key() <= next.until.key())
            .collect();
        if i64::try_from(covered.len()) != Ok(next.entries) {
            return broken("an entry was removed or slipped in");
        }
        if chain(&previous.hash, &covered) != next.hash {
            return broken("an entry or a seal was changed");
        }
        entries += next.entries;
        previous = next;
    }
}

/// Where an entry stands. sqlx has no type for xid8: it travels as text.
#[derive(Debug, Clone)]
struct Place {
    xid: String,
    position: i64,
}

impl Place {
    /// What places are compared by: transaction ids are decimal numbers without leading zeros.
    fn key(&self) -> (usize, &str, i64) {
        (self.xid.len(), &self.xid, self.position)
    }
}

struct Seal {
    number: i64,
    until: Place,
    entries: i64,
    hash: Hash,
}

impl Default for Seal {
    /// What comes before the first seal.
    fn default() -> Self {
        Self { number: 0, until: Place { xid: "0".to_owned(), position: 0 }, entries: 0, hash: [0; 32] }
    }
}

struct Sealable {
    place: Place,
    hash: Hash,
}

fn chain(previous: &Hash, entries: &[Sealable]) -> Hash {
    entries
        .iter()
        .fold(Sha256::new().chain_update(previous), |digest, entry| digest.chain_update(entry.hash))
        .finalize()
        .into()
}

async fn last_seal(conn: &mut PgConnection) -> Result<Seal> {
    let row = sqlx::query(
        "select number, until_xid::text as until_xid, until_position, entries, hash
         from audit_seal order by number desc limit 1",
    )
    .fetch_optional(conn)
    .await?;
    row.as_ref().map_or_else(|| Ok(Seal::default()), read_seal)
}

async fn seal_after(conn: &mut PgConnection, number: i64) -> Result<Option<Seal>> {
    let row = sqlx::query(
        "select number, until_xid::text as until_xid, until_position, entries, hash
         from audit_seal where number > $1 order by number limit 1",
    )
    .bind(number)
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(read_seal).transpose()
}

fn read_seal(row: &PgRow) -> Result<Seal> {
    Ok(Seal {
        number: row.try_get("number")?,
        until: Place { xid: row.try_get("until_xid")?, position: row.try_get("until_position")? },
        entries: row.try_get("entries")?,
        hash: row.try_get("hash")?,
    })
}

/// The final entries after `place`, in commit order (see [`outbox`](crate::outbox) for what final means).
async fn entries_after(conn: &mut PgConnection, place: &Place, limit: i64) -> Result<Vec<Sealable>> {
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

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
