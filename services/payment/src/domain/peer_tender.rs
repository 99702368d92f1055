//! What other services keep that pays a part of an order.

use kernel::{
    Money, Timestamp,
    ids::{CheckoutId, CouponId, MemberId, OrderId, PaymentId, RefundId},
};

use super::Tender;

/// Whom it is about; the payment's id is the one under which its keeper knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Which payment.
    pub payment: PaymentId,
    /// Of which order.
    pub order: OrderId,
    /// Who pays with what is his.
    pub customer: MemberId,
    /// The coupon, if it is one.
    pub coupon: Option<CouponId>,
}

/// What goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenBack {
    /// Which refund.
    pub refund: RefundId,
    /// How much of the payment.
    pub amount: Money,
    /// Whether all of the payment is back by then.
    pub whole: bool,
}

/// Where it is in its life, as far as we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its keeper is asked to set it aside; perhaps he has.
    Asked,
    /// It is set aside, and a payment of ours counts on it.
    Reserved,
    /// It is spent.
    Captured,
    /// It is free again.
    Voided,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Asked, Self::Reserved, Self::Captured, Self::Voided];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Reserved => "reserved",
            Self::Captured => "captured",
            Self::Voided => "voided",
        }
    }

    /// Reads the stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Something that another service keeps, and that pays a part of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerTender {
    /// Whom it is about.
    pub kept: Kept,
    /// The checkout of its payment.
    pub checkout: CheckoutId,
    /// The way to pay.
    pub tender: Tender,
    /// How much it pays.
    pub amount: Money,
    /// Where it is in its life.
    pub state: State,
    /// Until when its keeper sets it aside.
    pub hold_until: Timestamp,
    /// Whether its keeper knows what was decided.
    pub told: bool,
}

impl PeerTender {
    /// Whether it is about the same.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.kept, self.checkout, self.tender, self.amount) == (other.kept, other.checkout, other.tender, other.amount)
    }
}
