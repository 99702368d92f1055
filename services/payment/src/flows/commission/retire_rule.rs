//! An administrator takes a rule out of use.

use kernel::{Error, Result, ids::CommissionRuleId};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::Ctx;
use serde_json::json;

use super::note;
use crate::{App, db, rpc::convert};

/// Takes a rule out of use; what was accrued by it stays as it is.
///
/// # Errors
/// `NotFound`; `ETAG_MISMATCH`; `RETIRED`.
pub async fn retire_rule(app: &App, ctx: Ctx, request: pb::RetireCommissionRuleRequest) -> Result<pb::CommissionRule> {
    let id = CommissionRuleId::parse_name("name", &request.name)?;
    let key = convert::key(&ctx, &request.request_id)?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let rule = db::commission::lock_rule(&mut tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    let rule = rule.retire(&request.etag, now)?;
    db::commission::retire_rule(&mut tx, &rule).await?;
    let detail = json!({ "version": rule.version });
    note(&mut tx, now, ctx.caller.subject(), "commission_rule.retire", id.name(), detail).await?;
    let reply = convert::commission::to_rule(&rule);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}
