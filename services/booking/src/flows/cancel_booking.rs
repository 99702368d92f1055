//! Gives a booking up.
//!
//! What was paid is payment's to say, and is asked before the transaction. If the booking has changed since, it is asked
//! again; and no more stays with the store than was found to stay, whatever is paid in the very moment.

use std::sync::Arc;

use kernel::{Error, ErrorKind, Money, Result, Timestamp, crash, ids::BookingId};
use pg::{Tx, idempotency};
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use super::{
    Once, assignment,
    change::{self, Begun},
    order_tasks::{self, Ready},
    record::Happened,
};
use crate::{
    App, db,
    domain::{
        booking::{Booking, Change, Wish},
        cancellation::{Terms, settle},
    },
};

/// How often a booking may change while it is asked what was paid.
pub(super) const ASKED: usize = 10;

/// Gives a booking up: the time is free at once, and what is due goes back by itself. If `max_fee` is given, only if no
/// more of what was paid stays with the store.
pub async fn cancel_booking(
    app: &Arc<App>,
    caller: &Caller,
    once: Once<'_, pb::CancelBookingRequest>,
    id: BookingId,
    wish: Wish,
    max_fee: Option<Money>,
) -> Result<pb::Booking> {
    let now = app.clock.now();
    let mut known = change::own(app, caller, id).await?;
    if max_fee.is_some()
        && let Some(reply) = idempotency::replay(&mut *app.pg.conn().await?, once.key, once.message).await?
    {
        return Ok(reply);
    }
    let (mut open, paid) = 'asked: {
        for _ in 0..ASKED {
            let paid = match max_fee {
                Some(_) => Some(paid(app, &known).await?),
                None => None,
            };
            let open = match change::begin(app, &once, id, now).await? {
                Begun::Before(reply) => return Ok(reply),
                Begun::Now(open) => open,
            };
            if paid.is_none() || open.booking.version == known.version {
                break 'asked (open, paid);
            }
            known = open.booking.clone();
            open.tx.rollback().await?;
        }
        return Err(changed());
    };
    let booking = open.booking.clone();
    let Cancelled { change, fee, happened, task } =
        cancel_in_tx(app, &mut open.tx, booking, (wish, paid), now, caller.subject()).await?;
    if let Some(max_fee) = max_fee {
        check_fee(fee, max_fee)?;
    }
    let detail = json!({ "in_time": fee.is_zero(), "fee_minor": fee.minor(), "reason": wish.reason() });
    let reply = open.finish(caller, &change, happened, ("booking.cancel", detail)).await?;
    crash::point("booking.cancel.committed");
    order_tasks::run_now(app, task).await;
    Ok(reply)
}

/// A visit that is given up in a transaction; the change has still to be stored.
#[derive(Debug)]
pub(super) struct Cancelled {
    /// The change.
    pub change: Change,
    /// What stays with the store, of what was paid at most.
    pub fee: Money,
    /// What is told of it.
    pub happened: Happened,
    /// Closes the order, once this is committed.
    pub task: Ready,
}

/// The booking changes faster than it can be asked what was paid.
pub(super) fn changed() -> Error {
    Error::aborted("BOOKING_CHANGED", "the booking is just being changed; try again")
}

/// Gives back what a booking keeps, and has its order closed. The booking and the store's assignments must be locked. If
/// it is known what was `paid` no more stays than what stays of that.
pub(super) async fn cancel_in_tx(
    app: &App,
    tx: &mut Tx,
    booking: Booking,
    (wish, paid): (Wish, Option<Money>),
    now: Timestamp,
    actor: &str,
) -> Result<Cancelled> {
    let rule = db::policy::cancellation(&mut *tx, &app.policy, booking.store, booking.item).await?;
    let terms = Terms::of(&booking, wish, &rule)?;
    let fee = terms.at(now).map_or(Money::zero(booking.price.currency()), |term| term.fee);
    let fee = paid.map_or(Ok(fee), |paid| settle(fee, paid).map(|(kept, _)| kept))?;
    let change = booking.cancel(now, actor, wish.reason())?;
    db::allocation::release(tx, change.booking.id).await?;
    assignment::give_back(tx, change.booking.id, None, now).await?;
    let task = order_tasks::close_order_now(tx, &change.booking, fee, now).await?;
    let happened = Happened::Cancelled { actor: actor.to_owned(), fee, reason: wish.reason() };
    Ok(Cancelled { change, fee, happened, task })
}

/// Refuses to let more stay with the store than the customer was shown.
pub(super) fn check_fee(fee: Money, max_fee: Money) -> Result<()> {
    if max_fee.try_sub(fee)?.is_negative() {
        let text = format!("giving it up costs {fee} by now; ask the customer again");
        return Err(Error::precondition("FEE_ROSE", text)
            .with("fee_minor", fee.minor())
            .with("currency", fee.currency()));
    }
    Ok(())
}

/// What was paid of a booking's order so far. Nothing if the order is not made yet.
pub async fn paid(app: &App, booking: &Booking) -> Result<Money> {
    match app.peers.payment.paid(booking.order()).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Money::zero(booking.price.currency())),
        outcome => outcome,
    }
}
