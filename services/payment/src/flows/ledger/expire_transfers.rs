//! The worker lets transfers expire that nobody has decided in time.

use kernel::Result;

use crate::{App, db};

/// How many transfers one step takes on.
pub const BATCH: usize = 100;

/// Lets transfers expire whose time is over, so that what they have set aside is available again. Returns how many.
///
/// # Errors
/// Those of the database.
pub async fn expire_transfers(app: &App) -> Result<usize> {
    let batch = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let mut tx = app.pg.begin().await?;
    let expired = db::ledger::expire_due(&mut tx, app.clock.now(), batch).await?;
    tx.commit().await?;
    Ok(expired)
}
