//! A card is given back: each of its top-ups by the law on prepaid consumption, as a contract of its own.

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{CardId, CardRefundId, OrderId, PayoutId},
};
use pg::{PgConnection, Tx};
use prost::Message;
use proto::payment::v1::{self as pb, card_changed::Change};
use rpc::{
    Ctx,
    convert::{money, to_money},
};
use serde_json::json;

use super::{
    super::{invoice::excess::take_back_excess, no_such_order, prepaid::refund_contract::as_expected, record::record},
    edit::{Edit, Started},
    events::{self, Happened},
    follow_order::give_up,
    known, no_such_card, see,
};
use crate::{
    App, db,
    db::stored_value::{cards, refunds},
    domain::{
        Keep, Order, State as OrderState,
        payout::{Payout, State as PayoutState},
        refund_law::{self, Cause, KnownService, Quote, Request, RuleBook},
        stored_value::{
            Card, Lot,
            law::{Had, Ways, case},
        },
    },
    flows::ledger::close_days::zone,
    rpc::convert::{refund_law as law, stored_value as convert},
};

/// Why the order of a top-up ends that is given back, and why its card does.
const CARD_REFUNDED: &str = "CARD_REFUNDED";

/// Why a card is given back.
#[derive(Debug, Clone, Copy)]
struct Claim {
    cause: Cause,
    known_elsewhere: bool,
}

/// What a top-up gives back.
struct Part {
    order: Order,
    quote: Quote,
    /// What of it went back before.
    before: Money,
    ways: Ways,
    /// The bonus that is void.
    void: Money,
}

/// What giving a card back would give, with all reasons. Nothing is changed.
///
/// # Errors
/// As for reading the card; `InvalidArgument` for a cause that the law doesn't know for money on a card; those of
/// [`Card::must_be_refundable`].
pub async fn preview(app: &App, ctx: Ctx, request: pb::PreviewCardRefundRequest) -> Result<pb::CardRefund> {
    let card = known(app, &ctx.caller, CardId::parse_name("card", &request.card)?).await?;
    let claim = Claim { cause: law::cause("cause", request.cause())?, known_elsewhere: request.known_elsewhere };
    card.must_be_refundable()?;
    let now = app.clock.now();
    let parts = parts(app, &mut *app.pg.conn().await?, &card, claim, now).await?;
    encode(&card, &parts, None, now)
}

/// Gives a card back: each top-up's order is closed, and what the law says goes back to where it came from, or is owed as a
/// payout where that can't take it. Its bonus is void, and the card ends unless it shall be kept. What comes back later to
/// a card that has ended makes it one again, and is given back by hand if that is asked for.
///
/// # Errors
/// As [`preview`]; `CARD_OF_OTHER_STORE` for staff of another store than that which has issued it; `REFUND_CHANGED`;
/// `CARD_CHANGED` (`Aborted`) if it was topped up meanwhile: try again.
pub async fn refund_card(app: &App, ctx: Ctx, request: pb::RefundCardRequest) -> Result<pb::CardRefund> {
    let id = CardId::parse_name("card", &request.card)?;
    let claim = Claim { cause: law::cause("cause", request.cause())?, known_elsewhere: request.known_elsewhere };
    let expected = request.expected.as_ref().map(|amount| money("expected", Some(amount))).transpose()?;
    let mut edit = match Edit::begin(app, &ctx, &request, &request.request_id).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    let (tx, now) = (&mut edit.tx, edit.now);
    let seen = cards::get(tx, id).await?.ok_or_else(|| no_such_card(id))?;
    see(&ctx.caller, &seen)?;
    if ctx.caller.bound_store().is_some_and(|bound| bound != seen.store) {
        let message = "a card is given back at the store that has issued it";
        return Err(Error::precondition("CARD_OF_OTHER_STORE", message).with("card", id));
    }
    let card = lock_with_orders(tx, &seen).await?;
    card.must_be_refundable()?;
    let parts = parts(app, tx, &card, claim, now).await?;
    as_expected(total(&card, &parts)?, expected)?;
    let refund = CardRefundId::new(now);
    refunds::insert(tx, now, refund, id, claim.cause.key()).await?;
    for part in &parts {
        let payout = payout(&card, part, refund, now);
        give_back(app, tx, ctx.caller.subject(), now, part, payout.as_ref()).await?;
        let quote = law::quote(&part.quote).encode_to_vec();
        refunds::insert_part(tx, refund, part.order.id, part.ways, part.quote.rules, &quote).await?;
    }
    let before = cards::lock(tx, id).await?.ok_or_else(|| no_such_card(id))?;
    let mut after = before.clone();
    if !request.keep_card {
        after.end(CARD_REFUNDED)?;
        let happened = Happened::to(&after, Change::State);
        events::save_and_tell(tx, now, &before, &mut after, happened).await?;
    }
    let detail = json!({
        "cause": claim.cause.key(),
        "refund_minor": total(&card, &parts)?.minor(),
        "currency": card.currency.code(),
        "orders": parts.iter().map(|part| part.order.id.name()).collect::<Vec<_>>(),
    });
    edit.note("card.refund", id.name(), detail).await?;
    let reply = encode(&after, &parts, Some(refund), now)?;
    let reply = edit.finish(reply).await?;
    kernel::crash::point("payment.card.refunded");
    app.wake_refunds();
    Ok(reply)
}

/// Locks a card: its top-ups' orders first.
async fn lock_with_orders(tx: &mut Tx, seen: &Card) -> Result<Card> {
    let mut orders: Vec<OrderId> = seen.lots.iter().map(|lot| lot.order).collect();
    orders.sort_unstable();
    for order in &orders {
        db::orders::lock(tx, *order).await?;
    }
    let card = cards::lock(tx, seen.id).await?.ok_or_else(|| no_such_card(seen.id))?;
    if card.lots.iter().any(|lot| !orders.contains(&lot.order)) {
        return Err(Error::aborted("CARD_CHANGED", "the card was topped up meanwhile; try again"));
    }
    Ok(card)
}

/// One top-up goes back: by its order, which ends, and by hand.
async fn give_back(
    app: &App,
    tx: &mut Tx,
    actor: &str,
    now: Timestamp,
    part: &Part,
    payout: Option<&Payout>,
) -> Result<()> {
    let order = &part.order;
    let mut by_hand = Vec::new();
    if let Some(payout) = payout {
        db::payouts::insert(tx, payout).await?;
        by_hand.push(payout.decided(order.settled())?);
    }
    if !matches!(order.state, OrderState::Closed { .. }) {
        let keep = Keep::UpTo(order.paid.try_sub(part.ways.to_sources)?);
        let since = app.policy.provider_refunds_since(now);
        let mut outcome = order.clone().close_by(keep, CARD_REFUNDED, now, |payment| payment.takes_back(since))?;
        outcome.postings.extend(by_hand);
        return record(tx, now, actor, order, &outcome).await;
    }
    // It was given back before, and something has come back to it since.
    by_hand.extend(give_up(tx, now, order, part.ways.at_desk).await?);
    db::ledger::post_all(tx, now, &by_hand).await?;
    take_back_excess(tx, now, actor, order, order).await
}

fn payout(card: &Card, part: &Part, refund: CardRefundId, now: Timestamp) -> Option<Payout> {
    let amount = part.ways.at_desk;
    (!amount.is_zero()).then(|| Payout {
        id: payout_id(refund, part.order.id),
        order: part.order.id,
        store: part.order.store,
        // Of a card without a holder, who topped it up.
        payee: card.holder.unwrap_or(part.order.customer),
        amount,
        of_price: amount,
        reason: CARD_REFUNDED.to_owned(),
        state: PayoutState::Due,
        create_time: now,
    })
}

fn payout_id(refund: CardRefundId, order: OrderId) -> PayoutId {
    PayoutId::derive(refund.uuid(), &format!("payout of {}", order.uuid()))
}

fn total(card: &Card, parts: &[Part]) -> Result<Money> {
    parts.iter().try_fold(Money::zero(card.currency), |sum, part| sum.try_add(part.ways.total()?))
}

/// With a refund it has come to pass; without one it is a preview.
fn encode(card: &Card, parts: &[Part], refund: Option<CardRefundId>, now: Timestamp) -> Result<pb::CardRefund> {
    let top_up = |part: &Part| pb::card_refund::TopUp {
        order: part.order.id.name(),
        to_sources: Some(to_money(part.ways.to_sources)),
        at_desk: Some(to_money(part.ways.at_desk)),
        bonus_void: Some(to_money(part.void)),
        before: Some(to_money(part.before)),
        quote: Some(law::quote(&part.quote)),
        payout: refund
            .filter(|_| !part.ways.at_desk.is_zero())
            .map(|refund| payout_id(refund, part.order.id).name())
            .unwrap_or_default(),
    };
    Ok(pb::CardRefund {
        card: Some(convert::card(card, now)?),
        top_ups: parts.iter().map(top_up).collect(),
        refund: Some(to_money(total(card, parts)?)),
    })
}

/// What each top-up that has something left gives back, the oldest first.
async fn parts(app: &App, conn: &mut PgConnection, card: &Card, claim: Claim, now: Timestamp) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for lot in &card.lots {
        parts.push(part(app, conn, card, lot, claim, now).await?);
    }
    Ok(parts)
}

async fn part(
    app: &App,
    conn: &mut PgConnection,
    card: &Card,
    lot: &Lot,
    claim: Claim,
    now: Timestamp,
) -> Result<Part> {
    let order = db::orders::get(conn, lot.order).await?.ok_or_else(|| no_such_order(lot.order))?;
    let zone = zone(app, conn, Some(order.store)).await?;
    let day = |at: Timestamp| zone.to_datetime(at).date();
    let known_service = if refunds::knew(conn, order.customer, lot.create_time).await? {
        KnownService::FromThisMerchant
    } else if claim.known_elsewhere {
        KnownService::FromAnotherMerchant
    } else {
        KnownService::New
    };
    let paid = refunds::paid(conn, lot.id, card.currency).await?.into_iter();
    let had = paid.map(|of| Had { on: day(of.time), item: of.item, price: of.price, list_price: of.list_price });
    let case = case(lot, had.collect(), day(lot.create_time), known_service);
    let quote = refund_law::quote(RuleBook::shared()?, &case, &Request::on(claim.cause, day(now)));
    // The case is ours; only the cause is the caller's.
    let quote = quote.map_err(|error| match error.violations() {
        [only] if only.field == "request.cause" => Error::invalid("cause", only.description.clone()),
        _ => error,
    })?;
    let before = refunds::before(conn, order.id, card.currency).await?;
    // What somebody else has paid for the card goes back to nobody but whose it is by now.
    let is_his = card.holder.is_none_or(|holder| holder == order.customer);
    let sources = match order.state {
        OrderState::Paid if is_his => order.sources(app.policy.provider_refunds_since(now))?,
        _ => Money::zero(card.currency),
    };
    let ways = Ways::of(quote.refund, before, sources)?;
    Ok(Part { order, quote, before, ways, void: lot.bonus.open })
}
