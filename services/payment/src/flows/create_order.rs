//! A service makes the order of a visit.

use kernel::{Error, ErrorKind, Result};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::Ctx;

use super::{no_such_order, record::publish};
use crate::{App, db, domain::Order, rpc::convert};

/// Makes an order, or finds the one made before from the same content.
///
/// # Errors
/// `ORDER_EXISTS` if there is one of that id with other content; `InvalidArgument` and `CURRENCY_MISMATCH`.
pub async fn create_order(app: &App, ctx: Ctx, request: pb::CreateOrderRequest) -> Result<pb::Order> {
    let new = convert::new_order(&request)?;
    let key = convert::key(&ctx, &request.request_id)?;
    let now = app.clock.now();
    let outcome = Order::create(new.clone(), now)?;

    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let order = if db::orders::insert(&mut tx, &outcome.order).await? {
        publish(&mut tx, now, &outcome).await?;
        outcome.order
    } else {
        let known = db::orders::get(&mut tx, new.id).await?.ok_or_else(|| no_such_order(new.id))?;
        if !known.is_made_from(&new) {
            let message = "there is an order of this id with other content";
            return Err(Error::new(ErrorKind::AlreadyExists, "ORDER_EXISTS", message).with("order", new.id));
        }
        known
    };
    let reply = convert::order(&order);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.create.committed");
    Ok(reply)
}
