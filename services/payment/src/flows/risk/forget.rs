//! What no rule looks back to any more is forgotten.

use kernel::Result;

use crate::{App, db, domain::risk::MAX_WINDOW};

/// How many are forgotten at a time.
pub const BATCH: usize = 1_000;

/// Forgets what was counted longer ago than any rule looks back. Returns how much.
///
/// # Errors
/// Those of the database.
pub async fn forget_risk_events(app: &App) -> Result<usize> {
    let before = app.clock.now() - MAX_WINDOW;
    let batch = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let forgotten = db::risk::forget_events(&mut *app.pg.conn().await?, before, batch).await?;
    Ok(usize::try_from(forgotten).unwrap_or(usize::MAX))
}
