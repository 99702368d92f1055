//! Somebody has looked at what broke a rule.

use kernel::{
    Error, Result,
    ids::{OrderId, RiskReviewId},
};
use pg::idempotency::{self, Begin};
use prost::Message;
use proto::payment::v1::{self as pb, resolve_review_request::Resolution};
use rpc::{Ctx, convert::to_money};
use serde_json::json;

use super::{
    super::{charge, refund_order::give_back},
    OnReview, note,
};
use crate::{App, db, rpc::convert};

/// Approves or rejects a review; what was held happens in the same transaction if it is approved.
///
/// # Errors
/// `NotFound`; `PermissionDenied` for another store; `WRONG_STATE`, `OWN_OPERATION`; `REFUND_CHANGED`, and those of a refund
/// that isn't possible any more.
pub async fn resolve_review(app: &App, ctx: Ctx, request: pb::ResolveReviewRequest) -> Result<pb::RiskReview> {
    let id = RiskReviewId::parse_name("name", &request.name)?;
    let approved = match request.resolution() {
        Resolution::Approve => true,
        Resolution::Reject => false,
        Resolution::Unspecified => return Err(Error::invalid("resolution", "must be to approve or to reject")),
    };
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
    // The order is locked before the review, as by whoever asks for the refund again.
    let known = db::risk::get_review(&mut tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    ctx.caller.see_own(None, Some(known.store))?;
    let order = match &known.held {
        Some(_) => Some(charge::lock(&mut tx, OrderId::parse_name("target", &known.target)?).await?),
        None => None,
    };
    let review = db::risk::lock_review(&mut tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    let review = review.resolve(approved, ctx.caller.subject(), &request.reason, now)?;
    if let (true, Some(order), Some(held)) = (approved, order, &review.held) {
        let held = pb::RefundOrderRequest::decode(held.as_slice()).map_err(Error::internal)?;
        let made = give_back(app, &mut tx, now, (&review.actor, &held), order, OnReview::Approved).await?;
        // Whoever approves has looked at an amount; of all that was left, less may be left by now.
        if made.amount != Some(to_money(review.amount)) {
            let message = "less can be given back by now than was asked for; reject it, and ask for what is left";
            return Err(Error::precondition("REFUND_CHANGED", message));
        }
    }
    db::risk::resolve_review(&mut tx, &review).await?;
    let detail = json!({ "approved": approved, "reason": request.reason, "of": review.target });
    note(&mut tx, now, ctx.caller.subject(), "risk_review.resolve", id.name(), detail).await?;
    let reply = convert::risk::to_review(&review);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.risk.resolved");
    app.wake_refunds();
    Ok(reply)
}
