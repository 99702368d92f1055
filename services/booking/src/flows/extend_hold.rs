//! Keeps a hold for longer.

use jiff::SignedDuration;
use kernel::{Error, ErrorKind, Result, crash, ids::BookingId};
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use super::{
    Once,
    change::{self, Begun, Open},
    record::Happened,
};
use crate::{App, db};

/// Keeps the time for as long as a new hold, up to its limit.
pub async fn extend_hold(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::ExtendHoldRequest>,
    id: BookingId,
) -> Result<pb::Booking> {
    let now = app.clock.now();
    change::own(app, caller, id).await?;
    let mut open = match change::begin(app, &once, id, now).await? {
        Begun::Before(reply) => return Ok(reply),
        Begun::Now(open) => open,
    };
    check_holder(&mut open, caller).await?;
    let policy = db::policy::of_store(&mut open.tx, &app.policy, open.booking.store).await?;
    let until = now + SignedDuration::from_mins(policy.hold_minutes);
    let change = open.booking.clone().extend_hold(until, now, caller.subject())?;
    let detail = json!({ "hold_expire_time": change.booking.hold_expire_time.to_string() });
    let reply = open.finish(caller, &change, Happened::HoldExtended, ("booking.extend_hold", detail)).await?;
    crash::point("booking.extend_hold.committed");
    Ok(reply)
}

/// A hold has one owner: the customer, or whoever made it for him.
async fn check_holder(open: &mut Open, caller: &Caller) -> Result<()> {
    if caller.member() == Some(open.booking.customer) {
        return Ok(());
    }
    let history = db::booking::history(&mut open.tx, open.booking.id).await?;
    if history.first().is_some_and(|step| step.actor == caller.subject()) {
        return Ok(());
    }
    let text = "only the customer or whoever made the hold can prolong it";
    Err(Error::new(ErrorKind::PermissionDenied, "NOT_HOLDER", text))
}
