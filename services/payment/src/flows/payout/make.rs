//! A payout is handed over, or was sent by bank.

use kernel::{Error, Result, ids::PayoutId};
use pg::{
    audit::{self, Entry},
    idempotency::{self, Begin},
};
use proto::payment::v1 as pb;
use rpc::Ctx;
use serde_json::json;

use super::super::drawer::follow::follow_payout;
use crate::{
    App, db,
    rpc::convert::{self, payout as wire},
};

/// Notes that a payout is paid.
///
/// # Errors
/// `InvalidArgument` for a transfer without its number, or cash with one; `PAYOUT_PAID`; `DRAWER_NOT_OPEN` for cash where a
/// drawer is required; `NotFound`; `PermissionDenied` for staff of another store.
pub async fn make_payout(app: &App, ctx: Ctx, request: pb::MakePayoutRequest) -> Result<pb::Payout> {
    let id = PayoutId::parse_name("name", &request.name)?;
    let method = wire::method(request.method(), &request.reference)?;
    let key = convert::key(&ctx, &request.request_id)?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin::<_, pb::Payout>(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => {
            // Nothing is told that the first answer didn't tell the same caller.
            ctx.caller.see_own(None, ctx.caller.bound_store())?;
            return Ok(reply);
        }
        Begin::Fresh(ticket) => ticket,
    };
    let mut payout = db::payouts::lock(&mut tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    ctx.caller.see_own(Some(payout.payee), Some(payout.store))?;
    let booking = payout.pay(method, key.caller, now)?;
    db::payouts::save_paid(&mut tx, &payout).await?;
    db::ledger::post(&mut tx, now, &booking).await?;
    follow_payout(&mut tx, now, key.caller, &payout, &booking).await?;
    let entry = Entry {
        actor: key.caller.to_owned(),
        action: "payment.payout".to_owned(),
        target: id.name(),
        detail: json!({
            "order": payout.order.name(),
            "amount_minor": payout.amount.minor(),
            "currency": payout.amount.currency().code(),
            "method": request.method().as_str_name(),
        }),
    };
    audit::record(&mut tx, now, entry).await?;
    let reply = wire::payout(&payout)?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.payout.committed");
    Ok(reply)
}
