//! The worker ends checkouts whose time is over.

use kernel::{
    Result,
    ids::{CheckoutId, OrderId},
};

use super::close_charge;
use crate::{
    App, db,
    domain::CheckoutState,
    flows::{charge::lock, record::record},
};

/// Why the payments failed of a checkout whose time was over.
const CHECKOUT_EXPIRED: &str = "CHECKOUT_EXPIRED";

/// How many checkouts one step takes on.
pub const BATCH: usize = 20;

/// Ends open checkouts whose time is over, so that nothing stays set aside for ever. Returns how many it took on.
///
/// # Errors
/// The first that the database answers, after all were tried. The provider's failures hold nothing up: what it captures
/// after all goes back whole.
pub async fn expire_checkouts(app: &App) -> Result<usize> {
    let batch = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let due = db::checkouts::due(&mut *app.pg.conn().await?, app.clock.now(), batch).await?;
    let mut failed = None;
    for (checkout, order) in &due {
        // One that can't be ended must not hold up those behind it, time after time.
        if let Err(error) = expire(app, *checkout, *order).await {
            failed.get_or_insert(error);
        }
    }
    failed.map_or(Ok(due.len()), Err)
}

async fn expire(app: &App, id: CheckoutId, order: OrderId) -> Result<()> {
    if let Err(error) = close_charge(app, order, id).await {
        tracing::warn!(checkout = %id, error = error.chain(), "a charge can't be closed whose checkout is over");
    }
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let before = lock(&mut tx, order).await?;
    // It may have come to pass meanwhile.
    if before.checkout_state(id) == Some(CheckoutState::Open) {
        let outcome = before.clone().void_checkout(id, CHECKOUT_EXPIRED)?;
        record(&mut tx, now, "services/payment", &before, &outcome).await?;
    }
    tx.commit().await?;
    kernel::crash::point("payment.checkout.expired");
    app.wake_refunds();
    Ok(())
}
