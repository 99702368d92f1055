//! What was booked on a card, money and bonus side by side.

use kernel::{
    Currency, Timestamp, Uuid,
    ids::{CardId, LedgerTransactionId, OrderId, StoreId},
};
use pg::{PgConnection, Result};

use super::super::money;
use crate::domain::stored_value::Value;

/// A transaction of the ledger, as a card sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub transaction: LedgerTransactionId,
    /// When it was booked.
    pub time: Timestamp,
    /// Why.
    pub kind: String,
    /// The order that it is of.
    pub order: Option<OrderId>,
    /// Where it happened.
    pub store: StoreId,
    /// What it has added; below zero for what it has taken.
    pub change: Value,
}

/// What a card has by all transactions before `until`: ids are in the order of their times.
#[tracing::instrument(name = "db.stored_value_statement.sum", skip_all)]
pub async fn sum(conn: &mut PgConnection, card: CardId, currency: Currency, until: Uuid) -> Result<Value> {
    let row = sqlx::query!(
        r#"select coalesce(-sum(amount_minor) filter (where account = 'stored_value_principal'), 0)::bigint as "principal!",
                  coalesce(-sum(amount_minor) filter (where account = 'stored_value_bonus'), 0)::bigint as "bonus!"
           from ledger_entry
           where party = $1 and account in ('stored_value_principal', 'stored_value_bonus') and currency = $2
             and transaction_id < $3"#,
        card.name(),
        currency.code(),
        until,
    );
    let (row, money) = (row.fetch_one(conn).await?, money(currency));
    Ok(Value { principal: money(row.principal), bonus: money(row.bonus) })
}

/// The same with the transaction `through`.
///
/// # Errors
/// Those of the database.
pub async fn sum_through(conn: &mut PgConnection, card: CardId, currency: Currency, through: Uuid) -> Result<Value> {
    sum(conn, card, currency, Uuid::from_u128(through.as_u128().saturating_add(1))).await
}

/// What was booked on a card in the transactions from `from` on, after `after` and before `until`, the oldest first, `limit`
/// at most.
#[tracing::instrument(name = "db.stored_value_statement.lines", skip_all)]
pub async fn lines(
    conn: &mut PgConnection,
    card: CardId,
    currency: Currency,
    (from, after, until): (Uuid, Uuid, Uuid),
    limit: i64,
) -> Result<Vec<Line>> {
    let rows = sqlx::query!(
        r#"select entry.transaction_id, booked.create_time, booked.kind, booked.order_id, entry.store_id,
                  coalesce(-sum(entry.amount_minor) filter (where entry.account = 'stored_value_principal'), 0)::bigint
                      as "principal!",
                  coalesce(-sum(entry.amount_minor) filter (where entry.account = 'stored_value_bonus'), 0)::bigint
                      as "bonus!"
           from ledger_entry as entry join ledger_transaction as booked on booked.id = entry.transaction_id
           where entry.party = $1 and entry.account in ('stored_value_principal', 'stored_value_bonus')
             and entry.currency = $2 and entry.transaction_id >= $3 and entry.transaction_id > $4
             and entry.transaction_id < $5
           group by entry.transaction_id, booked.create_time, booked.kind, booked.order_id, entry.store_id
           order by entry.transaction_id
           limit $6"#,
        card.name(),
        currency.code(),
        from,
        after,
        until,
        limit,
    );
    let money = money(currency);
    let lines = rows.fetch_all(conn).await?.into_iter().map(|row| Line {
        transaction: LedgerTransactionId::from_uuid(row.transaction_id),
        time: row.create_time.to_jiff(),
        kind: row.kind,
        order: row.order_id.map(OrderId::from_uuid),
        store: StoreId::from_uuid(row.store_id),
        change: Value { principal: money(row.principal), bonus: money(row.bonus) },
    });
    Ok(lines.collect())
}
