//! The desk opens a drawer.

use kernel::{
    Result,
    ids::{DrawerId, StoreId},
};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::{Ctx, convert::money};
use serde_json::json;

use super::{book, note, sees_expected};
use crate::{
    App, db,
    domain::drawer::{Drawer, Opening},
    rpc::convert,
};

/// Opens a drawer with what was counted in it.
///
/// # Errors
/// `DRAWER_OPEN`; `InvalidArgument` for a till without a name or an amount below zero; `PermissionDenied` for staff of
/// another store.
pub async fn open_drawer(app: &App, ctx: Ctx, request: pb::OpenDrawerRequest) -> Result<pb::Drawer> {
    let store = StoreId::parse_name("store", &request.store)?;
    let counted = money("opening_float", request.opening_float.as_ref())?;
    let till = request.till.trim().to_owned();
    let key = convert::key(&ctx, &request.request_id)?;
    ctx.caller.see_own(None, Some(store))?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    // Two tills that are opened at once must not both take over what is loose, nor must it grow while it is reckoned.
    db::drawers::lock_desk(&mut tx, store).await?;
    db::drawers::hold_still(&mut tx, store).await?;
    let opening = Opening {
        id: DrawerId::new(now),
        store,
        by: key.caller.to_owned(),
        counted,
        last: db::drawers::last_of(&mut tx, store, &till, counted.currency()).await?,
        loose: db::drawers::loose(&mut tx, store, counted.currency()).await?,
        till,
    };
    let (drawer, movements) = Drawer::open(opening, now)?;
    db::drawers::insert(&mut tx, &drawer).await?;
    book(&mut tx, now, key.caller, &drawer, &movements).await?;
    let detail = json!({
        "till": drawer.till,
        "float_minor": drawer.float.minor(),
        "difference_minor": drawer.opening_difference()?.minor(),
        "currency": drawer.currency().code(),
    });
    note(&mut tx, now, &ctx, "open", drawer.id.name(), detail).await?;
    let expected = sees_expected(&ctx.caller).then_some(drawer.float);
    let reply = convert::drawer::drawer(&drawer, expected)?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.drawer.opened");
    Ok(reply)
}
