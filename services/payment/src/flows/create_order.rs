//! An order is made: of a visit by a service, of what is paid ahead by this one.

use kernel::{Error, ErrorKind, Result, Timestamp};
use pg::{
    Tx,
    idempotency::{self, Begin},
};
use proto::payment::v1 as pb;
use rpc::Ctx;

use super::{no_such_order, record::publish};
use crate::{
    App, db,
    domain::{NewOrder, Order},
    rpc::convert,
};

/// Makes an order, or finds the one made before from the same content.
///
/// # Errors
/// `ORDER_EXISTS` if there is one of that id with other content; `InvalidArgument` and `CURRENCY_MISMATCH`.
pub async fn create_order(app: &App, ctx: Ctx, request: pb::CreateOrderRequest) -> Result<pb::Order> {
    let new = convert::new_order(&request)?;
    let key = convert::key(&ctx, &request.request_id)?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let reply = convert::order(&create_in_tx(&mut tx, now, new).await?);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.create.committed");
    Ok(reply)
}

/// Makes an order in the caller's transaction, or finds the one made before from the same content: for whatever is paid
/// ahead, together with the card or contract that it is for.
///
/// # Errors
/// As [`create_order`].
pub async fn create_in_tx(tx: &mut Tx, now: Timestamp, new: NewOrder) -> Result<Order> {
    let outcome = Order::create(new.clone(), now)?;
    if db::orders::insert(tx, &outcome.order).await? {
        publish(tx, now, &outcome).await?;
        return Ok(outcome.order);
    }
    let known = db::orders::get(tx, new.id).await?.ok_or_else(|| no_such_order(new.id))?;
    if !known.is_made_from(&new) {
        let message = "there is an order of this id with other content";
        return Err(Error::new(ErrorKind::AlreadyExists, "ORDER_EXISTS", message).with("order", new.id));
    }
    Ok(known)
}
