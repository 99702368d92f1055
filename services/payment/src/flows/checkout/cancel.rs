//! The payer calls an open checkout off.

use kernel::{Result, ids::CheckoutId};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::Ctx;

use super::{close_charge, seen};
use crate::{
    App,
    flows::{charge::lock, record::record},
    rpc::convert,
};

/// Why the payments failed of a checkout that was called off.
const CHECKOUT_CANCELLED: &str = "CHECKOUT_CANCELLED";

/// Calls a checkout off: first at the provider, then here. What the provider captures after all goes back whole.
///
/// # Errors
/// `NotFound`; `CHECKOUT_CAPTURED`; `Unavailable` if the provider can't be reached.
pub async fn cancel_checkout(app: &App, ctx: Ctx, request: pb::CancelCheckoutRequest) -> Result<pb::Checkout> {
    let id = CheckoutId::parse_name("name", &request.name)?;
    let key = convert::key(&ctx, &request.request_id)?;
    let order = seen(app, &ctx, id).await?;
    if let Some(reply) = idempotency::replay(&mut *app.pg.conn().await?, key, &request).await? {
        return Ok(reply);
    }
    close_charge(app, order, id).await?;
    kernel::crash::point("payment.checkout.charge_closed");

    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let before = lock(&mut tx, order).await?;
    let outcome = before.clone().void_checkout(id, CHECKOUT_CANCELLED)?;
    record(&mut tx, now, ctx.caller.subject(), &before, &outcome).await?;
    let reply = convert::checkout::checkout(&outcome.order, id)?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.checkout.cancelled");
    Ok(reply)
}
