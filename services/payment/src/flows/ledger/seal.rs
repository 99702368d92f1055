//! The worker seals what was booked, and rolls balances up behind it.

use kernel::Result;

use crate::{App, db};

/// How many transactions one step takes on.
pub const BATCH: usize = db::ledger::SEAL_LIMIT as usize;

/// Seals the transactions that became final since the last time, and returns how many: call again until it is 0. No
/// posting waits for it, and it waits for none.
///
/// # Errors
/// Those of the database.
pub async fn seal_ledger(app: &App) -> Result<usize> {
    let mut tx = app.pg.begin().await?;
    let sealed = db::ledger::seal(&mut tx, app.clock.now()).await?;
    tx.commit().await?;
    if sealed > 0 {
        kernel::crash::point("payment.ledger.sealed");
    }
    Ok(usize::try_from(sealed).unwrap_or(usize::MAX))
}
