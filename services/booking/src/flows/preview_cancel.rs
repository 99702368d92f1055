//! Tells what giving a booking up would do to the customer's money.

use kernel::{Money, Result, Timestamp, ids::BookingId};
use rpc::Caller;

use super::{cancel_booking::paid, change};
use crate::{
    App, db,
    domain::{booking::Wish, cancellation::Terms},
};

/// What giving up costs.
#[derive(Debug, Clone)]
pub struct Preview {
    /// What was paid and not given back.
    pub paid: Money,
    /// What it costs when.
    pub terms: Terms,
    /// The time at which it was asked.
    pub now: Timestamp,
}

/// Reads the terms and asks payment what was paid. It changes nothing.
pub async fn preview_cancel(app: &App, caller: &Caller, id: BookingId, wish: Wish) -> Result<Preview> {
    let now = app.clock.now();
    let booking = change::own(app, caller, id).await?;
    // What can't be given up has no terms.
    let _ = booking.clone().cancel(now, caller.subject(), wish.reason())?;
    let paid = paid(app, &booking).await?;
    let rule = db::policy::cancellation(&mut *app.pg.conn().await?, &app.policy, booking.store, booking.item).await?;
    Ok(Preview { paid, terms: Terms::of(&booking, wish, &rule)?, now })
}
