//! Finance confirms a settlement list.

use kernel::{Error, Result, ids::CommissionSettlementId};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::Ctx;
use serde_json::json;

use super::note;
use crate::{App, db, rpc::convert};

/// Fixes the amounts of a draft: what is taken back of them from now on goes off the next list.
///
/// # Errors
/// `NotFound`; `PermissionDenied` for another store; `ETAG_MISMATCH`; `WRONG_STATE`.
pub async fn confirm_settlement(
    app: &App,
    ctx: Ctx,
    request: pb::ConfirmSettlementRequest,
) -> Result<pb::CommissionSettlement> {
    let id = CommissionSettlementId::parse_name("name", &request.name)?;
    let key = convert::key(&ctx, &request.request_id)?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => {
            ctx.caller.see_own(None, None)?;
            return Ok(reply);
        }
        Begin::Fresh(ticket) => ticket,
    };
    let before = db::commission::lock_settlement(&mut tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    ctx.caller.see_own(None, Some(before.store))?;
    let after = before.confirm(&request.etag, now)?;
    db::commission::update_settlement(&mut tx, &after).await?;
    let lines = db::commission::settlement_lines(&mut tx, &after).await?;
    let detail = json!({ "total_minor": after.total(&lines)?.minor(), "currency": after.currency.code() });
    note(&mut tx, now, ctx.caller.subject(), "commission_settlement.confirm", id.name(), detail).await?;
    let reply = convert::settlement::to_settlement(&after, &lines)?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}
