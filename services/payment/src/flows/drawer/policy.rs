//! Whether cash can be taken at a store while no drawer is open there.

use kernel::{Error, Result, ids::StoreId};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::Ctx;
use serde_json::json;

use super::note;
use crate::{
    App,
    db::{self, drawers::DeskPolicy},
    rpc::convert,
};

/// Reads it.
///
/// # Errors
/// `PermissionDenied` for staff of another store; `InvalidArgument` for a bad name.
pub async fn get_policy(app: &App, ctx: Ctx, request: pb::GetDrawerPolicyRequest) -> Result<pb::DrawerPolicy> {
    let store = convert::drawer::read_policy_name("name", &request.name)?;
    ctx.caller.see_own(None, Some(store))?;
    let policy = db::drawers::policy(&mut *app.pg.conn().await?, store).await?;
    Ok(convert::drawer::policy(store, policy))
}

/// Says it.
///
/// # Errors
/// As [`get_policy`].
pub async fn update_policy(app: &App, ctx: Ctx, request: pb::UpdateDrawerPolicyRequest) -> Result<pb::DrawerPolicy> {
    let given = request.policy.clone().unwrap_or_default();
    let store: StoreId = convert::drawer::read_policy_name("policy.name", &given.name)?;
    let required = match given.cash_drawer() {
        pb::drawer_policy::CashDrawer::Required => true,
        pb::drawer_policy::CashDrawer::Optional => false,
        pb::drawer_policy::CashDrawer::Unspecified => {
            return Err(Error::invalid("policy.cash_drawer", "must be stated"));
        }
    };
    let key = convert::key(&ctx, &request.request_id)?;
    ctx.caller.see_own(None, Some(store))?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    db::drawers::set_policy(&mut tx, store, required, now).await?;
    note(&mut tx, now, &ctx, "policy", given.name, json!({ "required": required })).await?;
    let reply = convert::drawer::policy(store, DeskPolicy { required, update_time: Some(now) });
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}
