//! A service ends an order.

use kernel::{Error, Result, ids::OrderId};
use pg::idempotency::{self, Begin};
use proto::payment::v1::{self as pb, close_order_request::Refund as Wanted};
use rpc::{Ctx, convert::money};

use super::{no_such_order, record::record};
use crate::{
    App, db,
    domain::{Keep, Order, State, Subject},
    rpc::convert,
};

/// Ends an order and decides what goes back. An order that has ended stays as it is.
///
/// # Errors
/// `NotFound`; `InvalidArgument` or `CURRENCY_MISMATCH` for an amount that can't be kept; `TOP_UP_PAID` or `CONTRACT_PAID` for
/// what is paid ahead: the end of a card or contract gives back what the law says.
pub async fn close_order(app: &App, ctx: Ctx, request: pb::CloseOrderRequest) -> Result<pb::Order> {
    let id = OrderId::parse_name("name", &request.name)?;
    let key = convert::key(&ctx, &request.request_id)?;
    let keep = match &request.refund {
        Some(Wanted::RefundAll(true)) => Keep::Nothing,
        Some(Wanted::KeepAmount(amount)) => Keep::UpTo(money("keep_amount", Some(amount))?),
        Some(Wanted::RefundAll(false)) | None => {
            return Err(Error::invalid("refund_all", "must be true, or give keep_amount"));
        }
    };
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let before = db::orders::lock(&mut tx, id).await?.ok_or_else(|| no_such_order(id))?;
    must_be_closable(&before)?;
    let outcome = before.clone().close(keep, &request.reason, now)?;
    record(&mut tx, now, ctx.caller.subject(), &before, &outcome).await?;
    let reply = convert::order(&outcome.order);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.close.committed");
    app.wake_refunds();
    Ok(reply)
}

/// A top-up that is paid is given back with its card, by what the law says of it.
fn must_be_closable(order: &Order) -> Result<()> {
    match (order.subject, &order.state) {
        (Subject::TopUp(card), State::Paid) => {
            let message =
                "the order is of a top-up that is paid; give the card back, which gives back what the law says";
            Err(Error::precondition("TOP_UP_PAID", message).with("card", card))
        }
        _ => Ok(()),
    }
}
