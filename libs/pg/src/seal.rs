//! Chaining rows that are only ever added, without any writer waiting for another.
//!
//! Rows are written without reference to each other; each carries its transaction's id and a position (see
//! [`outbox`](crate::outbox) for why). A sealer hashes those that have become final since the last time, in the order of
//! `(xid, position)`, into the next link of a chain:
//!
//! ```text
//! hash of seal n = SHA-256(hash of seal n-1 ‖ hash of its first row ‖ … ‖ hash of its last row)      hash of seal 0 = 32 zeros
//! ```
//!
//! A changed, removed or slipped-in row breaks its seal; a changed seal breaks the next. Only the removal of the newest
//! seals can't be seen from within, so every seal's hash also goes to the log, which leaves the machine.

use std::future::Future;

use jiff_sqlx::ToSqlx;
use kernel::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, PgConnection, Row, postgres::PgRow};

use crate::{Result, Tx};

/// What a row or a seal hashes to.
pub type Hash = [u8; 32];

/// Rows that are sealed. The table of seals has the columns `number`, `until_xid`, `until_position`, the count named
/// by [`COUNT`](Self::COUNT), `hash` and `create_time`.
pub trait Trail: Send {
    /// What the log calls it.
    const NAME: &'static str;
    /// The table of seals.
    const SEALS: &'static str;
    /// Its column for how many rows a seal covers.
    const COUNT: &'static str;
    /// How many rows one seal covers at most.
    const LIMIT: i64;
    /// The advisory lock by which the sealers of one database exclude each other.
    const LOCK: i64;

    /// Up to `limit` final rows after `place`, in order: those below the oldest transaction that is still running.
    fn after(conn: &mut PgConnection, place: &Place, limit: i64) -> impl Future<Output = Result<Vec<Sealable>>> + Send;
}

/// Where a row stands. sqlx has no type for xid8: it travels as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The transaction's id, a decimal number.
    pub xid: String,
    /// Among the rows of all transactions.
    pub position: i64,
}

impl Default for Place {
    /// Before the first row.
    fn default() -> Self {
        Self { xid: "0".to_owned(), position: 0 }
    }
}

impl Place {
    /// What places are compared by: transaction ids are decimal numbers without leading zeros.
    fn key(&self) -> (usize, &str, i64) {
        (self.xid.len(), &self.xid, self.position)
    }
}

/// A row that can be sealed.
#[derive(Debug, Clone)]
pub struct Sealable {
    /// Where it stands.
    pub place: Place,
    /// What it hashes to.
    pub hash: Hash,
}

/// A link of the chain. The default is what comes before the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seal {
    /// Counts from 1.
    pub number: i64,
    /// The last row that it covers; its first is the next after the last of the seal before.
    pub until: Place,
    /// How many rows it covers.
    pub rows: i64,
    /// Its hash.
    pub hash: Hash,
}

/// The outcome of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing that was looked at was changed.
    Intact {
        /// How many seals were looked at.
        seals: i64,
        /// How many rows they cover.
        entries: i64,
        /// The last of them, to compare with the log.
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

/// Seals what became final since the last seal, up to the limit of the trail; returns the last seal and the new one.
/// `None` if there is nothing to seal, or while another replica does.
pub async fn seal<T: Trail>(tx: &mut Tx, now: Timestamp) -> Result<Option<(Seal, Seal)>> {
    let alone: bool =
        sqlx::query_scalar("select pg_try_advisory_xact_lock($1)").bind(T::LOCK).fetch_one(&mut **tx).await?;
    if !alone {
        return Ok(None);
    }
    let previous = last::<T>(tx).await?;
    let fresh = T::after(tx, &previous.until, T::LIMIT).await?;
    let Some(newest) = fresh.last() else { return Ok(None) };
    let seal = Seal {
        number: previous.number + 1,
        until: newest.place.clone(),
        rows: i64::try_from(fresh.len()).unwrap_or(i64::MAX),
        hash: chain(&previous.hash, &fresh),
    };
    let insert = format!(
        "insert into {} (number, until_xid, until_position, {}, hash, create_time)
         values ($1, $2::text::xid8, $3, $4, $5, $6)",
        T::SEALS,
        T::COUNT
    );
    sqlx::query(AssertSqlSafe(insert))
        .bind(seal.number)
        .bind(&seal.until.xid)
        .bind(seal.until.position)
        .bind(seal.rows)
        .bind(seal.hash.as_slice())
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    tracing::info!(trail = T::NAME, seal = seal.number, rows = seal.rows, hash = hex(&seal.hash), "trail sealed");
    Ok(Some((previous, seal)))
}

/// Recomputes the whole chain. Rows that are not sealed yet are not looked at.
pub async fn verify<T: Trail>(conn: &mut PgConnection) -> Result<Verdict> {
    verify_after::<T>(conn, &Seal::default(), i64::MAX).await
}

/// Recomputes up to `limit` links after one that is taken to be right.
pub async fn verify_after<T: Trail>(conn: &mut PgConnection, trusted: &Seal, limit: i64) -> Result<Verdict> {
    let mut previous = trusted.clone();
    let mut rows = 0;
    for seals in 0..limit {
        let Some(next) = read::<T>(conn, previous.number).await? else {
            return Ok(Verdict::Intact { seals, entries: rows, head: previous.hash });
        };
        let broken = |what| Ok(Verdict::Broken { seal: next.number, what });
        if next.number != previous.number + 1 {
            return broken("the seal before it is missing");
        }
        // One more than it claims, so that a slipped-in row shows.
        let covered: Vec<_> = T::after(conn, &previous.until, next.rows.saturating_add(1))
            .await?
            .into_iter()
            .filter(|row| row.place.key() <= next.until.key())
            .collect();
        if i64::try_from(covered.len()) != Ok(next.rows) {
            return broken("an entry was removed or slipped in");
        }
        if chain(&previous.hash, &covered) != next.hash {
            return broken("an entry or a seal was changed");
        }
        rows += next.rows;
        previous = next;
    }
    Ok(Verdict::Intact { seals: limit, entries: rows, head: previous.hash })
}

/// The newest seal.
pub async fn last<T: Trail>(conn: &mut PgConnection) -> Result<Seal> {
    Ok(some::<T>(conn, 0, "desc").await?.unwrap_or_default())
}

/// The first seal after that of a number.
pub async fn read<T: Trail>(conn: &mut PgConnection, after: i64) -> Result<Option<Seal>> {
    some::<T>(conn, after, "asc").await
}

async fn some<T: Trail>(conn: &mut PgConnection, after: i64, direction: &str) -> Result<Option<Seal>> {
    let select = format!(
        "select number, until_xid::text as until_xid, until_position, {} as rows, hash
         from {} where number > $1 order by number {direction} limit 1",
        T::COUNT,
        T::SEALS
    );
    let row = sqlx::query(AssertSqlSafe(select)).bind(after).fetch_optional(conn).await?;
    row.as_ref().map(stored).transpose()
}

fn stored(row: &PgRow) -> Result<Seal> {
    Ok(Seal {
        number: row.try_get("number")?,
        until: Place { xid: row.try_get("until_xid")?, position: row.try_get("until_position")? },
        rows: row.try_get("rows")?,
        hash: row.try_get("hash")?,
    })
}

fn chain(previous: &Hash, rows: &[Sealable]) -> Hash {
    rows.iter()
        .fold(Sha256::new().chain_update(previous), |digest, row| digest.chain_update(row.hash))
        .finalize()
        .into()
}

/// A hash as people compare it.
pub fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
