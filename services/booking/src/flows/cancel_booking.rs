//! Gives a booking up.

use kernel::{Error, Result, crash, ids::BookingId};
use pg::{
    audit,
    idempotency::{self, Begin},
};
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use super::{
    Once, order_tasks,
    record::{self, Happened},
};
use crate::{
    App, db,
    domain::booking::{Refund, Wish},
};

/// Gives a booking up: the time is free at once, and what is due goes back by itself.
pub async fn cancel_booking(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::CancelBookingRequest>,
    id: BookingId,
    wish: Wish,
) -> Result<pb::Booking> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let booking = db::booking::lock(&mut tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    caller.see_own(Some(booking.customer), Some(booking.store))?;
    let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let refund = booking.refund_at(now, app.policy.cancel_notice(), wish);
    let change = booking.cancel(now, caller.subject(), wish.reason())?;
    db::allocation::release(&mut tx, id).await?;
    let task = order_tasks::close_order(&mut tx, &change.booking, refund, now, now).await?;
    let happened = Happened::Cancelled { actor: caller.subject().to_owned(), in_time: refund == Refund::All };
    let reply = record::save(&mut tx, &change, happened, now).await?;
    if caller.member().is_none() {
        let entry = audit::Entry {
            actor: caller.subject().to_owned(),
            action: "booking.cancel".to_owned(),
            target: id.name(),
            detail: json!({ "in_time": refund == Refund::All, "reason": wish.reason() }),
        };
        audit::record(&mut tx, now, entry).await?;
    }
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    crash::point("booking.cancel.committed");
    order_tasks::run_now(app, task).await;
    Ok(reply)
}
