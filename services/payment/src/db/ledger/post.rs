//! Booking transactions.

use std::collections::BTreeMap;

use jiff_sqlx::ToSqlx;
use kernel::{
    Error as Refusal, ErrorKind, Timestamp,
    ids::{LedgerTransactionId, OrderId},
};
use pg::{Error, PgConnection, Result};

use super::{
    Columns,
    balance::{self, Change},
};
use crate::domain::ledger::{OwedKey, Transaction};

/// Books a transaction.
///
/// # Errors
/// As [`post_all`].
pub async fn post(conn: &mut PgConnection, now: Timestamp, transaction: &Transaction) -> Result<LedgerTransactionId> {
    let ids = post_all(conn, now, std::slice::from_ref(transaction)).await?;
    ids.first().copied().ok_or_else(|| Error::inconsistent("ledger_transaction", transaction.source(), "has no id"))
}

/// Books several transactions, which become final together with the caller's own changes; returns their ids.
///
/// # Errors
/// After any of them nothing must be committed.
/// * `ALREADY_POSTED` (`AlreadyExists`): one of them is booked already. A flow that is repeated finds its own effect before
///   it comes here.
/// * `INSUFFICIENT_BALANCE` (`FailedPrecondition`): a checked account has less available than is taken from it; `account`,
///   `party` and `currency` are told.
/// * `DAY_CLOSED` (`Aborted`): `now` is in a day that was cut off meanwhile; try again, with the time of then.
#[tracing::instrument(name = "db.ledger_transaction.post", skip_all, fields(count = transactions.len()))]
pub async fn post_all(
    conn: &mut PgConnection,
    now: Timestamp,
    transactions: &[Transaction],
) -> Result<Vec<LedgerTransactionId>> {
    let ids = insert(conn, now, transactions).await?;
    let mut changes: BTreeMap<OwedKey, Change> = BTreeMap::new();
    for transaction in transactions {
        balance::add(&mut changes, transaction.owed()?, |minor| Change { posted: minor, reserved: 0 })?;
    }
    balance::apply(conn, changes).await?;
    Ok(ids)
}

/// Stores transactions with their entries, and leaves balances alone.
pub(super) async fn insert(
    conn: &mut PgConnection,
    now: Timestamp,
    transactions: &[Transaction],
) -> Result<Vec<LedgerTransactionId>> {
    if transactions.is_empty() {
        return Ok(Vec::new());
    }
    let (mut ids, mut orders, mut kinds, mut sources) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut entries = Columns::default();
    for transaction in transactions {
        let id = LedgerTransactionId::new(now);
        ids.push(id.uuid());
        orders.push(transaction.order().map(OrderId::uuid));
        kinds.push(transaction.kind().as_str().to_owned());
        sources.push(transaction.source());
        entries.push(id.uuid(), transaction.entries());
    }
    let inserted = sqlx::query!(
        "with booked as (
             insert into ledger_transaction (id, order_id, kind, source_id, create_time)
             select new.*, $5 from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[]) as new
             on conflict (kind, source_id) do nothing
             returning id
         )
         insert into ledger_entry (transaction_id, position, account, store_id, party, currency, amount_minor)
         select entry.*
         from unnest($6::uuid[], $7::integer[], $8::text[], $9::uuid[], $10::text[], $11::text[], $12::bigint[])
                  as entry (transaction_id, position, account, store_id, party, currency, amount_minor)
              join booked on booked.id = entry.transaction_id",
        &ids,
        &orders as _,
        &kinds,
        &sources,
        now.to_sqlx() as _,
        &entries.owners,
        &entries.positions,
        &entries.accounts,
        &entries.stores,
        &entries.parties as _,
        &entries.currencies,
        &entries.amounts,
    )
    .execute(conn)
    .await
    .map_err(|error| refused(error.into()))?;
    if usize::try_from(inserted.rows_affected()) != Ok(entries.owners.len()) {
        let message = "this is booked already";
        return Err(Refusal::new(ErrorKind::AlreadyExists, "ALREADY_POSTED", message).into());
    }
    Ok(ids.into_iter().map(LedgerTransactionId::from_uuid).collect())
}

fn refused(error: Error) -> Error {
    if error.is_constraint("ledger_day_open") {
        return Refusal::aborted("DAY_CLOSED", "the day was closed meanwhile; try again").into();
    }
    error
}
