//! Ends holds whose deposit was not paid in time.

use kernel::{Money, Result, Timestamp, ids::BookingId};

use super::{
    assignment, order_tasks,
    record::{self, Happened},
};
use crate::{App, db, domain::booking::State};

/// How many holds one step ends.
pub const BATCH: usize = 100;

/// Ends the holds that have run out; returns how many that were. One that fails does not hold up the others: it stays due
/// and is among the first of the next step too, so a step goes on behind those that fail. The first error is given back
/// when all were tried.
pub async fn expire_bookings(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let limit = BATCH.try_into().unwrap_or(i64::MAX);
    let (mut ended, mut failed, mut after) = (0, None, None);
    loop {
        let due = db::booking::unpaid(&mut *app.pg.conn().await?, now, after, limit).await?;
        for (_, id) in &due {
            match expire(app, *id, now).await {
                Ok(done) => ended += usize::from(done),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if due.len() < BATCH || ended >= BATCH {
            break;
        }
        after = due.last().copied();
    }
    failed.map_or(Ok(ended), Err)
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
