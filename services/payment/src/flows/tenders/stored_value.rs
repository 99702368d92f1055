//! Money on a stored-value card. The ledger keeps what is available of it at zero or above.

use kernel::{
    Money,
    ids::{CardId, StoreId},
};

use super::{Part, Use};
use crate::domain::{Refund, ledger::Account};

/// The principal gives it.
pub fn reserve(of: Use<'_>, card: CardId) -> Vec<Part> {
    principal(of.order.store, card, of.payment.amount)
}

/// The principal gets it back.
pub fn give_back(of: Use<'_>, card: CardId, refund: &Refund) -> Vec<Part> {
    principal(of.order.store, card, refund.amount)
}

fn principal(store: StoreId, card: CardId, amount: Money) -> Vec<Part> {
    vec![Part { on: Account::StoredValuePrincipal.at(store).of(card), amount }]
}
