//! Takes a confirmed visit through its day: check in, start, complete.

use jiff::SignedDuration;
use kernel::{Result, ids::BookingId};
use prost::Message;
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use super::{
    Once,
    change::{self, Begun},
    record::Happened,
};
use crate::{App, db};

/// A step of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// The customer has come; not earlier than the store lets him.
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
    change::own(app, caller, id).await?;
    let mut open = match change::begin(app, &once, id, now).await? {
        Begun::Before(reply) => return Ok(reply),
        Begun::Now(open) => open,
    };
    let (booking, actor) = (open.booking.clone(), caller.subject());
    let early = match advance {
        Advance::CheckIn => db::policy::of_store(&mut open.tx, &app.policy, booking.store).await?.check_in_minutes,
        Advance::Start | Advance::Complete => 0,
    };
    let (change, happened, action) = match advance {
        Advance::CheckIn => {
            (booking.check_in(SignedDuration::from_mins(early), now, actor)?, Happened::CheckedIn, "booking.check_in")
        }
        Advance::Start => (booking.start(now, actor)?, Happened::Started, "booking.start"),
        Advance::Complete => (booking.complete(now, actor)?, Happened::Completed, "booking.complete"),
    };
    let detail = json!({ "version": change.booking.version });
    open.finish(caller, &change, happened, (action, detail)).await
}
