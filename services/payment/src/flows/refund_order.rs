//! Staff give something back of an order that goes on, or look what that would come to.

use kernel::{
    Error, ErrorKind, Result,
    ids::{OrderId, OrderReturnId},
};
use pg::{
    audit::{self, Entry},
    idempotency::{self, Begin},
};
use proto::payment::v1 as pb;
use rpc::Ctx;
use serde_json::json;

use super::{charge::lock, no_such_order, record::record};
use crate::{
    App, db,
    domain::order::{Plan, Return},
    rpc::convert,
};

/// Gives back all, an amount or lines of a visit's order. Providers are told by the worker.
///
/// # Errors
/// As [`Order::plan_refund`](crate::domain::Order::plan_refund); `NOT_A_VISIT`; `REFUND_OF_REFUND`; `NotFound`;
/// `PermissionDenied` for staff of another store.
pub async fn refund_order(app: &App, ctx: Ctx, request: pb::RefundOrderRequest) -> Result<pb::OrderReturn> {
    let id = read_name(&request.name)?;
    let wanted = convert::giving_back::give_back(request.what.as_ref().map(Into::into))?;
    let key = convert::key(&ctx, &request.request_id)?;
    seen(app, &ctx, id).await?;
    let classes = app.policy.refund_classes();
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let before = lock(&mut tx, id).await?;
    before.subject.must_give_back()?;
    let cause = OrderReturnId::derive(key.request_id, &format!("refund of {} by {}", id.uuid(), key.caller));
    let outcome = before.clone().give_back(cause, &wanted, &classes, &request.reason, now)?;
    record(&mut tx, now, key.caller, &before, &outcome).await?;
    let made = outcome.order.returns.last().ok_or_else(|| Error::internal(format!("{cause} is not of {id}")))?;
    audit::record(&mut tx, now, audit_entry(key.caller, id, made)).await?;
    let reply = convert::giving_back::order_return(&outcome.order, made);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.give_back.committed");
    app.wake_refunds();
    Ok(reply)
}

/// What a refund would come to now.
///
/// # Errors
/// As [`refund_order`].
pub async fn preview_refund(
    app: &App,
    ctx: Ctx,
    request: pb::PreviewRefundRequest,
) -> Result<pb::PreviewRefundResponse> {
    let id = read_name(&request.name)?;
    let wanted = convert::giving_back::give_back(request.what.as_ref().map(Into::into))?;
    seen(app, &ctx, id).await?;
    let order = db::orders::get(&mut *app.pg.conn().await?, id).await?.ok_or_else(|| no_such_order(id))?;
    order.subject.must_give_back()?;
    let plan: Plan = order.plan_refund(&wanted, &app.policy.refund_classes())?;
    Ok(convert::giving_back::preview(&order, &plan))
}

fn read_name(name: &str) -> Result<OrderId> {
    if name.starts_with("refunds/") {
        let message = "a refund can't be given back; name the order";
        return Err(Error::new(ErrorKind::InvalidArgument, "REFUND_OF_REFUND", message)
            .with_violation("name", "must be that of an order"));
    }
    OrderId::parse_name("name", name)
}

async fn seen(app: &App, ctx: &Ctx, id: OrderId) -> Result<()> {
    let owner = db::orders::owner(&mut *app.pg.conn().await?, id).await?;
    let (customer, store) = owner.ok_or_else(|| no_such_order(id))?;
    ctx.caller.see_own(Some(customer), Some(store))
}

fn audit_entry(actor: &str, order: OrderId, made: &Return) -> Entry {
    Entry {
        actor: actor.to_owned(),
        action: "payment.refund_order".to_owned(),
        target: order.name(),
        detail: json!({
            "return": made.id.name(),
            "amount_minor": made.amount.minor(),
            "currency": made.amount.currency().code(),
            "reason": made.reason,
        }),
    }
}
