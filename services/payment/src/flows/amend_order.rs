//! A service adds to an order, or makes it cheaper.

use kernel::{Result, ids::OrderId};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::Ctx;

use super::{no_such_order, record::record};
use crate::{App, db, rpc::convert};

/// Adds a line to an order, or finds it there if it was added before.
///
/// # Errors
/// `NotFound`; `ORDER_CLOSED`; `AMENDMENT_EXISTS`; `InvalidArgument` or `CURRENCY_MISMATCH` for an amount that can't be
/// added.
pub async fn amend_order(app: &App, ctx: Ctx, request: pb::AmendOrderRequest) -> Result<pb::Order> {
    let id = OrderId::parse_name("name", &request.name)?;
    let added = convert::amendment(&request)?;
    let key = convert::key(&ctx, &request.request_id)?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let before = db::orders::lock(&mut tx, id).await?.ok_or_else(|| no_such_order(id))?;
    let outcome = before.clone().amend(added, now)?;
    record(&mut tx, now, ctx.caller.subject(), &before, &outcome).await?;
    let reply = convert::order(&outcome.order);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.amend.committed");
    Ok(reply)
}
