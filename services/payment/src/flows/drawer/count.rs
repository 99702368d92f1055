//! The desk counts a drawer that stays open.

use kernel::{
    Result,
    ids::{DrawerId, uuid_v7},
};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::{Ctx, convert::money};
use serde_json::json;

use super::{lock_open, note, sees_expected};
use crate::{
    App, db,
    db::drawers::{Counted, moved, totals},
    rpc::convert,
};

/// Stores what was counted beside what should have been there, which the desk is not told.
///
/// # Errors
/// `NotFound`; `DRAWER_CLOSED`; `InvalidArgument` or `CURRENCY_MISMATCH` for an amount that can't be; `PermissionDenied` for
/// staff of another store.
pub async fn count_drawer(app: &App, ctx: Ctx, request: pb::CountDrawerRequest) -> Result<pb::DrawerCount> {
    let id = DrawerId::parse_name("name", &request.name)?;
    let counted = money("counted", request.counted.as_ref())?;
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
    let drawer = lock_open(&mut tx, &ctx, id).await?;
    drawer.check("counted", counted)?;
    let expected = drawer.expected(moved(drawer.currency(), &totals(&mut tx, &drawer).await?)?)?;
    let count = Counted { counted, expected, time: now };
    db::drawers::insert_count(&mut tx, uuid_v7(now), id, key.caller, &count).await?;
    let detail = json!({ "counted_minor": counted.minor(), "expected_minor": expected.minor() });
    note(&mut tx, now, &ctx, "count", id.name(), detail).await?;
    let reply = convert::drawer::count(id, &count, sees_expected(&ctx.caller))?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.drawer.counted");
    Ok(reply)
}
