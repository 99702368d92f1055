//! A customer starts to pay, or the desk takes cash.
//!
//! With a provider it goes in three steps, of which the middle one is outside any transaction: the attempt is stored as
//! pending; the provider makes the charge (the payment's id is its idempotency key); where the customer can pay is
//! stored with the reply. The payment's id is derived from caller and request id, so whatever is interrupted is taken up
//! by a repeat of the request; and if nobody repeats it, the worker finds out what the provider knows.

use std::sync::Arc;

use kernel::{
    Error, Money, Result,
    ids::{OrderId, PaymentId},
};
use pg::idempotency::{self, Begin, Key};
use proto::payment::v1 as pb;
use rpc::{Ctx, convert::money};

use super::{
    charge::{answered, ask_if_nobody_is_waited_for, lock, make_charge, new_charge, request_id_reused},
    no_such_order,
    record::record,
    risk::{self, OnReview},
};
use crate::{
    App, db,
    domain::{
        Order, Payment, Purpose, Tender,
        risk::{Operation, OperationKind},
    },
    peers::{NewCharge, Provider},
    rpc::convert,
};

/// What to pay, and how.
struct Attempt {
    order: OrderId,
    payment: PaymentId,
    purpose: Purpose,
    tender: Tender,
}

/// Starts paying what is due.
///
/// # Errors
/// `NOTHING_DUE`, `ORDER_CLOSED`, `PAYMENT_PENDING`, `AMOUNT_MISMATCH`, `CURRENCY_MISMATCH`; `TENDER_NOT_OFFERED`,
/// `CURRENCY_NOT_OFFERED`; `RISK_REFUSED`; `InvalidArgument` if the tender needs to know more of the payer;
/// `PermissionDenied` for cash from anybody but staff; `Unavailable` if the provider can't be reached.
pub async fn pay_order(app: &App, ctx: Ctx, request: pb::PayOrderRequest) -> Result<pb::Payment> {
    let key = convert::key(&ctx, &request.request_id)?;
    let attempt = Attempt {
        order: OrderId::parse_name("order", &request.order)?,
        payment: PaymentId::derive(key.request_id, &format!("payment of {}", ctx.caller.subject())),
        purpose: convert::read_purpose(request.purpose())?,
        tender: convert::read_tender(request.tender())?,
    };
    authorise(app, &ctx, &attempt).await?;
    let done = match attempt.tender.provider() {
        None => take_cash(app, &ctx, key, &request, &attempt).await,
        Some(_) => pay_at_provider(app, &ctx, key, &request, &attempt).await,
    };
    risk::noted(app, done).await
}

/// What risk looks at.
fn operation(app: &App, actor: &str, order: &Order, payment: &Payment, payer: Option<&pb::Payer>) -> Operation {
    Operation {
        kind: OperationKind::Payment,
        source: payment.id.uuid(),
        target: order.id.name(),
        customer: order.customer,
        store: order.store,
        card: payment.tender.card(),
        address: payer.and_then(|payer| risk::address(app, &payer.ip)),
        actor: actor.to_owned(),
        amount: payment.amount,
    }
}

async fn authorise(app: &App, ctx: &Ctx, attempt: &Attempt) -> Result<()> {
    let owner = db::orders::owner(&mut *app.pg.conn().await?, attempt.order).await?;
    let (customer, store) = owner.ok_or_else(|| no_such_order(attempt.order))?;
    ctx.caller.see_own(Some(customer), Some(store))?;
    if attempt.tender == Tender::Cash && ctx.caller.member().is_some() {
        return Err(Error::denied("cash is taken at the desk, by staff"));
    }
    Ok(())
}

async fn take_cash(
    app: &App,
    ctx: &Ctx,
    key: Key<'_>,
    request: &pb::PayOrderRequest,
    attempt: &Attempt,
) -> Result<pb::Payment> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let before = lock(&mut tx, attempt.order).await?;
    // Cash is stored together with its reply, so what is known by this id came from another request.
    if db::payments::order_of(&mut tx, attempt.payment).await?.is_some() {
        return Err(request_id_reused());
    }
    let outcome = start(app, before.clone(), attempt, request)?.capture(attempt.payment, now)?;
    let payment = find(&outcome.order, attempt.payment)?;
    let looked_at = operation(app, ctx.caller.subject(), &before, payment, request.payer.as_ref());
    risk::assess(&mut tx, now, &looked_at, OnReview::Queue).await?;
    record(&mut tx, now, ctx.caller.subject(), &before, &outcome).await?;
    let reply = convert::payment(outcome.order.id, payment);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.cash.committed");
    Ok(reply)
}

async fn pay_at_provider(
    app: &App,
    ctx: &Ctx,
    key: Key<'_>,
    request: &pb::PayOrderRequest,
    attempt: &Attempt,
) -> Result<pb::Payment> {
    if let Some(reply) = idempotency::replay(&mut *app.pg.conn().await?, key, request).await? {
        return Ok(reply);
    }
    let provider = app.peers.providers.of(attempt.tender)?;
    let (pending, charge) = store_pending(app, ctx.caller.subject(), provider, attempt, request).await?;
    kernel::crash::point("payment.pay.pending_stored");
    let made = if pending { Some(make_charge(provider, charge).await?) } else { None };
    kernel::crash::point("payment.pay.charge_made");

    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let before = lock(&mut tx, attempt.order).await?;
    let outcome = answered(before.clone(), attempt.payment, made)?;
    record(&mut tx, now, ctx.caller.subject(), &before, &outcome).await?;
    let reply = convert::payment(outcome.order.id, find(&outcome.order, attempt.payment)?);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.pay.committed");
    ask_if_nobody_is_waited_for(app, &outcome.order, attempt.payment).await;
    Ok(reply)
}

/// Stores the attempt, or finds the one that a twin of this request has stored. Returns whether it is pending, and the
/// charge to be made for it.
async fn store_pending(
    app: &App,
    actor: &str,
    provider: &Arc<dyn Provider>,
    attempt: &Attempt,
    request: &pb::PayOrderRequest,
) -> Result<(bool, NewCharge)> {
    let mut tx = app.pg.begin().await?;
    let before = lock(&mut tx, attempt.order).await?;
    if let Some(known) = before.payment(attempt.payment) {
        let is_same = known.purpose == attempt.purpose
            && known.tender == attempt.tender
            && believed(request)?.is_none_or(|amount| amount == known.amount);
        let charge = new_charge(app, &before, known, request.payer.as_ref())?;
        return if is_same { Ok((known.is_pending(), charge)) } else { Err(request_id_reused()) };
    }
    let after = start(app, before.clone(), attempt, request)?;
    let charge = new_charge(app, &after, find(&after, attempt.payment)?, request.payer.as_ref())?;
    provider.check(&charge)?;
    let looked_at = operation(app, actor, &before, find(&after, attempt.payment)?, request.payer.as_ref());
    risk::assess(&mut tx, app.clock.now(), &looked_at, OnReview::Queue).await?;
    match db::orders::save(&mut tx, &before, &after).await {
        // The id is that of a payment of another order.
        Err(error) if error.is_constraint("payment_pkey") => return Err(request_id_reused()),
        saved => saved?,
    }
    tx.commit().await?;
    Ok((true, charge))
}

fn start(app: &App, order: Order, attempt: &Attempt, request: &pb::PayOrderRequest) -> Result<Order> {
    order.start_payment(attempt.payment, attempt.purpose, attempt.tender, believed(request)?, app.clock.now())
}

/// What the caller takes to be due, if they said so.
fn believed(request: &pb::PayOrderRequest) -> Result<Option<Money>> {
    request.amount.as_ref().map(|amount| money("amount", Some(amount))).transpose()
}

fn find(order: &Order, id: PaymentId) -> Result<&Payment> {
    order.payment(id).ok_or_else(|| Error::internal(format!("{id} is not of {}", order.id)))
}
