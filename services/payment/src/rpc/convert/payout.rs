//! Payouts for the wire.

use kernel::{Error, Result};
use proto::payment::v1 as pb;
use rpc::convert::{to_money, to_timestamp};

use crate::domain::payout::{Method, Payout, State};

/// How a payout is paid, which came in as `method` and `reference`.
///
/// # Errors
/// `InvalidArgument` if the number of a transfer is missing, or one is given for cash.
pub fn method(wire: pb::payout::Method, reference: &str) -> Result<Method> {
    use pb::payout::Method as Wire;
    match wire {
        Wire::Unspecified => Err(Error::invalid("method", "must be stated")),
        Wire::Cash if reference.is_empty() => Ok(Method::Cash),
        Wire::Cash => Err(Error::invalid("reference", "is for transfers; leave it out for cash")),
        Wire::BankTransfer if reference.trim().is_empty() => {
            Err(Error::invalid("reference", "must be the bank's number of the transfer"))
        }
        Wire::BankTransfer => Ok(Method::BankTransfer { reference: reference.to_owned() }),
    }
}

/// The stored word of a state; `None` for any.
pub const fn stored_state(wire: pb::payout::State) -> Option<&'static str> {
    match wire {
        pb::payout::State::Unspecified => None,
        pb::payout::State::Due => Some("due"),
        pb::payout::State::Paid => Some("paid"),
    }
}

/// A payout.
///
/// # Errors
/// None, as long as no more of it is of the price than it is.
pub fn payout(payout: &Payout) -> Result<pb::Payout> {
    use pb::payout::{Method as WireMethod, State as WireState};
    let (state, method, reference, paid) = match &payout.state {
        State::Due => (WireState::Due, WireMethod::Unspecified, "", None),
        State::Paid { method, time, .. } => {
            let wire = match method {
                Method::Cash => WireMethod::Cash,
                Method::BankTransfer { .. } => WireMethod::BankTransfer,
            };
            (WireState::Paid, wire, method.reference(), Some(to_timestamp(*time)))
        }
    };
    Ok(pb::Payout {
        name: payout.id.name(),
        order: payout.order.name(),
        store: payout.store.name(),
        payee: payout.payee.name(),
        amount: Some(to_money(payout.amount)),
        beyond_price: Some(to_money(payout.amount.try_sub(payout.of_price)?)),
        reason: payout.reason.clone(),
        state: state.into(),
        method: method.into(),
        reference: reference.to_owned(),
        create_time: Some(to_timestamp(payout.create_time)),
        pay_time: paid,
    })
}
