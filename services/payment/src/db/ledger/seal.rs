//! Sealing the ledger in commit order, and rolling balances up behind it.

use std::collections::HashMap;

use kernel::{Timestamp, Uuid};
use pg::{
    Error, PgConnection, Result, Tx,
    seal::{self, Place, Seal, Sealable, Trail, Verdict},
};
use sqlx::Row;

use crate::domain::ledger::{Record, RecordEntry};

/// How many transactions one seal covers at most.
pub const SEAL_LIMIT: i64 = 1_000;

/// The ledger's chain.
enum LedgerTrail {}

impl Trail for LedgerTrail {
    const NAME: &'static str = "ledger";
    const SEALS: &'static str = "ledger_seal";
    const COUNT: &'static str = "transactions";
    const LIMIT: i64 = SEAL_LIMIT;
    /// "ledger" in ASCII.
    const LOCK: i64 = 0x6c_65_64_67_65_72;

    async fn after(conn: &mut PgConnection, place: &Place, limit: i64) -> Result<Vec<Sealable>> {
        let records = records(conn, place, limit).await?;
        let sealable = |record: Record| Sealable { hash: record.hash(), place: place_of(&record) };
        Ok(records.into_iter().map(sealable).collect())
    }
}

/// Where a record stands.
pub fn place_of(record: &Record) -> Place {
    Place { xid: record.xid.to_string(), position: record.position }
}

/// Seals the transactions that became final since the last seal and adds them to the balances that are rolled up; returns
/// how many that were, up to [`SEAL_LIMIT`]: call again until it is 0. It is 0 at once while another replica seals.
#[tracing::instrument(name = "db.ledger_seal.seal", skip_all)]
pub async fn seal(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    let Some((previous, seal)) = seal::seal::<LedgerTrail>(tx, now).await? else { return Ok(0) };
    roll_up(tx, &previous.until, &seal.until).await?;
    Ok(u64::try_from(seal.rows).unwrap_or(0))
}

async fn roll_up(conn: &mut PgConnection, after: &Place, until: &Place) -> Result<()> {
    sqlx::query!(
        "insert into ledger_rollup as known (account, store_id, currency, debits_minor, credits_minor)
         select entry.account, entry.store_id, entry.currency,
                coalesce(sum(entry.amount_minor) filter (where entry.amount_minor > 0), 0)::bigint,
                coalesce(-sum(entry.amount_minor) filter (where entry.amount_minor < 0), 0)::bigint
         from ledger_transaction as booked join ledger_entry as entry on entry.transaction_id = booked.id
         where (booked.xid, booked.position) > ($1::text::xid8, $2)
           and (booked.xid, booked.position) <= ($3::text::xid8, $4)
         group by entry.account, entry.store_id, entry.currency
         on conflict (account, store_id, currency) do update
         set debits_minor = known.debits_minor + excluded.debits_minor,
             credits_minor = known.credits_minor + excluded.credits_minor",
        after.xid,
        after.position,
        until.xid,
        until.position,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Recomputes the whole chain. What is not sealed yet is not looked at.
#[tracing::instrument(name = "db.ledger_seal.verify", skip_all)]
pub async fn verify(conn: &mut PgConnection) -> Result<Verdict> {
    seal::verify::<LedgerTrail>(conn).await
}

/// Recomputes up to `limit` links after the seal of a number, which is taken to be right. `None` if there is no such seal.
#[tracing::instrument(name = "db.ledger_seal.verify", skip_all)]
pub async fn verify_after(conn: &mut PgConnection, number: i64, limit: i64) -> Result<Option<Verdict>> {
    let trusted = match number {
        0 => Seal::default(),
        _ => match seal::read::<LedgerTrail>(conn, number - 1).await? {
            Some(seal) if seal.number == number => seal,
            _ => return Ok(None),
        },
    };
    Ok(Some(seal::verify_after::<LedgerTrail>(conn, &trusted, limit).await?))
}

/// The newest seal.
#[tracing::instrument(name = "db.ledger_seal.last", skip_all)]
pub async fn last_seal(conn: &mut PgConnection) -> Result<Seal> {
    seal::last::<LedgerTrail>(conn).await
}

/// The seals that end after one place and up to another, in order.
#[tracing::instrument(name = "db.ledger_seal.between", skip_all)]
pub async fn seals_between(conn: &mut PgConnection, after: &Place, until: &Place) -> Result<Vec<Seal>> {
    let rows = sqlx::query(
        "select number, until_xid::text as until_xid, until_position, transactions, hash from ledger_seal
         where (until_xid, until_position) > ($1::text::xid8, $2)
           and (until_xid, until_position) <= ($3::text::xid8, $4)
         order by number",
    )
    .bind(&after.xid)
    .bind(after.position)
    .bind(&until.xid)
    .bind(until.position)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Seal {
                number: row.try_get("number")?,
                until: Place { xid: row.try_get("until_xid")?, position: row.try_get("until_position")? },
                rows: row.try_get("transactions")?,
                hash: row.try_get("hash")?,
            })
        })
        .collect()
}

/// The final transactions after `place` with their entries, in commit order, `limit` at most.
#[tracing::instrument(name = "db.ledger_transaction.records", skip_all)]
pub async fn records(conn: &mut PgConnection, place: &Place, limit: i64) -> Result<Vec<Record>> {
    let booked = sqlx::query!(
        r#"select xid::text as "xid!", position, id, kind, source_id, order_id, create_time
           from ledger_transaction
           where (xid, position) > ($1::text::xid8, $2) and xid < pg_snapshot_xmin(pg_current_snapshot())
           order by ledger_transaction.xid, position
           limit $3"#,
        place.xid,
        place.position,
        limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<Uuid> = booked.iter().map(|row| row.id).collect();
    let mut entries = entries_of(conn, &ids).await?;
    booked
        .into_iter()
        .map(|row| {
            Ok(Record {
                xid: row.xid.parse().map_err(|_| Error::inconsistent("ledger_transaction", row.id, "has no xid"))?,
                position: row.position,
                id: row.id,
                kind: row.kind,
                source: row.source_id,
                order: row.order_id,
                create_time: row.create_time.to_jiff(),
                entries: entries.remove(&row.id).unwrap_or_default(),
            })
        })
        .collect()
}

/// The entries of transactions, each in the order of its positions.
async fn entries_of(conn: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<RecordEntry>>> {
    let rows = sqlx::query!(
        "select transaction_id, position, account, store_id, party, currency, amount_minor from ledger_entry
         where transaction_id = any($1) order by transaction_id, position",
        ids,
    )
    .fetch_all(conn)
    .await?;
    let mut entries: HashMap<Uuid, Vec<RecordEntry>> = HashMap::with_capacity(ids.len());
    for row in rows {
        entries.entry(row.transaction_id).or_default().push(RecordEntry {
            position: row.position,
            account: row.account,
            store: row.store_id,
            party: row.party,
            currency: row.currency,
            amount_minor: row.amount_minor,
        });
    }
    Ok(entries)
}
