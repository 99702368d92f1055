//! Ends holds whose deposit was not paid in time.

use kernel::{Money, Result, Timestamp, ids::BookingId};

use super::{
    assignment, order_tasks,
    record::{self, Happened},
    sweep::sweep,
};
use crate::{App, db, domain::booking::State};

/// How many holds one step ends.
pub const BATCH: usize = 100;

/// Ends the holds that have run out; returns how many that were. One that fails does not hold up the others ([`sweep`]).
pub async fn expire_bookings(app: &App) -> Result<usize> {
    let (now, limit) = (app.clock.now(), BATCH.try_into().unwrap_or(i64::MAX));
    let due = |after| async move { Ok(db::booking::unpaid(&mut *app.pg.conn().await?, now, after, limit).await?) };
    sweep(BATCH, due, |(_, id)| expire(app, id, now)).await
}

async fn expire(app: &App, id: BookingId, now: Timestamp) -> Result<bool> {
    let mut tx = app.pg.begin().await?;
    assignment::lock_of(&mut tx, id).await?;
    let booking = match db::booking::lock(&mut tx, id).await? {
        Some(booking) if matches!(booking.state, State::Held | State::AwaitingPayment) => booking,
        // Paid or cancelled since we looked.
        _ => return Ok(false),
    };
    // Prolonged since we looked.
    if now < booking.hold_expire_time {
        return Ok(false);
    }
    let change = booking.expire(now, "services/booking")?;
    db::allocation::release(&mut tx, id).await?;
    assignment::give_back(&mut tx, id, None, now).await?;
    // The order stays open for a while: a deposit that is on its way may still bring the same time back.
    let close_time = now + app.policy.late_payment();
    let nothing = Money::zero(change.booking.price.currency());
    order_tasks::close_order(&mut tx, &change.booking, nothing, close_time, now).await?;
    record::store(&mut tx, &change, Happened::Expired, now).await?;
    tx.commit().await?;
    Ok(true)
}
