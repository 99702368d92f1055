//! Staff give something back of an order that goes on, or look what that would come to.

use kernel::{
    Error, ErrorKind, Result, Timestamp,
    ids::{OrderId, OrderReturnId, parse_uuid},
};
use pg::{
    Tx,
    audit::{self, Entry},
    idempotency::{self, Begin},
};
use prost::Message;
use proto::payment::v1 as pb;
use rpc::Ctx;
use serde_json::json;

use super::{
    charge::{lock, request_id_reused},
    no_such_order,
    record::record,
    risk::{self, OnReview},
};
use crate::{
    App, db,
    domain::{
        Order,
        order::{Plan, Return},
        risk::{Operation, OperationKind},
    },
    rpc::convert,
};

/// Gives back all, an amount or lines of a visit's order. Providers are told by the worker.
///
/// # Errors
/// As [`Order::plan_refund`](crate::domain::Order::plan_refund); `NOT_A_VISIT`; `REFUND_OF_REFUND`; `NotFound`;
/// `PermissionDenied` for staff of another store; `RISK_REFUSED`, or `RISK_HELD` until somebody has approved it.
pub async fn refund_order(app: &App, ctx: Ctx, request: pb::RefundOrderRequest) -> Result<pb::OrderReturn> {
    let done = refund(app, &ctx, &request).await;
    risk::noted(app, done).await
}

async fn refund(app: &App, ctx: &Ctx, request: &pb::RefundOrderRequest) -> Result<pb::OrderReturn> {
    let id = read_name(&request.name)?;
    let key = convert::key(ctx, &request.request_id)?;
    seen(app, ctx, id).await?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let before = lock(&mut tx, id).await?;
    let (cause, body) = (cause(key.caller, id, request)?, request.encode_to_vec());
    let reply = if risk::decided_before(&mut tx, cause.uuid(), &body, request_id_reused).await? {
        convert::giving_back::order_return(&before, made(&before, cause)?)
    } else {
        give_back(app, &mut tx, now, (key.caller, request), before, OnReview::Hold(body)).await?
    };
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.give_back.committed");
    app.wake_refunds();
    Ok(reply)
}

/// Gives back what a request of `actor` says, in a transaction that has locked the order.
///
/// # Errors
/// As [`refund_order`].
pub(super) async fn give_back(
    app: &App,
    tx: &mut Tx,
    now: Timestamp,
    (actor, request): (&str, &pb::RefundOrderRequest),
    before: Order,
    on_review: OnReview,
) -> Result<pb::OrderReturn> {
    before.subject.must_give_back()?;
    let wanted = convert::giving_back::give_back(request.what.as_ref().map(Into::into))?;
    let cause = cause(actor, before.id, request)?;
    let classes = app.policy.refund_classes();
    let outcome = before.clone().give_back(cause, &wanted, &classes, &request.reason, now)?;
    let made = made(&outcome.order, cause)?;
    let operation = Operation {
        kind: OperationKind::Refund,
        source: cause.uuid(),
        target: before.id.name(),
        customer: before.customer,
        store: before.store,
        card: None,
        address: None,
        actor: actor.to_owned(),
        amount: made.amount,
    };
    risk::assess(tx, now, &operation, on_review).await?;
    record(tx, now, actor, &before, &outcome).await?;
    audit::record(tx, now, audit_entry(actor, before.id, made)).await?;
    Ok(convert::giving_back::order_return(&outcome.order, made))
}

/// By what a request gives back, once.
fn cause(actor: &str, order: OrderId, request: &pb::RefundOrderRequest) -> Result<OrderReturnId> {
    let request_id = parse_uuid("request_id", &request.request_id)?;
    Ok(OrderReturnId::derive(request_id, &format!("refund of {} by {actor}", order.uuid())))
}

fn made(order: &Order, cause: OrderReturnId) -> Result<&Return> {
    let made = order.returns.iter().find(|made| made.id == cause);
    made.ok_or_else(|| Error::internal(format!("{cause} is not of {}", order.id)))
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
