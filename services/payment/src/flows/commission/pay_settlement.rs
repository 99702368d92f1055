//! Finance has paid a settlement list.

use kernel::{Error, Result, ids::CommissionSettlementId};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::Ctx;
use serde_json::json;

use super::note;
use crate::{App, db, rpc::convert};

/// Books that everybody in a confirmed list has got his, from the bank.
///
/// # Errors
/// `NotFound`; `PermissionDenied` for another store; `ETAG_MISMATCH`; `WRONG_STATE`.
pub async fn pay_settlement(
    app: &App,
    ctx: Ctx,
    request: pb::PaySettlementRequest,
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
    let lines = db::commission::settlement_lines(&mut tx, &before).await?;
    let (after, posting) = before.pay(&request.etag, &lines, now)?;
    db::commission::update_settlement(&mut tx, &after).await?;
    let detail = json!({ "total_minor": after.total(&lines)?.minor(), "currency": after.currency.code() });
    note(&mut tx, now, ctx.caller.subject(), "commission_settlement.pay", id.name(), detail).await?;
    if let Some(posting) = posting {
        db::ledger::post(&mut tx, now, &posting).await?;
    }
    let reply = convert::settlement::to_settlement(&after, &lines)?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.commission.paid");
    Ok(reply)
}
