//! Taking an offer for which no deposit is asked.

use std::sync::Arc;

use kernel::{Error, Result, crash, ids::WaitlistEntryId};
use pg::{
    audit,
    idempotency::{self, Begin},
};
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use super::view_one;
use crate::{
    App, db,
    domain::{booking::State as BookingState, waitlist::State},
    flows::{
        Once, order_tasks,
        record::{self, Happened},
    },
};

/// Makes the visit that is offered sure.
pub async fn accept_offer(
    app: &Arc<App>,
    caller: &Caller,
    once: Once<'_, pb::AcceptOfferRequest>,
    id: WaitlistEntryId,
) -> Result<pb::WaitlistEntry> {
    let known = db::waitlist::get(&mut *app.pg.conn().await?, id).await?.ok_or_else(|| Error::not_found(id))?;
    caller.see_own(Some(known.customer), Some(known.store))?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    known.check_state(&[State::Offered])?;
    let offered = known.booking.ok_or_else(|| Error::internal("an offer without a booking"))?;
    let booking = db::booking::lock(&mut tx, offered).await?.ok_or_else(|| Error::not_found(offered))?;
    let is_held = matches!(booking.state, BookingState::Held | BookingState::AwaitingPayment);
    if !is_held || booking.hold_expire_time <= now {
        return Err(Error::precondition("OFFER_ENDED", "the offer has run out; wait for the next"));
    }
    if !booking.deposit.is_zero() {
        let text = "pay the deposit to accept the offer";
        return Err(Error::precondition("DEPOSIT_DUE", text).with("order", booking.order()));
    }
    let change = booking.accept(now, caller.subject())?;
    let names = record::store(&mut tx, &change, Happened::Confirmed { reinstated: false }, now).await?;
    let payer = change.booking.customer;
    let task = order_tasks::create_order_now(&mut tx, &change.booking, names.item, payer, now).await?;
    if caller.member().is_none() {
        let audited = audit::Entry {
            actor: caller.subject().to_owned(),
            action: "waitlist.accept".to_owned(),
            target: id.name(),
            detail: json!({ "booking": change.booking.id.name() }),
        };
        audit::record(&mut tx, now, audited).await?;
    }
    let entry = db::waitlist::get(&mut tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    let reply = view_one(&mut tx, &entry).await?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    crash::point("booking.offer.accepted");
    order_tasks::run_now(app, task).await;
    Ok(reply)
}
