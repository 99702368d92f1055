//! Tips are handed over to a therapist.

use kernel::{
    Error, Result,
    ids::{StoreId, TherapistId, TipPayoutId},
};
use pg::{
    audit::{self, Entry},
    idempotency::{self, Begin},
};
use proto::payment::v1 as pb;
use rpc::{Ctx, convert::money};
use serde_json::json;

use crate::{
    App, db,
    db::tips::{Payout, Way},
    domain::{
        drawer::Movement,
        ledger::{Account, Kind, Transaction},
    },
    rpc::convert,
};

/// Hands over what is owed to a therapist, or a part of it.
///
/// # Errors
/// `INSUFFICIENT_BALANCE` if less is owed, whoever takes it first; `DRAWER_NOT_OPEN` for cash where no drawer is open;
/// `InvalidArgument` for an amount that can't be; `PermissionDenied` for staff of another store.
pub async fn pay_out_tips(app: &App, ctx: Ctx, request: pb::PayOutTipsRequest) -> Result<pb::TipPayout> {
    let therapist = TherapistId::parse_name("therapist", &request.therapist)?;
    let store = StoreId::parse_name("store", &request.store)?;
    let amount = money("amount", request.amount.as_ref())?;
    if amount.minor() <= 0 {
        return Err(Error::invalid("amount", "must be above zero"));
    }
    let (way, place) = match request.way() {
        pb::tip_payout::Way::Drawer => (Way::Drawer, Account::CashDrawer),
        pb::tip_payout::Way::Transfer => (Way::Transfer, Account::Bank),
        pb::tip_payout::Way::Unspecified => return Err(Error::invalid("way", "must be stated")),
    };
    let key = convert::key(&ctx, &request.request_id)?;
    ctx.caller.see_own(None, Some(store))?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let payout = Payout { id: TipPayoutId::new(now), therapist, store, amount, way, create_time: now };
    let owed = Account::TipsPayable.at(store).of(therapist);
    let booking = Transaction::moving(Kind::TipPayout, payout.id, owed, place.at(store), amount)?;
    db::ledger::post(&mut tx, now, &booking).await?;
    if let Some(movement) = Movement::of_posting(&booking, Account::CashDrawer, store)? {
        let drawer = db::drawers::hold_open(&mut tx, store, amount.currency(), key.caller).await?;
        let drawer = drawer.ok_or_else(|| {
            Error::precondition("DRAWER_NOT_OPEN", "open a drawer before you hand tips over in cash")
                .with("store", store)
        })?;
        db::drawers::insert_movements(&mut tx, drawer, now, key.caller, &[movement.as_paid("TIPS")]).await?;
    }
    db::tips::insert_payout(&mut tx, &payout, key.caller).await?;
    let entry = Entry {
        actor: key.caller.to_owned(),
        action: "payment.tip.pay_out".to_owned(),
        target: therapist.name(),
        detail: json!({
            "payout": payout.id.name(),
            "store": store.name(),
            "amount_minor": amount.minor(),
            "currency": amount.currency().code(),
            "way": way.as_str(),
        }),
    };
    audit::record(&mut tx, now, entry).await?;
    let reply = convert::tip::payout(&payout);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.tip.paid_out");
    Ok(reply)
}
