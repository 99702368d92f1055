//! Gives a booking up.

use std::sync::Arc;

use kernel::{Error, ErrorKind, Money, Result, Timestamp, Uuid, crash, ids::BookingId};
use pg::{Tx, idempotency};
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use super::{
    Once, assignment,
    change::{self, Begun},
    order_tasks,
    record::Happened,
};
use crate::{
    App, db,
    domain::{
        booking::{Booking, Change, Wish},
        cancellation::{Terms, settle},
    },
};

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
    let known = change::own(app, caller, id).await?;
    let limit = match max_fee {
        Some(max_fee) => {
            if let Some(reply) = idempotency::replay(&mut *app.pg.conn().await?, once.key, once.message).await? {
                return Ok(reply);
            }
            Some((max_fee, paid(app, &known).await?))
        }
        None => None,
    };
    let mut open = match change::begin(app, &once, id, now).await? {
        Begun::Before(reply) => return Ok(reply),
        Begun::Now(open) => open,
    };
    let booking = open.booking.clone();
    let Cancelled { change, fee, happened, task } =
        cancel_in_tx(app, &mut open.tx, booking, wish, now, caller.subject()).await?;
    if let Some((max_fee, paid)) = limit {
        check_fee(settle(fee, paid)?.0, max_fee)?;
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
    /// What has the order closed.
    pub task: Uuid,
}

/// Gives back what a booking keeps, and has its order closed. The booking and the store's assignments must be locked.
pub(super) async fn cancel_in_tx(
    app: &App,
    tx: &mut Tx,
    booking: Booking,
    wish: Wish,
    now: Timestamp,
    actor: &str,
) -> Result<Cancelled> {
    let rule = db::policy::cancellation(&mut *tx, &app.policy, booking.store, booking.item).await?;
    let terms = Terms::of(&booking, wish, &rule)?;
    let fee = terms.at(now).map_or(Money::zero(booking.price.currency()), |term| term.fee);
    let change = booking.cancel(now, actor, wish.reason())?;
    db::allocation::release(tx, change.booking.id).await?;
    assignment::give_back(tx, change.booking.id, None, now).await?;
    let task = order_tasks::close_order(tx, &change.booking, fee, now, now).await?;
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
