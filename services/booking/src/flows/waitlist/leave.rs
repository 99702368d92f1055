//! Getting out of line.

use std::sync::Arc;

use kernel::{Error, Money, Result, crash, ids::WaitlistEntryId};
use pg::{
    audit,
    idempotency::{self, Begin},
};
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use super::{save, view_one};
use crate::{
    App, db,
    domain::{
        booking::{State as BookingState, Wish},
        waitlist::State,
    },
    flows::{
        Once, assignment, order_tasks,
        record::{self, Happened},
    },
};

/// How often the offer may change while somebody leaves.
const ATTEMPTS: usize = 10;

/// Takes an entry out of line, and gives up what is just offered to it.
pub async fn leave_waitlist(
    app: &Arc<App>,
    caller: &Caller,
    once: Once<'_, pb::LeaveWaitlistRequest>,
    id: WaitlistEntryId,
) -> Result<pb::WaitlistEntry> {
    for _ in 0..ATTEMPTS {
        if let Some(reply) = leave(app, caller, &once, id).await? {
            crash::point("booking.waitlist.left");
            app.poke();
            return Ok(reply);
        }
    }
    Err(Error::aborted("WAITLIST_SERVED", "the entry is just being served; try again"))
}

/// `None` if what is offered changed since it was read: a booking must be locked before the entry.
async fn leave(
    app: &App,
    caller: &Caller,
    once: &Once<'_, pb::LeaveWaitlistRequest>,
    id: WaitlistEntryId,
) -> Result<Option<pb::WaitlistEntry>> {
    let known = db::waitlist::get(&mut *app.pg.conn().await?, id).await?.ok_or_else(|| Error::not_found(id))?;
    caller.see_own(Some(known.customer), Some(known.store))?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
        Begin::Replay(reply) => return Ok(Some(reply)),
        Begin::Fresh(ticket) => ticket,
    };
    let offered = known.booking.filter(|_| known.state == State::Offered);
    let booking = match offered {
        Some(booking) => {
            assignment::lock_of(&mut tx, booking).await?;
            db::booking::lock(&mut tx, booking).await?
        }
        None => None,
    };
    let entry = db::waitlist::lock(&mut tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    if (entry.state, entry.booking) != (known.state, known.booking) {
        tx.rollback().await?;
        return Ok(None);
    }
    let entry = entry.leave()?;
    save(&mut tx, &entry, now).await?;
    let is_held = |state| matches!(state, BookingState::Held | BookingState::AwaitingPayment);
    if let Some(booking) = booking.filter(|booking| is_held(booking.state)) {
        let nothing = Money::zero(booking.price.currency());
        let change = booking.cancel(now, caller.subject(), Wish::Customer.reason())?;
        db::allocation::release(&mut tx, change.booking.id).await?;
        assignment::give_back(&mut tx, change.booking.id, None, now).await?;
        order_tasks::close_order(&mut tx, &change.booking, nothing, now, now).await?;
        let (actor, reason) = (caller.subject().to_owned(), Wish::Customer.reason());
        record::store(&mut tx, &change, Happened::Cancelled { actor, fee: nothing, reason }, now).await?;
    }
    if caller.member().is_none() {
        let audited = audit::Entry {
            actor: caller.subject().to_owned(),
            action: "waitlist.leave".to_owned(),
            target: entry.id.name(),
            detail: json!({}),
        };
        audit::record(&mut tx, now, audited).await?;
    }
    let reply = view_one(&mut tx, &entry).await?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    Ok(Some(reply))
}
