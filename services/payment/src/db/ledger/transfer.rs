//! Transfers in two phases.

use std::collections::BTreeMap;

use jiff_sqlx::ToSqlx;
use kernel::{
    Error as Refusal, Timestamp, Uuid,
    ids::{LedgerTransactionId, LedgerTransferId, OrderId},
};
use pg::{Error, PgConnection, Result};

use super::{
    Columns, EntryRow,
    balance::{self, Change},
    post,
};
use crate::domain::ledger::{Kind, OwedKey, Transaction, Transfer, TransferState};

/// Stores pending transfers, and sets aside what they take from checked accounts.
///
/// # Errors
/// `ALREADY_RESERVED` (`AlreadyExists`) if there is one of the same id, or kind and source; `INSUFFICIENT_BALANCE` if less
/// is available. After either nothing must be committed.
#[tracing::instrument(name = "db.ledger_transfer.reserve", skip_all, fields(count = transfers.len()))]
pub async fn reserve(conn: &mut PgConnection, transfers: &[Transfer]) -> Result<()> {
    let mut changes = BTreeMap::new();
    for transfer in transfers {
        insert(conn, transfer).await?;
        balance::add(&mut changes, taken(&transfer.transaction)?, |minor| Change { posted: 0, reserved: -minor })?;
    }
    balance::apply(conn, changes).await
}

/// What a transaction takes away from checked accounts; below zero.
fn taken(transaction: &Transaction) -> Result<BTreeMap<OwedKey, i64>> {
    Ok(transaction.owed()?.into_iter().filter(|(_, minor)| *minor < 0).collect())
}

async fn insert(conn: &mut PgConnection, transfer: &Transfer) -> Result<()> {
    let transaction = &transfer.transaction;
    let mut entries = Columns::default();
    entries.push(transfer.id.uuid(), transaction.entries());
    let inserted = sqlx::query!(
        "with made as (
             insert into ledger_transfer (id, order_id, kind, source_id, state, create_time, expire_time)
             values ($1, $2, $3, $4, 'pending', $5, $6)
             on conflict do nothing
             returning id
         )
         insert into ledger_transfer_entry (transfer_id, position, account, store_id, party, currency, amount_minor)
         select made.id, entry.*
         from made, unnest($7::integer[], $8::text[], $9::uuid[], $10::text[], $11::text[], $12::bigint[]) as entry",
        transfer.id.uuid(),
        transaction.order().map(OrderId::uuid),
        transaction.kind().as_str(),
        transaction.source(),
        transfer.create_time.to_sqlx() as _,
        transfer.expire_time.to_sqlx() as _,
        &entries.positions,
        &entries.accounts,
        &entries.stores,
        &entries.parties as _,
        &entries.currencies,
        &entries.amounts,
    )
    .execute(conn)
    .await?;
    if inserted.rows_affected() == 0 {
        let message = "money was set aside for this already";
        let refusal = Refusal::new(kernel::ErrorKind::AlreadyExists, "ALREADY_RESERVED", message);
        return Err(refusal.with("transfer", transfer.id).into());
    }
    Ok(())
}

/// Books what was set aside. Those that are booked already stay so; the ids of the transactions booked now are returned.
///
/// # Errors
/// `NotFound`; `TRANSFER_VOIDED` or `TRANSFER_EXPIRED` (`FailedPrecondition`), the latter also if its time is over and
/// nobody has noted so yet. After any of them nothing must be committed.
#[tracing::instrument(name = "db.ledger_transfer.commit", skip_all, fields(count = ids.len()))]
pub async fn commit(
    conn: &mut PgConnection,
    now: Timestamp,
    ids: &[LedgerTransferId],
) -> Result<Vec<LedgerTransactionId>> {
    let decided = decide(conn, now, ids, Decision::Post).await?;
    let mut changes = BTreeMap::new();
    for transaction in &decided {
        balance::add(&mut changes, transaction.owed()?, |minor| Change { posted: minor, reserved: 0 })?;
        balance::add(&mut changes, taken(transaction)?, |minor| Change { posted: 0, reserved: minor })?;
    }
    let booked = post::insert(conn, now, &decided).await?;
    balance::apply(conn, changes).await?;
    Ok(booked)
}

/// Calls transfers off: what they have set aside is available again. Those that have come to nothing already stay so.
///
/// # Errors
/// `NotFound`; `TRANSFER_POSTED` (`FailedPrecondition`). After either nothing must be committed.
#[tracing::instrument(name = "db.ledger_transfer.void", skip_all, fields(count = ids.len()))]
pub async fn void(conn: &mut PgConnection, now: Timestamp, ids: &[LedgerTransferId]) -> Result<()> {
    let decided = decide(conn, now, ids, Decision::Void).await?;
    release(conn, &decided).await
}

/// Lets up to `limit` transfers expire whose time is over; returns how many.
#[tracing::instrument(name = "db.ledger_transfer.expire_due", skip_all)]
pub async fn expire_due(conn: &mut PgConnection, now: Timestamp, limit: i64) -> Result<usize> {
    let due = sqlx::query_scalar!(
        "select id from ledger_transfer where state = 'pending' and expire_time <= $1
         order by expire_time, id limit $2 for update skip locked",
        now.to_sqlx() as _,
        limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<LedgerTransferId> = due.into_iter().map(LedgerTransferId::from_uuid).collect();
    let decided = decide(conn, now, &ids, Decision::Expire).await?;
    release(conn, &decided).await?;
    Ok(decided.len())
}

async fn release(conn: &mut PgConnection, decided: &[Transaction]) -> Result<()> {
    let mut changes = BTreeMap::new();
    for transaction in decided {
        balance::add(&mut changes, taken(transaction)?, |minor| Change { posted: 0, reserved: minor })?;
    }
    balance::apply(conn, changes).await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Post,
    Void,
    Expire,
}

impl Decision {
    /// What the transfer becomes.
    fn state(self, now: Timestamp) -> TransferState {
        match self {
            Self::Post => TransferState::Posted(now),
            Self::Void => TransferState::Voided(now),
            Self::Expire => TransferState::Expired(now),
        }
    }

    /// Whether it is fulfilled by what the transfer is already.
    ///
    /// # Errors
    /// If that is the opposite of it.
    fn is_met(self, transfer: &Transfer, now: Timestamp) -> Result<bool> {
        let refusal =
            |reason, message| Error::from(Refusal::precondition(reason, message).with("transfer", transfer.id));
        match (self, transfer.state) {
            (Self::Post, TransferState::Pending) if transfer.expire_time <= now => {
                Err(refusal("TRANSFER_EXPIRED", "the time in which this could come to pass is over"))
            }
            (_, TransferState::Pending) => Ok(false),
            (Self::Post, TransferState::Posted(_)) => Ok(true),
            (Self::Post, TransferState::Voided(_)) => Err(refusal("TRANSFER_VOIDED", "this was called off")),
            (Self::Post, TransferState::Expired(_)) => {
                Err(refusal("TRANSFER_EXPIRED", "the time in which this could come to pass is over"))
            }
            (Self::Void | Self::Expire, TransferState::Posted(_)) => {
                Err(refusal("TRANSFER_POSTED", "this has come to pass already"))
            }
            (Self::Void | Self::Expire, TransferState::Voided(_) | TransferState::Expired(_)) => Ok(true),
        }
    }
}

/// Decides transfers, in the order of their ids; returns the transactions of those that were not decided before.
async fn decide(
    conn: &mut PgConnection,
    now: Timestamp,
    ids: &[LedgerTransferId],
    decision: Decision,
) -> Result<Vec<Transaction>> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let mut decided = Vec::new();
    for id in ids {
        let Some(transfer) = lock(conn, id).await? else { return Err(Refusal::not_found(id).into()) };
        if decision.is_met(&transfer, now)? {
            continue;
        }
        let state = decision.state(now);
        sqlx::query!(
            "update ledger_transfer set state = $2, decide_time = $3 where id = $1 and state = 'pending'",
            id.uuid(),
            state.as_str(),
            now.to_sqlx() as _,
        )
        .execute(&mut *conn)
        .await?;
        decided.push(transfer.transaction);
    }
    Ok(decided)
}

async fn lock(conn: &mut PgConnection, id: LedgerTransferId) -> Result<Option<Transfer>> {
    // Read by a statement of its own after the lock: only that one sees what the holder before us has committed.
    sqlx::query!("select id from ledger_transfer where id = $1 for update", id.uuid())
        .fetch_optional(&mut *conn)
        .await?;
    get(conn, id).await
}

/// Reads a transfer. `None` if there is none of that id.
#[tracing::instrument(name = "db.ledger_transfer.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: LedgerTransferId) -> Result<Option<Transfer>> {
    let row = sqlx::query!(
        "select order_id, kind, source_id, state, create_time, expire_time, decide_time
         from ledger_transfer where id = $1",
        id.uuid(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let entries = sqlx::query_as!(
        EntryRow,
        "select account, store_id, party, currency, amount_minor from ledger_transfer_entry
         where transfer_id = $1 order by position",
        id.uuid(),
    )
    .fetch_all(conn)
    .await?;
    let unknown = |what: &str| Error::inconsistent("ledger_transfer", id, format!("has the {what}"));
    let entries = entries.into_iter().map(|entry| entry.read("ledger_transfer_entry", id)).collect::<Result<_>>()?;
    let kind = Kind::from_stored(&row.kind).ok_or_else(|| unknown(&format!("kind {}", row.kind)))?;
    let transaction = Transaction::try_new(kind, row.source_id, entries)?;
    let order = row.order_id.map(|id: Uuid| OrderId::from_uuid(id));
    let decide_time = row.decide_time.map(jiff_sqlx::Timestamp::to_jiff);
    Ok(Some(Transfer {
        id,
        transaction: match order {
            Some(order) => transaction.of_order(order),
            None => transaction,
        },
        create_time: row.create_time.to_jiff(),
        expire_time: row.expire_time.to_jiff(),
        state: TransferState::from_stored(&row.state, decide_time).ok_or_else(|| unknown("state of no decision"))?,
    }))
}
