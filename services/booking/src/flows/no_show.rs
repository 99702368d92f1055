//! Closes visits whose customer did not come: the time is free, and what a cancellation at the last moment costs stays.

use std::sync::Arc;

use jiff::SignedDuration;
use kernel::{Money, Result, Timestamp, crash, ids::BookingId};
use pg::Tx;
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use super::{
    Once, assignment,
    change::{self, Begun},
    order_tasks,
    record::{self, Happened},
    sweep::sweep,
};
use crate::{
    App, db,
    domain::{
        booking::{Booking, Change, State, Wish},
        cancellation::Terms,
    },
};

/// How many visits one step of the worker closes.
pub const BATCH: usize = 100;

/// Staff say so: from the start of the visit on.
pub async fn mark_no_show(
    app: &Arc<App>,
    caller: &Caller,
    once: Once<'_, pb::MarkNoShowRequest>,
    id: BookingId,
) -> Result<pb::Booking> {
    let now = app.clock.now();
    change::own(app, caller, id).await?;
    let mut open = match change::begin(app, &once, id, now).await? {
        Begun::Before(reply) => return Ok(reply),
        Begun::Now(open) => open,
    };
    let booking = open.booking.clone();
    let missed = missed(app, &mut open.tx, booking, SignedDuration::ZERO, now, caller.subject()).await?;
    let detail = json!({ "fee_minor": missed.fee.minor() });
    let happened = Happened::NoShow { fee: missed.fee };
    let task = order_tasks::close_order_now(&mut open.tx, &missed.change.booking, missed.fee, now).await?;
    let reply = open.finish(caller, &missed.change, happened, ("booking.mark_no_show", detail)).await?;
    crash::point("booking.no_show.committed");
    order_tasks::run_now(app, task).await;
    Ok(reply)
}

/// Closes the visits whose grace time is over; returns how many that were. One that fails does not hold up the others
/// ([`sweep`]).
pub async fn close_missed(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let (grace, limit) = (app.policy.no_show_grace_minutes, BATCH.try_into().unwrap_or(i64::MAX));
    let due =
        |after| async move { Ok(db::booking::missed(&mut *app.pg.conn().await?, now, grace, after, limit).await?) };
    sweep(BATCH, due, |(_, id)| close(app, id, now)).await
}

async fn close(app: &App, id: BookingId, now: Timestamp) -> Result<bool> {
    let mut tx = app.pg.begin().await?;
    assignment::lock_of(&mut tx, id).await?;
    let Some(booking) = db::booking::lock(&mut tx, id).await? else { return Ok(false) };
    let policy = db::policy::of_store(&mut tx, &app.policy, booking.store).await?;
    let grace = SignedDuration::from_mins(policy.no_show_grace_minutes);
    // Checked in, cancelled or rescheduled since we looked.
    if booking.state != State::Confirmed || now < booking.start_time + grace {
        return Ok(false);
    }
    let missed = missed(app, &mut tx, booking, grace, now, "services/booking").await?;
    order_tasks::close_order(&mut tx, &missed.change.booking, missed.fee, now, now).await?;
    record::store(&mut tx, &missed.change, Happened::NoShow { fee: missed.fee }, now).await?;
    tx.commit().await?;
    crash::point("booking.no_show.committed");
    app.poke();
    Ok(true)
}

struct Missed {
    change: Change,
    fee: Money,
}

async fn missed(
    app: &App,
    tx: &mut Tx,
    booking: Booking,
    grace: SignedDuration,
    now: Timestamp,
    actor: &str,
) -> Result<Missed> {
    let rule = db::policy::cancellation(tx, &app.policy, booking.store, booking.item).await?;
    let fee = Terms::of(&booking, Wish::Customer, &rule)?.last_fee();
    let fee = fee.unwrap_or(Money::zero(booking.price.currency()));
    let change = booking.no_show(grace, now, actor)?;
    db::allocation::release(tx, change.booking.id).await?;
    assignment::give_back(tx, change.booking.id, None, now).await?;
    Ok(Missed { change, fee })
}
