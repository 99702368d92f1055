//! Takes a confirmed visit through its day: check in, start, complete.

use kernel::{Error, Result, ids::BookingId};
use pg::{
    audit,
    idempotency::{self, Begin},
};
use prost::Message;
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use super::{
    Once,
    record::{self, Happened},
};
use crate::{App, db};

/// A step of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// The customer has come.
    CheckIn,
    /// The treatment begins.
    Start,
    /// The treatment is done.
    Complete,
}

/// Takes a visit one step on.
pub async fn advance_booking<Q: Message>(
    app: &App,
    caller: &Caller,
    once: Once<'_, Q>,
    id: BookingId,
    advance: Advance,
) -> Result<pb::Booking> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let booking = db::booking::lock(&mut tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    caller.see_own(Some(booking.customer), Some(booking.store))?;
    let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let actor = caller.subject();
    let (change, happened, action) = match advance {
        Advance::CheckIn => (booking.check_in(now, actor)?, Happened::CheckedIn, "booking.check_in"),
        Advance::Start => (booking.start(now, actor)?, Happened::Started, "booking.start"),
        Advance::Complete => (booking.complete(now, actor)?, Happened::Completed, "booking.complete"),
    };
    let reply = record::save(&mut tx, &change, happened, now).await?;
    let entry = audit::Entry {
        actor: actor.to_owned(),
        action: action.to_owned(),
        target: id.name(),
        detail: json!({ "version": change.booking.version }),
    };
    audit::record(&mut tx, now, entry).await?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}
