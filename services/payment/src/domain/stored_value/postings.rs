//! What is booked on cards.

use kernel::{
    Money, Result, Uuid,
    ids::{CardId, OrderId, StoreId},
};

use super::Value;
use crate::domain::ledger::{Account, Entry, Kind, SubAccount, Transaction};

/// Money on a card, at a store.
pub fn principal(card: CardId, store: StoreId) -> SubAccount {
    Account::StoredValuePrincipal.at(store).of(card)
}

/// Bonus on a card, at a store.
pub fn bonus(card: CardId, store: StoreId) -> SubAccount {
    Account::StoredValueBonus.at(store).of(card)
}

/// Bonus is given with a top-up.
///
/// # Errors
/// Internal, unless it is above zero.
pub fn granted(card: CardId, store: StoreId, lot: Uuid, order: OrderId, amount: Money) -> Result<Transaction> {
    let expense = Account::PromotionExpense.at(store);
    Ok(Transaction::moving(Kind::BonusGranted, lot, expense, bonus(card, store), amount)?.of_order(order))
}

/// Bonus lapses: what was given away and never asked for has cost nothing.
///
/// # Errors
/// Internal, unless it is above zero.
pub fn lapsed(card: CardId, store: StoreId, source: Uuid, amount: Money) -> Result<Transaction> {
    Transaction::moving(Kind::BonusExpired, source, bonus(card, store), Account::PromotionExpense.at(store), amount)
}

/// Something moves from a card to another, at the store that has issued it; `source` is the old card, or the top-up or
/// refund that came after it was replaced.
///
/// # Errors
/// Internal, if it is nothing.
pub fn replaced(
    source: impl Into<Uuid>,
    store: StoreId,
    from: CardId,
    to: CardId,
    value: Value,
) -> Result<Transaction> {
    let mut entries = sides(from, store, value, Entry::debit)?;
    entries.extend(sides(to, store, value, Entry::credit)?);
    Transaction::try_new(Kind::CardReplaced, source, entries)
}

/// Of a top-up that is given back, `out` leaves where `there` was left of its money: the difference makes bonus that was
/// spent cheaper or dearer; `of` is the top-up's order, and the occasion. `None` if there is none.
///
/// # Errors
/// `AMOUNT_OVERFLOW`.
pub fn set_off(
    card: CardId,
    store: StoreId,
    of: (OrderId, Uuid),
    there: Money,
    out: Money,
) -> Result<Option<Transaction>> {
    let (order, source) = of;
    let (expense, principal) = (Account::PromotionExpense.at(store), principal(card, store));
    let kept = there.try_sub(out)?;
    let moving = match kept.minor() {
        0 => return Ok(None),
        1.. => Transaction::moving(Kind::SetOff, source, principal, expense, kept)?,
        _ => Transaction::moving(Kind::SetOff, source, expense, principal, out.try_sub(there)?)?,
    };
    Ok(Some(moving.of_order(order)))
}

/// The sides of both accounts of a card, but for one of nothing.
fn sides(
    card: CardId,
    store: StoreId,
    value: Value,
    side: impl Fn(SubAccount, Money) -> Result<Entry>,
) -> Result<Vec<Entry>> {
    sides_of(card, store, value).into_iter().map(|(on, amount)| side(on, amount)).collect()
}

/// Both accounts of a card with what they give or get, but for one of nothing.
pub fn sides_of(card: CardId, store: StoreId, value: Value) -> Vec<(SubAccount, Money)> {
    let both = [(principal(card, store), value.principal), (bonus(card, store), value.bonus)];
    both.into_iter().filter(|(_, amount)| !amount.is_zero()).collect()
}
