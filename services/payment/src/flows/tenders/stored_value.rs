//! Money and bonus on a stored-value card, from its lots and back to them.

use kernel::{Result, Timestamp, ids::CardId};
use pg::Tx;

use super::{Part, Use};
use crate::{
    domain::{
        Refund,
        stored_value::{self, Value, postings},
    },
    flows::stored_value::tender,
};

/// The card's lots set it aside. `shown` says whether staff have the card before them.
pub async fn reserve(tx: &mut Tx, now: Timestamp, of: Use<'_>, card: CardId, shown: bool) -> Result<Vec<Part>> {
    let wanted = stored_value::Use {
        id: of.payment.id.uuid(),
        order: of.order.id,
        store: of.order.store,
        customer: of.order.customer,
        shown,
        amount: of.payment.amount,
    };
    let value = tender::hold(tx, now, card, wanted).await?;
    Ok(parts(of, card, value))
}

/// It is spent.
pub async fn commit(tx: &mut Tx, now: Timestamp, of: Use<'_>) -> Result<()> {
    tender::spend(tx, now, of.payment.id.uuid()).await
}

/// It can be spent otherwise.
pub async fn void(tx: &mut Tx, now: Timestamp, of: Use<'_>) -> Result<()> {
    tender::release(tx, now, of.payment.id.uuid()).await
}

/// The lots get it back that bore it, on whichever card they are by now.
pub async fn give_back(tx: &mut Tx, now: Timestamp, of: Use<'_>, refund: &Refund) -> Result<Vec<Part>> {
    let (card, value) = tender::give_back(tx, now, of.payment.id.uuid(), refund.amount).await?;
    Ok(parts(of, card, value))
}

fn parts(of: Use<'_>, card: CardId, value: Value) -> Vec<Part> {
    let sides = postings::sides_of(card, of.order.store, value);
    sides.into_iter().map(|(on, amount)| Part { on, amount }).collect()
}
