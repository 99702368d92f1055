//! A contract is ended: the law says what goes back.

use kernel::{Error, Money, Result, Timestamp, ids::ContractId};
use pg::{
    PgConnection,
    idempotency::{self, Begin, Key},
};
use prost::Message;
use proto::{google::r#type::Date as PbDate, payment::v1 as pb};
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
        Keep,
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
    let claim = claim(request.cause(), request.stop_date.as_ref())?;
    let mut conn = app.pg.conn().await?;
    let contract = db::prepaid::get(&mut conn, id).await?.ok_or_else(|| Error::not_found(id))?;
    ctx.caller.see_own(Some(contract.holder), Some(contract.store))?;
    let (quote, settlement) = reckon(&mut conn, &contract, claim, app.clock.now()).await?;
    Ok(prepaid::refund(&contract, claim.cause, &quote, &settlement, None))
}

/// Ends the contract. What the law gives goes back to where it was paid from, by the order; the quote is stored.
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
    let claim = claim(request.cause(), request.stop_date.as_ref())?;
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
    let (quote, _) = reckon(&mut tx, &known, claim, now).await?;
    risk::assess(&mut tx, now, &operation(ctx.caller.subject(), key, &known, quote.refund), OnReview::Queue).await?;
    let mut contract = lock(&mut tx, id).await?;
    ctx.caller.see_own(Some(contract.holder), Some(contract.store))?;
    let (quote, settlement) = reckon(&mut tx, &contract, claim, now).await?;
    as_expected(quote.refund, expected)?;
    let reply = prepaid::refund(&contract, claim.cause, &quote, &settlement, Some(now));

    if let Some(booking) = &settlement.booking {
        db::ledger::post(&mut tx, now, booking).await?;
    }
    let before = contract.version;
    let change = contract.refunded(settlement.to_sources)?;
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
    let outcome = order.clone().close(Keep::UpTo(kept), CONTRACT_REFUNDED, now)?;
    record_order(&mut tx, now, ctx.caller.subject(), &order, &outcome).await?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.contract.refunded");
    app.wake_refunds();
    Ok(reply)
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

fn claim(cause: pb::RefundCause, stop_date: Option<&PbDate>) -> Result<Claim> {
    Ok(Claim { cause: law::cause("cause", cause)?, stopped_on: optional_date("stop_date", stop_date)? })
}

/// What the law gives today, and how it is paid and booked.
async fn reckon(
    conn: &mut PgConnection,
    contract: &Contract,
    claim: Claim,
    now: Timestamp,
) -> Result<(Quote, Settlement)> {
    contract.must_be_refundable()?;
    let had = db::prepaid::had(conn, contract.id.uuid()).await?;
    let had: Vec<Had> =
        had.into_iter().map(|(at, position)| Ok(Had { on: contract.day(at)?, position })).collect::<Result<_>>()?;
    let (case, request) = case(contract, &had, claim, contract.day(now)?)?;
    let quote = refund_law::quote(RuleBook::shared()?, &case, &request);
    // The case is ours; only cause and stop are the caller's.
    let quote = quote.map_err(|error| match error.violations() {
        [only] if only.field == "request.cause" => Error::invalid("cause", only.description.clone()),
        [only] if only.field == "contract.plan.stopped_on" => Error::invalid("stop_date", only.description.clone()),
        _ => error,
    })?;
    let settlement = settle(contract, quote.refund)?;
    Ok((quote, settlement))
}

fn as_expected(refund: Money, expected: Option<Money>) -> Result<()> {
    match expected {
        Some(expected) if expected != refund => {
            Err(Error::precondition("REFUND_CHANGED", format!("{refund} goes back, not {expected}; preview it again"))
                .with("refund_minor", refund.minor())
                .with("currency", refund.currency()))
        }
        _ => Ok(()),
    }
}
