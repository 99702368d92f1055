//! The desk closes a drawer.

use kernel::{Error, Result, ids::DrawerId};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::{Ctx, convert::money};
use serde_json::json;

use super::{book, lock_open, note};
use crate::{
    App, db,
    db::drawers::{moved, totals},
    domain::drawer::{Count, State},
    rpc::convert,
};

/// Closes a drawer with what was counted in it last, and books what is over or short.
///
/// # Errors
/// `NotFound`; `DRAWER_CLOSED`; `InvalidArgument` or `CURRENCY_MISMATCH` for an amount that can't be; `PermissionDenied` for
/// staff of another store.
pub async fn close_drawer(app: &App, ctx: Ctx, request: pb::CloseDrawerRequest) -> Result<pb::Drawer> {
    let id = DrawerId::parse_name("name", &request.name)?;
    let counted = money("counted", request.counted.as_ref())?;
    let carried = request.carried.as_ref().map(|amount| money("carried", Some(amount))).transpose()?;
    let key = convert::key(&ctx, &request.request_id)?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => {
            ctx.caller.see_own(None, ctx.caller.bound_store())?;
            return Ok(reply);
        }
        Begin::Fresh(ticket) => ticket,
    };
    // From here nothing comes into it any more, and what was on its way is there.
    let drawer = lock_open(&mut tx, &ctx, id).await?;
    let moved = moved(drawer.currency(), &totals(&mut tx, &drawer).await?)?;
    let reason = request.difference_reason.clone();
    let count = Count { moved, counted, carried, reason, by: key.caller.to_owned() };
    let (drawer, movements) = drawer.close(count, now)?;
    let State::Closed(closing) = &drawer.state else {
        return Err(Error::internal(format!("{id} is still open")));
    };
    book(&mut tx, now, key.caller, &drawer, &movements).await?;
    db::drawers::close(&mut tx, id, closing).await?;
    let detail = json!({
        "counted_minor": closing.counted.minor(),
        "expected_minor": closing.expected.minor(),
        "carried_minor": closing.carried.minor(),
        "currency": drawer.currency().code(),
        "reason": closing.reason,
    });
    note(&mut tx, now, &ctx, "close", id.name(), detail).await?;
    let reply = convert::drawer::drawer(&drawer, None)?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.drawer.closed");
    Ok(reply)
}
