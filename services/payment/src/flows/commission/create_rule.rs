//! An administrator adds a rule.

use kernel::Result;
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::Ctx;
use serde_json::json;

use super::note;
use crate::{App, db, rpc::convert};

/// Adds a rule. It applies to visits completed from then on.
///
/// # Errors
/// `InvalidArgument` naming the field.
pub async fn create_rule(app: &App, ctx: Ctx, request: pb::CreateCommissionRuleRequest) -> Result<pb::CommissionRule> {
    let now = app.clock.now();
    let key = convert::key(&ctx, &request.request_id)?;
    let rule = convert::commission::rule(request.rule.as_ref(), now)?;
    rule.validate()?;
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    db::commission::insert_rule(&mut tx, &rule).await?;
    let detail =
        json!({ "payee": rule.payee.as_str(), "rate": rule.rate.to_string(), "conditions": rule.conditions() });
    note(&mut tx, now, ctx.caller.subject(), "commission_rule.create", rule.id.name(), detail).await?;
    let reply = convert::commission::to_rule(&rule);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}
