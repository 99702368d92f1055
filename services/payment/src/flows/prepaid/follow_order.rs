//! The order of a contract was paid, or ended: the contract follows in the same transaction.

use kernel::{Error, Result, Timestamp};
use pg::Tx;

use super::record::record;
use crate::{
    db,
    domain::{Happened, Outcome, State as OrderState, prepaid::State},
};

/// Makes the contract of an order, which this transaction has locked, follow what happened to the order.
///
/// # Errors
/// `CONTRACT_PAID` if the order shall end while its contract is in use: that is ended by RefundContract.
pub(crate) async fn follow_order_in_tx(tx: &mut Tx, now: Timestamp, actor: &str, outcome: &Outcome) -> Result<()> {
    let paid = outcome.events.iter().any(|event| event.happened == Happened::Paid);
    let closed = outcome.events.iter().any(|event| event.happened == Happened::Closed);
    if !paid && !closed {
        return Ok(());
    }
    let order = &outcome.order;
    let Some(mut contract) = db::prepaid::lock_of_order(tx, order.id).await? else { return Ok(()) };
    let before = contract.version;
    let change = match (&order.state, contract.state) {
        (OrderState::Paid, _) => contract.activate(contract.day(now)?),
        (OrderState::Closed { .. }, State::Active | State::UsedUp | State::Expired) => {
            let message =
                "the order is of a contract that is paid; end the contract, which gives back what the law says";
            return Err(Error::precondition("CONTRACT_PAID", message).with("contract", contract.id));
        }
        (OrderState::Closed { .. }, _) => contract.cancel(),
        _ => None,
    };
    match change {
        Some(change) => record(tx, now, actor, before, &contract, &[change]).await,
        None => Ok(()),
    }
}
