//! Balances.

use kernel::{Money, ids::StoreId};
use pg::{PgConnection, Result};

use super::{currency, read_account};
use crate::domain::ledger::{Account, OwedKey};

/// The balance of an account in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// The account.
    pub account: String,
    /// Debits less credits.
    pub amount: Money,
}

/// The balances over all stores after the account and currency `after`, by account and then currency, `limit` at most. An
/// account without entries has none.
///
/// A balance is what is rolled up of the sealed entries, and the entries since: one statement sees both as of one moment.
#[tracing::instrument(name = "db.ledger_entry.balances", skip_all)]
pub async fn balances(conn: &mut PgConnection, after: Option<(&str, &str)>, limit: i64) -> Result<Vec<Balance>> {
    let (account, code) = after.unzip();
    let rows = sqlx::query!(
        r#"with sealed as (select until_xid, until_position from ledger_seal order by number desc limit 1),
         known as (
             select account, currency, debits_minor - credits_minor as amount_minor from ledger_rollup
             union all
             select entry.account, entry.currency, entry.amount_minor
             from ledger_transaction as booked join ledger_entry as entry on entry.transaction_id = booked.id
             where (booked.xid, booked.position)
                 > (coalesce((select until_xid from sealed), '0'), coalesce((select until_position from sealed), 0))
         )
         select account as "account!", currency as "currency!", sum(amount_minor)::bigint as "sum!"
         from known
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

/// The balances of every account and currency in which anything was booked at a store; `None` is all stores together.
#[tracing::instrument(name = "db.ledger_entry.balances_at", skip_all)]
pub async fn balances_at(conn: &mut PgConnection, store: Option<StoreId>) -> Result<Vec<(Account, Money)>> {
    let rows = sqlx::query!(
        r#"with sealed as (select until_xid, until_position from ledger_seal order by number desc limit 1),
         known as (
             select account, store_id, currency, debits_minor - credits_minor as amount_minor from ledger_rollup
             union all
             select entry.account, entry.store_id, entry.currency, entry.amount_minor
             from ledger_transaction as booked join ledger_entry as entry on entry.transaction_id = booked.id
             where (booked.xid, booked.position)
                 > (coalesce((select until_xid from sealed), '0'), coalesce((select until_position from sealed), 0))
         )
         select account as "account!", currency as "currency!", sum(amount_minor)::bigint as "sum!"
         from known
         where $1::uuid is null or store_id = $1
         group by account, currency
         order by account, currency"#,
        store.map(StoreId::uuid),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let account = read_account("ledger_entry", &row.account, &row.account)?;
            Ok((account, Money::new(row.sum, currency("ledger_entry", &row.account, &row.currency)?)))
        })
        .collect()
}

/// What a party of a checked account is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed {
    /// All of it.
    pub posted: Money,
    /// What of it pending transfers would take.
    pub reserved: Money,
}

impl Owed {
    /// What can be taken; never below zero.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`.
    pub fn available(&self) -> kernel::Result<Money> {
        self.posted.try_sub(self.reserved)
    }
}

/// What a party of a checked account is owed, over all stores; nothing if nothing was ever posted.
#[tracing::instrument(name = "db.ledger_balance.owed", skip_all)]
pub async fn owed(conn: &mut PgConnection, key: &OwedKey) -> Result<Owed> {
    let row = sqlx::query!(
        "select posted_minor, reserved_minor from ledger_balance where account = $1 and party = $2 and currency = $3",
        key.account.code(),
        key.party.name(),
        key.currency.code(),
    )
    .fetch_optional(conn)
    .await?;
    let (posted, reserved) = row.map_or((0, 0), |row| (row.posted_minor, row.reserved_minor));
    Ok(Owed { posted: Money::new(posted, key.currency), reserved: Money::new(reserved, key.currency) })
}
