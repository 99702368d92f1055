//! What an order's transition does to a card: a top-up that is paid becomes a lot, and one that is given back ends.

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{CardId, CardLotId, derive},
};
use pg::Tx;
use proto::payment::v1::card_changed::Change;

use super::{
    events::{self, Happened},
    no_such_card,
};
use crate::{
    db::stored_value::{campaigns, cards, top_ups},
    domain::{
        Happened as OrderHappened, Order, Outcome, Subject,
        ledger::{Account, Kind, Transaction},
        stored_value::{Card, Lot, Pot, State, Value, campaign::days_long, postings},
    },
};

/// Follows a transition that is about to be stored; what it returns is to be booked together with it. The card is locked
/// before the ledger.
///
/// # Errors
/// `CARD_IN_USE` if a top-up shall be given back of which something is set aside.
pub(in crate::flows) async fn follow(tx: &mut Tx, now: Timestamp, outcome: &Outcome) -> Result<Vec<Transaction>> {
    let Subject::TopUp(card) = outcome.order.subject else { return Ok(Vec::new()) };
    let order = &outcome.order;
    if outcome.postings.iter().any(|posting| posting.kind() == Kind::PaidAhead) {
        return load(tx, now, order, card).await;
    }
    if outcome.events.iter().any(|event| event.happened == OrderHappened::Closed) {
        let gives_back = |posting: &&Transaction| matches!(posting.kind(), Kind::RefundDecided | Kind::PayoutDecided);
        let decided = outcome.postings.iter().filter(gives_back);
        let entries = decided.flat_map(|posting| posting.entries());
        let taken = entries.filter(|entry| entry.on.account == Account::StoredValuePrincipal).map(|entry| entry.amount);
        let out = Money::try_sum(order.currency(), taken)?;
        return give_up(tx, now, order, out).await;
    }
    Ok(Vec::new())
}

/// A top-up is paid. If its card was replaced meanwhile, the money goes on to the one in its place.
async fn load(tx: &mut Tx, now: Timestamp, order: &Order, asked: CardId) -> Result<Vec<Transaction>> {
    let before = in_its_place(tx, asked).await?;
    let promised = top_ups::end(tx, order.id, top_ups::End::Loaded).await?.and_then(|top_up| top_up.promised);
    let id = CardLotId::derive(order.id.uuid(), "lot");
    let bonus = promised.map_or(Money::zero(before.currency), |(_, bonus, _)| bonus);
    let lot = Lot {
        id,
        order: order.id,
        campaign: promised.map(|(campaign, ..)| campaign),
        principal: Pot::full(order.total),
        bonus: Pot::full(bonus),
        bonus_expire_time: promised.and_then(|(.., days)| days).map(|days| now + days_long(days)),
        create_time: now,
    };
    let value = Value { principal: order.total, bonus };
    let mut card = before.clone();
    card.lots.push(lot);
    if matches!(card.state, State::Closed { replaced_by: None, .. }) {
        card.state = State::Active;
    }
    let happened = Happened { change: Change::ToppedUp, order: Some(order.id), value };
    events::save_and_tell(tx, now, &before, &mut card, happened).await?;

    let mut more = Vec::new();
    if card.id != asked {
        let money = Value { bonus: Money::zero(card.currency), ..value };
        more.push(postings::replaced(order.id, order.store, asked, card.id, money)?.of_order(order.id));
    }
    if !bonus.is_zero() {
        more.push(postings::granted(card.id, order.store, id.uuid(), order.id, bonus)?);
    }
    Ok(more)
}

/// Locks a card, or the one that has taken its place.
async fn in_its_place(tx: &mut Tx, mut id: CardId) -> Result<Card> {
    loop {
        let card = cards::lock(tx, id).await?.ok_or_else(|| no_such_card(id))?;
        match card.state {
            State::Closed { replaced_by: Some(next), .. } => id = next,
            _ => return Ok(card),
        }
    }
}

/// A top-up is given back, if it was paid: `out` is taken from the money of the card that the order is for. What it returns
/// is to be booked together with that.
///
/// # Errors
/// `CARD_IN_USE` if something of it is set aside.
pub(super) async fn give_up(tx: &mut Tx, now: Timestamp, order: &Order, out: Money) -> Result<Vec<Transaction>> {
    let Subject::TopUp(asked) = order.subject else { return Ok(Vec::new()) };
    let Some((before, id)) = cards::lock_of_order(tx, order.id).await? else { return Ok(Vec::new()) };
    let mut card = before.clone();
    let lot = card.lots.iter_mut().find(|lot| lot.id == id);
    let lot = lot.ok_or_else(|| Error::internal(format!("{id} is not on {}", before.id)))?;
    let there = lot.give_up(out)?;
    let campaign = lot.campaign;
    let gone = Value::zero(card.currency).try_sub(there)?;
    // What comes back to it later can be given back once more.
    let occasion = |what: &str| derive(order.id.uuid(), &format!("{what} in version {}", before.version));
    let happened = Happened { change: Change::Refunded, order: Some(order.id), value: gone };
    events::save_and_tell(tx, now, &before, &mut card, happened).await?;
    if let Some(campaign) = campaign
        && !there.bonus.is_zero()
    {
        // What is void was not given away after all.
        campaigns::promise(tx, campaign, gone.bonus).await?;
    }

    let mut more = Vec::new();
    more.extend(postings::set_off(card.id, order.store, (order.id, occasion("set off")), there.principal, out)?);
    if card.id != asked && !out.is_zero() {
        let money = Value { principal: out, bonus: Money::zero(card.currency) };
        more.push(postings::replaced(occasion("given back"), order.store, card.id, asked, money)?.of_order(order.id));
    }
    if !there.bonus.is_zero() {
        more.push(postings::lapsed(card.id, order.store, occasion("void"), there.bonus)?.of_order(order.id));
    }
    Ok(more)
}
