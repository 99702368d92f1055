//! What parties of checked accounts are owed.

use std::collections::BTreeMap;

use kernel::{Error as Refusal, ErrorKind};
use pg::{Error, PgConnection, Result};

use crate::domain::ledger::OwedKey;

/// What is added to a balance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// To what is owed.
    pub posted: i64,
    /// To what of it is set aside.
    pub reserved: i64,
}

/// Adds what `of` makes of each amount owed to the changes of the same keys.
pub(super) fn add(
    changes: &mut BTreeMap<OwedKey, Change>,
    owed: BTreeMap<OwedKey, i64>,
    of: impl Fn(i64) -> Change,
) -> Result<()> {
    let overflow =
        || Error::from(Refusal::new(ErrorKind::InvalidArgument, "AMOUNT_OVERFLOW", "the amount is too large"));
    for (key, minor) in owed {
        let (change, more) = (changes.entry(key).or_default(), of(minor));
        change.posted = change.posted.checked_add(more.posted).ok_or_else(overflow)?;
        change.reserved = change.reserved.checked_add(more.reserved).ok_or_else(overflow)?;
    }
    Ok(())
}

/// Makes the changes in the order of their keys, which is the order in which everybody locks these rows.
///
/// # Errors
/// `INSUFFICIENT_BALANCE` if less than nothing would be available.
pub(super) async fn apply(conn: &mut PgConnection, changes: BTreeMap<OwedKey, Change>) -> Result<()> {
    for (key, change) in changes {
        match change {
            Change { posted: 0, reserved: 0 } => {}
            Change { posted, reserved: 0 } if posted > 0 => raise(conn, &key, posted).await?,
            _ => lower(conn, &key, change).await?,
        }
    }
    Ok(())
}

async fn raise(conn: &mut PgConnection, key: &OwedKey, posted: i64) -> Result<()> {
    sqlx::query!(
        "insert into ledger_balance as known (account, party, currency, posted_minor, reserved_minor)
         values ($1, $2, $3, $4, 0)
         on conflict (account, party, currency) do update set posted_minor = known.posted_minor + $4",
        key.account.code(),
        key.party.name(),
        key.currency.code(),
        posted,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The condition is looked at again once the row is ours, on what the holder before us has left of it.
async fn lower(conn: &mut PgConnection, key: &OwedKey, change: Change) -> Result<()> {
    let lowered = sqlx::query!(
        "update ledger_balance
         set posted_minor = posted_minor + $4, reserved_minor = reserved_minor + $5
         where account = $1 and party = $2 and currency = $3
           and posted_minor + $4 - (reserved_minor + $5) >= 0",
        key.account.code(),
        key.party.name(),
        key.currency.code(),
        change.posted,
        change.reserved,
    )
    .execute(conn)
    .await?;
    if lowered.rows_affected() == 1 {
        return Ok(());
    }
    let refusal = Refusal::precondition("INSUFFICIENT_BALANCE", "there is not enough left to take that much")
        .with("account", key.account.code())
        .with("party", key.party.name())
        .with("currency", key.currency);
    Err(refusal.into())
}
