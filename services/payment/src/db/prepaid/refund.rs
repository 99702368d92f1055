//! What the end of contracts gave back.

use jiff_sqlx::ToSqlx;
use kernel::{Money, Timestamp, ids::ContractId};
use pg::{PgConnection, Result};

/// A refund as it was decided.
#[derive(Debug, Clone)]
pub struct StoredRefund<'a> {
    /// Of which contract.
    pub contract: ContractId,
    /// Why, a word for programs.
    pub cause: &'a str,
    /// How much.
    pub refund: Money,
    /// Of it, what is above all that was paid.
    pub beyond: Money,
    /// Which state of the law was used.
    pub rules: &'a str,
    /// The quote as it was told, encoded.
    pub quote: Vec<u8>,
}

/// Stores a refund, with its explanation.
#[tracing::instrument(name = "db.prepaid_refund.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, now: Timestamp, of: &StoredRefund<'_>) -> Result<()> {
    sqlx::query!(
        "insert into prepaid_refund (contract_id, cause, refund_minor, beyond_minor, rules, quote, create_time)
         values ($1, $2, $3, $4, $5, $6, $7)",
        of.contract.uuid(),
        of.cause,
        of.refund.minor(),
        of.beyond.minor(),
        of.rules,
        of.quote,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
