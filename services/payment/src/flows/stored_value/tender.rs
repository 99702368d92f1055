//! What paying with a card does to its lots, in the transaction of whoever takes payment: an amount is set aside, then spent
//! or released; what was spent comes back in parts. The ledger is booked by the caller, after it.
//!
//! Call them with the order locked, and before anything is booked: the card is locked here.

use kernel::{Error, ErrorKind, Money, Result, Timestamp, Uuid, ids::CardId};
use pg::Tx;
use proto::payment::v1::card_changed::Change;

use super::{
    events::{self, Happened},
    no_such_card,
};
use crate::{
    db::stored_value::{cards, spendings},
    domain::stored_value::{Card, Spending, SpendingState, Use, Value, campaign::days_long},
};

/// For how many days bonus can be spent that comes back after its time.
const GRACE_DAYS: u32 = 30;

/// Sets an amount aside in a card's lots. Returns how much of it is money and how much bonus.
///
/// # Errors
/// `NotFound`; those of [`Card::hold`]; `ALREADY_RESERVED`, if there is a payment of that id.
pub async fn hold(tx: &mut Tx, now: Timestamp, card: CardId, of: Use) -> Result<Value> {
    let before = cards::lock(tx, card).await?.ok_or_else(|| no_such_card(card))?;
    let mut after = before.clone();
    let spending = after.hold(&of, now)?;
    if !spendings::insert(tx, &spending).await? {
        let message = "something was set aside for this payment already";
        return Err(Error::new(ErrorKind::AlreadyExists, "ALREADY_RESERVED", message).with("payment", of.id));
    }
    cards::save(tx, &before, &after).await?;
    spending.value()
}

/// Spends what was set aside. What is spent stays so.
///
/// # Errors
/// `NotFound`; `TRANSFER_VOIDED`, if it was released.
pub async fn spend(tx: &mut Tx, now: Timestamp, id: Uuid) -> Result<()> {
    let (before, mut spending) = locked(tx, id).await?;
    match spending.state {
        SpendingState::Held => {}
        SpendingState::Spent(_) => return Ok(()),
        SpendingState::Voided(_) => return Err(Error::precondition("TRANSFER_VOIDED", "this was called off")),
    }
    let mut card = before.clone();
    card.spend(&mut spending, now)?;
    spendings::decide(tx, &spending).await?;
    let value = Value::zero(card.currency).try_sub(spending.value()?)?;
    let happened = Happened { change: Change::Spent, order: Some(spending.order), value };
    events::save_and_tell(tx, now, &before, &mut card, happened).await
}

/// Releases what was set aside. What is released stays so.
///
/// # Errors
/// `NotFound`; `TRANSFER_POSTED`, if it is spent.
pub async fn release(tx: &mut Tx, now: Timestamp, id: Uuid) -> Result<()> {
    let (before, mut spending) = locked(tx, id).await?;
    match spending.state {
        SpendingState::Held => {}
        SpendingState::Spent(_) => return Err(Error::precondition("TRANSFER_POSTED", "this has come to pass already")),
        SpendingState::Voided(_) => return Ok(()),
    }
    let mut card = before.clone();
    card.release(&mut spending, now)?;
    spendings::decide(tx, &spending).await?;
    Ok(cards::save(tx, &before, &card).await?)
}

/// Gives a part of what was spent back to the very lots that bore it. Returns the card on which they are now, and how much
/// of it is money and how much bonus.
///
/// # Errors
/// `NotFound`; those of [`Card::give_back`].
pub async fn give_back(tx: &mut Tx, now: Timestamp, id: Uuid, amount: Money) -> Result<(CardId, Value)> {
    let (before, mut spending) = locked(tx, id).await?;
    let mut card = before.clone();
    let value = card.give_back(&mut spending, amount, now, now + days_long(GRACE_DAYS))?;
    spendings::note_returned(tx, &spending).await?;
    let happened = Happened { change: Change::Returned, order: Some(spending.order), value };
    events::save_and_tell(tx, now, &before, &mut card, happened).await?;
    Ok((card.id, value))
}

async fn locked(tx: &mut Tx, id: Uuid) -> Result<(Card, Spending)> {
    let known = cards::lock_of(tx, id).await?;
    known.ok_or_else(|| Error::not_found(format!("payment with a card {id}")))
}
