//! Money going back to where it came from.

use kernel::{
    Money, Timestamp,
    ids::{PaymentId, RefundId},
};

/// Money going back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its id. It follows from the payment's: a payment is given back once at most, whole or in part.
    pub id: RefundId,
    /// Which payment it gives back.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
    /// Why, in a word for programs.
    pub reason: String,
    /// Where it is in its life.
    pub state: State,
    /// When it was decided.
    pub create_time: Timestamp,
}

impl Refund {
    /// The one refund that a payment can have.
    pub fn id_for(payment: PaymentId) -> RefundId {
        RefundId::derive(payment.uuid(), "refund")
    }

    /// Whether the money is back with the customer.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Succeeded { .. })
    }
}

/// Where a refund is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// On its way.
    Pending,
    /// Back with the customer.
    Succeeded {
        /// Since when.
        time: Timestamp,
    },
}
