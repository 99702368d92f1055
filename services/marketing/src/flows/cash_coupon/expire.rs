//! Frees coupons of which nobody has decided in time.

use kernel::Result;

use super::decide::expire_one;
use crate::{App, db};

/// How many redemptions one step ends.
pub const BATCH: usize = 100;

/// Frees what nobody has decided by its time; returns how many redemptions were taken up.
///
/// # Errors
/// The first that the database answers.
pub async fn expire_redemptions(app: &App) -> Result<usize> {
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let due = db::cash_coupon::due(&mut *app.pg.conn().await?, app.clock.now(), limit).await?;
    for id in &due {
        expire_one(app, *id).await?;
    }
    Ok(due.len())
}
