//! Paying one order by several tenders that come to pass together, or not at all.

pub mod cancel;
pub mod expire;
pub mod read;
pub mod start;

use kernel::{
    Error, Result,
    ids::{CheckoutId, OrderId},
};
use rpc::Ctx;

use super::no_such_order;
use crate::{
    App, db,
    db::payments::Query,
    domain::{CheckoutState, Order, Payment},
    flows::query_pending::ask_now,
};

/// The order that a checkout pays, if the caller may see it.
async fn seen(app: &App, ctx: &Ctx, id: CheckoutId) -> Result<OrderId> {
    let mut conn = app.pg.conn().await?;
    let order = db::checkouts::order_of(&mut conn, id).await?.ok_or_else(|| Error::not_found(id))?;
    let (customer, store) = db::orders::owner(&mut conn, order).await?.ok_or_else(|| no_such_order(order))?;
    ctx.caller.see_own(Some(customer), Some(store))?;
    Ok(order)
}

/// Asks for the last time what became of the charge of an open checkout, and makes it impossible to pay.
///
/// # Errors
/// If the provider can't be reached.
async fn close_charge(app: &App, order: OrderId, id: CheckoutId) -> Result<()> {
    let read = db::orders::get(&mut *app.pg.conn().await?, order).await?.ok_or_else(|| no_such_order(order))?;
    let Some(payment) = charged(&read, id) else { return Ok(()) };
    let (create_time, tender) = (payment.create_time, payment.tender);
    let closed = app.peers.providers.of(tender)?.close_charge(payment.id).await;
    match closed {
        // It is asked about below.
        Err(error) if error.reason() == "ALREADY_PAID" => {}
        closed => closed?,
    }
    // Not every provider can close a charge, and a notice may have been lost.
    ask_now(app, &Query { payment: payment.id, order, tender, create_time, asked: 0 }).await;
    Ok(())
}

/// The payment of an open checkout of which the provider's outcome is waited for.
fn charged(order: &Order, id: CheckoutId) -> Option<&Payment> {
    let open = order.checkout_state(id) == Some(CheckoutState::Open);
    order.together(id).find(|payment| open && payment.is_pending())
}
