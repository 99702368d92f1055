//! Money going back to where it came from.

use kernel::{
    Money, Timestamp, Uuid,
    ids::{OrderReturnId, PaymentId, RefundId},
};

/// Why a part of a payment goes back whose order became cheaper.
pub const LOWERED: &str = "PRICE_LOWERED";

/// Money going back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its id. It follows from the payment's and the occasion: when its order ends or it was not owed, a payment is given
    /// back once at most, whole or in part; and in part by each amendment that makes its order cheaper, and whenever something is given back of its order.
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
    /// The one refund that a payment can have when its order ends, or if it was not owed.
    pub fn id_for(payment: PaymentId) -> RefundId {
        RefundId::derive(payment.uuid(), "refund")
    }

    /// The one refund that a payment can have by an amendment.
    pub fn id_for_amendment(payment: PaymentId, amendment: Uuid) -> RefundId {
        RefundId::derive(amendment, &format!("refund/{}", payment.uuid()))
    }

    /// The one refund that a payment can have by something given back of its order.
    pub fn id_for_return(payment: PaymentId, cause: OrderReturnId) -> RefundId {
        RefundId::derive(cause.uuid(), &format!("refund/{}", payment.uuid()))
    }

    /// Whether it gives back what does not count as paid any more, since the order became cheaper.
    pub fn is_lowered(&self) -> bool {
        self.reason == LOWERED
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
