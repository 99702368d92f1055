//! Head office makes rules, and enables, disables and changes them.

use kernel::{Error, Result, ids::RiskRuleId};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::{Caller, Ctx};
use serde_json::json;

use super::note;
use crate::{
    App, db,
    domain::{
        etag,
        risk::{Pattern, Rule},
    },
    rpc::convert,
};

/// Adds a rule.
///
/// # Errors
/// `InvalidArgument` naming the field; `PermissionDenied` for staff bound to a store.
pub async fn create_rule(app: &App, ctx: Ctx, request: pb::CreateRiskRuleRequest) -> Result<pb::RiskRule> {
    whole_chain(&ctx.caller)?;
    let now = app.clock.now();
    let key = convert::key(&ctx, &request.request_id)?;
    let rule = convert::risk::rule(request.rule.as_ref(), now)?;
    rule.validate()?;
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    db::risk::insert_rule(&mut tx, &rule).await?;
    note(&mut tx, now, ctx.caller.subject(), "risk_rule.create", rule.id.name(), detail(&rule)).await?;
    let reply = convert::risk::to_rule(&rule);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// Changes name, decision and end of a rule, and whether it is enabled.
///
/// # Errors
/// `NotFound`; `ETAG_MISMATCH`; as [`create_rule`].
pub async fn update_rule(app: &App, ctx: Ctx, request: pb::UpdateRiskRuleRequest) -> Result<pb::RiskRule> {
    whole_chain(&ctx.caller)?;
    let now = app.clock.now();
    let key = convert::key(&ctx, &request.request_id)?;
    let wanted = request.rule.clone().unwrap_or_default();
    let id = RiskRuleId::parse_name("rule.name", &wanted.name)?;
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let known = db::risk::lock_rule(&mut tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    etag::check("rule.etag", &wanted.etag, known.version)?;
    let rule = convert::risk::changed(known, &wanted)?;
    rule.validate()?;
    db::risk::update_rule(&mut tx, &rule).await?;
    note(&mut tx, now, ctx.caller.subject(), "risk_rule.update", rule.id.name(), detail(&rule)).await?;
    let reply = convert::risk::to_rule(&rule);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

fn detail(rule: &Rule) -> serde_json::Value {
    let pattern = match rule.pattern {
        Pattern::Velocity { .. } => "velocity",
        Pattern::AmountAbove(_) => "amount_above",
        Pattern::JustBelow { .. } => "just_below",
        Pattern::AfterTopUp { .. } => "after_top_up",
    };
    json!({
        "operation": rule.operation.as_str(),
        "pattern": pattern,
        "decision": rule.decision.as_str(),
        "enabled": rule.enabled,
        "end_time": rule.end_time.map(|at| at.to_string()),
    })
}

/// That the caller works for the whole chain: what he does holds for all stores.
fn whole_chain(caller: &Caller) -> Result<()> {
    if caller.bound_store().is_some() {
        return Err(Error::denied("only staff of the whole chain can do this"));
    }
    caller.see_own(None, None)
}
