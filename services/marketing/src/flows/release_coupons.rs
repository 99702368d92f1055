//! Frees coupons that are kept for quotes of which no booking was heard.

use kernel::{Result, crash};

use super::apply_coupon;
use crate::{App, db};

/// How many coupons one step frees.
pub const BATCH: usize = 100;

/// Frees the coupons that have been kept too long; returns how many that were.
pub async fn release_coupons(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let until = now - app.policy.reservation();
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let forgotten = db::coupon::forgotten(&mut *app.pg.conn().await?, until, limit).await?;
    let mut freed = 0;
    for quote in forgotten {
        let mut tx = app.pg.begin().await?;
        freed += usize::from(apply_coupon::forget(&mut tx, quote, now).await?);
        tx.commit().await?;
        crash::point("marketing.release.committed");
    }
    Ok(freed)
}
