//! A customer gives something to the therapists of a visit.

use kernel::{
    Error, Money, Result,
    ids::{OrderId, TherapistId, TipId},
};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::{Ctx, convert::money};

use crate::{
    App, db,
    domain::{NewOrder, State, Subject, order::tip_lines},
    flows::{create_order::create_in_tx, no_such_order},
    rpc::convert,
};

/// Makes the order of a tip.
///
/// # Errors
/// `NotFound`; `NOT_A_VISIT`; `ORDER_CLOSED`; those of [`tip_lines`]; `CURRENCY_MISMATCH`; `PermissionDenied` for staff of
/// another store.
pub async fn add_tip(app: &App, ctx: Ctx, request: pb::AddTipRequest) -> Result<pb::Order> {
    let visit = OrderId::parse_name("order", &request.order)?;
    let amount = money("amount", request.amount.as_ref())?;
    let therapist = |(i, name): (usize, &String)| TherapistId::parse_name(&format!("therapists[{i}]"), name);
    let therapists: Vec<TherapistId> = request.therapists.iter().enumerate().map(therapist).collect::<Result<_>>()?;
    let lines = tip_lines(amount, &therapists)?;
    let key = convert::key(&ctx, &request.request_id)?;
    let owner = db::orders::owner(&mut *app.pg.conn().await?, visit).await?;
    let (customer, store) = owner.ok_or_else(|| no_such_order(visit))?;
    ctx.caller.see_own(Some(customer), Some(store))?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    // Locked, so that it is not ended meanwhile.
    let of = db::orders::lock(&mut tx, visit).await?.ok_or_else(|| no_such_order(visit))?;
    of.subject.must_be_visit()?;
    if let State::Closed { .. } = of.state {
        return Err(Error::precondition("ORDER_CLOSED", "the order has ended; nothing can be added any more"));
    }
    if amount.currency() != of.currency() {
        return Err(of.in_other_currency("amount"));
    }
    let id = TipId::new(now);
    let nothing = Money::zero(of.currency());
    let new = NewOrder {
        id: OrderId::new(now),
        subject: Subject::Tip(id),
        customer,
        store,
        lines,
        discount: nothing,
        deposit: nothing,
    };
    let order = create_in_tx(&mut tx, now, new).await?;
    db::tips::insert(&mut tx, id, order.id, visit, now).await?;
    let reply = convert::order(&order);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.tip.added");
    Ok(reply)
}
