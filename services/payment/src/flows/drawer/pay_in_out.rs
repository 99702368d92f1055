//! Cash is put into a drawer or taken out of it, for another reason than an order.

use kernel::{
    Error, Money, Result,
    ids::{DrawerId, uuid_v7},
};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::{Ctx, convert::money};
use serde_json::json;

use super::{lock_open, note};
use crate::{
    App, db,
    db::drawers::{moved, totals},
    domain::drawer::Movement,
    rpc::convert,
};

/// Puts cash in or takes it out.
///
/// # Errors
/// `NotFound`; `DRAWER_CLOSED`; `InvalidArgument` or `CURRENCY_MISMATCH` for an amount that can't be; `PermissionDenied` for
/// staff of another store.
pub async fn pay_in_out(app: &App, ctx: Ctx, request: pb::PayInOutRequest) -> Result<pb::DrawerMovement> {
    let id = DrawerId::parse_name("name", &request.name)?;
    let amount = money("amount", request.amount.as_ref())?;
    if amount.minor() <= 0 {
        return Err(Error::invalid("amount", "must be above zero"));
    }
    let counterpart = convert::drawer::read_counterpart(request.counterpart())?;
    let reason = request.reason.trim();
    if reason.is_empty() {
        return Err(Error::invalid("reason", "must be stated"));
    }
    let key = convert::key(&ctx, &request.request_id)?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => {
            ctx.caller.see_own(None, ctx.caller.bound_store())?;
            return Ok(reply);
        }
        Begin::Fresh(ticket) => ticket,
    };
    let drawer = lock_open(&mut tx, &ctx, id).await?;
    drawer.check("amount", amount)?;
    let signed = match request.direction() {
        pb::drawer_movement::Direction::In => amount,
        pb::drawer_movement::Direction::Out => Money::zero(amount.currency()).try_sub(amount)?,
        pb::drawer_movement::Direction::Unspecified => return Err(Error::invalid("direction", "must be stated")),
    };
    // What is beyond all measure could never be counted again.
    drawer.expected(moved(drawer.currency(), &totals(&mut tx, &drawer).await?)?.try_add(signed)?)?;
    let movement = Movement::paid(uuid_v7(now), signed, reason);
    let booking = movement.booking(drawer.store, counterpart.account())?;
    db::ledger::post(&mut tx, now, &booking).await?;
    db::drawers::insert_movements(&mut tx, id, now, key.caller, std::slice::from_ref(&movement)).await?;
    let detail = json!({
        "amount_minor": signed.minor(),
        "currency": signed.currency().code(),
        "account": counterpart.account().code(),
        "reason": reason,
    });
    note(&mut tx, now, &ctx, movement.kind.as_str(), id.name(), detail).await?;
    let reply = convert::drawer::movement(id, &request, now);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.drawer.moved");
    Ok(reply)
}
