//! The ledger. Rows are only ever added; triggers see to that and to the balance of each transaction.

use jiff_sqlx::ToSqlx;
use kernel::{
    Money, Timestamp,
    ids::{LedgerTransactionId, OrderId},
};
use pg::{PgConnection, Result};

use super::currency;
use crate::domain::ledger::Transaction;

/// Books a transaction of an order.
#[tracing::instrument(name = "db.ledger_transaction.post", skip_all, fields(kind = transaction.kind().as_str()))]
pub async fn post(conn: &mut PgConnection, now: Timestamp, order: OrderId, transaction: &Transaction) -> Result<()> {
    let id = LedgerTransactionId::new(now);
    let entries = transaction.entries();
    let positions: Vec<i32> = (0_i32..).zip(entries).map(|(position, _)| position).collect();
    let accounts: Vec<String> = entries.iter().map(|entry| entry.account.code().to_owned()).collect();
    let currencies: Vec<String> = entries.iter().map(|entry| entry.amount.currency().code().to_owned()).collect();
    let amounts: Vec<i64> = entries.iter().map(|entry| entry.amount.minor()).collect();
    sqlx::query!(
        "with booked as (
             insert into ledger_transaction (id, order_id, kind, source_id, currency, create_time)
             values ($1, $2, $3, $4, ($7::text[])[1], $5)
             returning id
         )
         insert into ledger_entry (transaction_id, position, account, currency, amount_minor)
         select booked.id, entry.position, entry.account, entry.currency, entry.amount_minor
         from booked, unnest($6::integer[], $8::text[], $7::text[], $9::bigint[])
                          as entry (position, account, currency, amount_minor)",
        id.uuid(),
        order.uuid(),
        transaction.kind().as_str(),
        transaction.source(),
        now.to_sqlx() as _,
        &positions,
        &currencies,
        &accounts,
        &amounts,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The balance of an account in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// The account.
    pub account: String,
    /// Debits less credits.
    pub amount: Money,
}

/// The balances after the account and currency `after`, by account and then currency, `limit` at most. An account
/// without entries has none.
#[tracing::instrument(name = "db.ledger_entry.balances", skip_all)]
pub async fn balances(conn: &mut PgConnection, after: Option<(&str, &str)>, limit: i64) -> Result<Vec<Balance>> {
    let (account, code) = after.unzip();
    let rows = sqlx::query!(
        r#"select account, currency, sum(amount_minor)::bigint as "sum!"
           from ledger_entry
           where $1::text is null or (account, currency) > ($1, $2)
           group by account, currency
           order by account, currency
           limit $3"#,
        account,
        code,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let currency = currency("ledger_entry", &row.account, &row.currency)?;
            Ok(Balance { account: row.account, amount: Money::new(row.sum, currency) })
        })
        .collect()
}
