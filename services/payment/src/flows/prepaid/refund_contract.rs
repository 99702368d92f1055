//! A contract is ended: the law says what goes back.

use kernel::{
    Error, FieldViolation, Money, Result, Timestamp,
    ids::{ContractId, PayoutId},
};
use pg::{
    PgConnection,
    idempotency::{self, Begin, Key},
};
use prost::Message;
use proto::payment::v1 as pb;
use rpc::{Ctx, convert::money};

use super::{
    super::{
        record::record as record_order,
        risk::{self, OnReview},
    },
    lock,
    record::record,
};
use crate::{
    App,
    db::{self, prepaid::StoredRefund},
    domain::{
        Keep, Order,
        payout::{Payout, State as PayoutState},
        prepaid::{Claim, Contract, Had, Settlement, case, settlement::settle},
        refund_law::{self, Quote, RuleBook},
        risk::{Operation, OperationKind},
    },
    rpc::convert::{self, date::optional_date, prepaid, refund_law as law},
};

/// Why the order of a contract ended that was refunded.
const CONTRACT_REFUNDED: &str = "CONTRACT_REFUNDED";

/// Reckons what the contract's end would give back today.
///
/// # Errors
/// `CONTRACT_NOT_REFUNDABLE` or `USES_RESERVED`; `NotFound`, `PermissionDenied`.
pub async fn preview_contract_refund(
    app: &App,
    ctx: Ctx,
    request: pb::PreviewContractRefundRequest,
) -> Result<pb::ContractRefund> {
    let id = ContractId::parse_name("name", &request.name)?;
    let claim = Claim {
        cause: law::cause("cause", request.cause())?,
        stopped_on: optional_date("stop_date", request.stop_date.as_ref())?,
        gifts: law::gifts(&request.gifts)?,
        costs: law::costs(&request.costs)?,
    };
    let mut conn = app.pg.conn().await?;
    let contract = db::prepaid::get(&mut conn, id).await?.ok_or_else(|| Error::not_found(id))?;
    ctx.caller.see_own(Some(contract.holder), Some(contract.store))?;
    let order = db::orders::get(&mut conn, contract.order).await?.ok_or_else(|| Error::not_found(contract.order))?;
    let (quote, settlement) = reckon(app, &mut conn, &contract, &order, &claim, app.clock.now()).await?;
    Ok(prepaid::refund(&contract, claim.cause, &quote, &settlement, None, None))
}

/// Ends the contract. What the law gives goes back to where it was paid from, by the order; what that can't take, or must
/// not, is owed to the holder as a payout. The quote is stored.
///
/// # Errors
/// Those of [`preview_contract_refund`], and `REFUND_CHANGED` if it is not what was expected; `RISK_REFUSED`.
pub async fn refund_contract(app: &App, ctx: Ctx, request: pb::RefundContractRequest) -> Result<pb::ContractRefund> {
    let done = refund(app, ctx, request).await;
    risk::noted(app, done).await
}

async fn refund(app: &App, ctx: Ctx, request: pb::RefundContractRequest) -> Result<pb::ContractRefund> {
    let id = ContractId::parse_name("name", &request.name)?;
    let key = convert::key(&ctx, &request.request_id)?;
    let claim = Claim {
        cause: law::cause("cause", request.cause())?,
        stopped_on: optional_date("stop_date", request.stop_date.as_ref())?,
        gifts: law::gifts(&request.gifts)?,
        costs: law::costs(&request.costs)?,
    };
    let expected = request.expected.as_ref().map(|amount| money("expected", Some(amount))).transpose()?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin::<_, pb::ContractRefund>(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => {
            // Nothing is told that the first answer didn't tell the same caller.
            ctx.caller.see_own(None, ctx.caller.bound_store())?;
            return Ok(reply);
        }
        Begin::Fresh(ticket) => ticket,
    };
    let known = db::prepaid::get(&mut tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    ctx.caller.see_own(Some(known.holder), Some(known.store))?;
    let order = db::orders::lock(&mut tx, known.order).await?.ok_or_else(|| Error::not_found(known.order))?;
    // Before the contract is locked, as by whoever pays with it; so by what it gives as it was a moment ago.
    let (quote, _) = reckon(app, &mut tx, &known, &order, &claim, now).await?;
    risk::assess(&mut tx, now, &operation(ctx.caller.subject(), key, &known, quote.refund), OnReview::Queue).await?;
    let mut contract = lock(&mut tx, id).await?;
    ctx.caller.see_own(Some(contract.holder), Some(contract.store))?;
    let (quote, settlement) = reckon(app, &mut tx, &contract, &order, &claim, now).await?;
    as_expected(quote.refund, expected)?;

    if let Some(booking) = &settlement.booking {
        db::ledger::post(&mut tx, now, booking).await?;
    }
    let payout = payout(&contract, &settlement, now)?;
    if let Some(payout) = &payout {
        db::payouts::insert(&mut tx, payout).await?;
    }
    let reply = prepaid::refund(&contract, claim.cause, &quote, &settlement, payout.map(|payout| payout.id), Some(now));
    let before = contract.version;
    let change = contract.refunded(settlement.of_price()?)?;
    record(&mut tx, now, ctx.caller.subject(), before, &contract, &[change]).await?;
    let stored = StoredRefund {
        contract: id,
        cause: claim.cause.key(),
        refund: quote.refund,
        beyond: settlement.beyond_sources,
        rules: quote.rules,
        quote: law::quote(&quote).encode_to_vec(),
    };
    db::prepaid::insert_refund(&mut tx, now, &stored).await?;
    let kept = contract.terms.price.try_sub(settlement.to_sources)?;
    let since = app.policy.provider_refunds_since(now);
    let outcome =
        order.clone().close_by(Keep::UpTo(kept), CONTRACT_REFUNDED, now, |payment| payment.takes_back(since))?;
    record_order(&mut tx, now, ctx.caller.subject(), &order, &outcome).await?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.contract.refunded");
    app.wake_refunds();
    Ok(reply)
}

/// What pays the holder what goes back by hand.
fn payout(contract: &Contract, settlement: &Settlement, now: Timestamp) -> Result<Option<Payout>> {
    let amount = settlement.by_hand()?;
    Ok((!amount.is_zero()).then(|| Payout {
        id: PayoutId::derive(contract.id.uuid(), "payout"),
        order: contract.order,
        store: contract.store,
        payee: contract.holder,
        amount,
        of_price: settlement.at_desk,
        reason: CONTRACT_REFUNDED.to_owned(),
        state: PayoutState::Due,
        create_time: now,
    }))
}

/// What risk looks at.
fn operation(actor: &str, key: Key<'_>, contract: &Contract, amount: Money) -> Operation {
    Operation {
        kind: OperationKind::Refund,
        source: kernel::ids::derive(key.request_id, &format!("end of {} by {actor}", contract.id)),
        target: contract.order.name(),
        customer: contract.holder,
        store: contract.store,
        card: None,
        address: None,
        actor: actor.to_owned(),
        amount,
    }
}

/// What the law gives today, and how it is paid and booked.
async fn reckon(
    app: &App,
    conn: &mut PgConnection,
    contract: &Contract,
    order: &Order,
    claim: &Claim,
    now: Timestamp,
) -> Result<(Quote, Settlement)> {
    contract.must_be_refundable()?;
    let had = db::prepaid::had(conn, contract.id.uuid()).await?;
    let had: Vec<Had> =
        had.into_iter().map(|(at, position)| Ok(Had { on: contract.day(at)?, position })).collect::<Result<_>>()?;
    let (case, request) = case(contract, &had, claim, contract.day(now)?)?;
    let quote = refund_law::quote(RuleBook::shared()?, &case, &request).map_err(as_asked)?;
    let settlement = settle(contract, quote.refund, order.sources(app.policy.provider_refunds_since(now))?)?;
    Ok((quote, settlement))
}

/// Names wrong fields as they came in. The case is ours; only cause, stop, gifts and costs are the caller's.
fn as_asked(error: Error) -> Error {
    let asked = |field: &str| {
        let known = [
            ("request.cause", "cause"),
            ("contract.plan.stopped_on", "stop_date"),
            ("contract.gifts", "gifts"),
            ("request.costs", "costs"),
        ];
        known.iter().find_map(|(ours, theirs)| Some(format!("{theirs}{}", field.strip_prefix(ours)?)))
    };
    let renamed: Option<Vec<FieldViolation>> = error
        .violations()
        .iter()
        .map(|of| Some(FieldViolation { field: asked(&of.field)?, description: of.description.clone() }))
        .collect();
    match renamed {
        Some(renamed) if !renamed.is_empty() => Error::invalid_fields(renamed),
        _ => error,
    }
}

/// That what goes back is what was expected, if something was.
///
/// # Errors
/// `REFUND_CHANGED`.
pub(in crate::flows) fn as_expected(refund: Money, expected: Option<Money>) -> Result<()> {
    match expected {
        Some(expected) if expected != refund => {
            Err(Error::precondition("REFUND_CHANGED", format!("{refund} goes back, not {expected}; preview it again"))
                .with("refund_minor", refund.minor())
                .with("currency", refund.currency()))
        }
        _ => Ok(()),
    }
}
