//! Finance works off a break.

use kernel::{Error, Result};
use pg::{
    audit,
    idempotency::{self, Begin},
};
use proto::payment::v1 as pb;
use rpc::Ctx;
use serde_json::json;

use super::all_stores;
use crate::{
    App, db,
    domain::reconciliation::{BreakName, settled},
    rpc::convert,
};

/// Works off a break: what it has put into suspense leaves it. Doing the same again changes nothing.
///
/// # Errors
/// `NotFound`; `InvalidArgument` without a resolution; `BREAK_RESOLVED`; `MONEY_UNEXPLAINED`.
pub async fn resolve_break(app: &App, ctx: Ctx, request: pb::ResolveBreakRequest) -> Result<pb::ReconciliationBreak> {
    all_stores(&ctx)?;
    let name = BreakName::parse("name", &request.name)?;
    let how = convert::reconciliation::read_resolution(request.resolution())?;
    let key = convert::key(&ctx, &request.request_id)?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let mut of = db::reconciliation::lock(&mut tx, &name).await?.ok_or_else(|| Error::not_found(&name))?;
    match &of.resolved {
        Some((before, note, _)) if *before == how && *note == request.note => {}
        Some((before, ..)) => {
            let message = "this break is worked off already";
            return Err(Error::precondition("BREAK_RESOLVED", message).with("resolution", before.as_str()));
        }
        None => {
            let posting = settled(&of, how)?;
            db::reconciliation::resolve(&mut tx, now, &of, how, &request.note).await?;
            db::ledger::post_all(&mut tx, now, posting.as_slice()).await?;
            let entry = audit::Entry {
                actor: ctx.caller.subject().to_owned(),
                action: "payment.break_resolved".to_owned(),
                target: name.to_string(),
                detail: json!({ "resolution": how.as_str(), "difference_minor": of.difference.minor() }),
            };
            audit::record(&mut tx, now, entry).await?;
            of.resolved = Some((how, request.note.clone(), now));
        }
    }
    let reply = convert::reconciliation::broken(&of);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.break.resolved");
    Ok(reply)
}
