//! What payment needs of a payment provider.

use std::fmt;

use async_trait::async_trait;
use kernel::{
    Money, Result,
    ids::{PaymentId, RefundId},
};

use crate::domain::Charge;

/// A payment provider. Every call may be repeated: the ids are the idempotency keys.
///
/// Errors of calls: `Unavailable` or `DeadlineExceeded` when the outcome is not known and the call is worth repeating;
/// any other kind is the provider's refusal.
#[async_trait]
pub trait Provider: fmt::Debug + Send + Sync + 'static {
    /// Its name in the path of notices and in records.
    fn name(&self) -> &'static str;

    /// Makes a charge that the customer then pays, or finds the one made before.
    async fn create_charge(&self, charge: NewCharge) -> Result<Charge>;

    /// What became of a charge; `None` if the provider has none for this payment.
    async fn charge(&self, payment: PaymentId) -> Result<Option<ChargeReport>>;

    /// Gives money back, or finds the refund made before.
    async fn refund(&self, refund: NewRefund) -> Result<RefundState>;

    /// Checks a notice's signature and age, and reads it.
    ///
    /// # Errors
    /// `Unauthenticated` with reason `BAD_SIGNATURE` or `STALE_NOTICE`; `InvalidArgument` if what is signed can't be read.
    fn read_notice(&self, envelope: &Envelope<'_>) -> Result<Notice>;
}

/// A charge to be made.
#[derive(Debug, Clone)]
pub struct NewCharge {
    /// What it is for.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
    /// For how many minutes the customer can pay it.
    pub minutes: u32,
}

/// A refund to be made.
#[derive(Debug, Clone)]
pub struct NewRefund {
    /// Its id.
    pub id: RefundId,
    /// The payment that is given back.
    pub payment: PaymentId,
    /// How much of it.
    pub amount: Money,
}

/// What a provider says of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeReport {
    /// The payment that the charge was made for.
    pub payment: PaymentId,
    /// How much, in minor units. It is as the provider says: whether it is right is for the flow to tell.
    pub amount_minor: i64,
    /// The currency as the provider says.
    pub currency: String,
    /// Where the charge is in its life.
    pub state: ChargeState,
}

/// Where a charge is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeState {
    /// The customer can pay, or is paying.
    Pending,
    /// The money is there.
    Succeeded,
    /// It came to nothing, for good.
    Failed {
        /// Why, in a word for programs.
        reason: String,
    },
}

/// Where a refund is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundState {
    /// On its way.
    Pending,
    /// Back with the customer.
    Succeeded,
}

/// A notice as it came, before anything of it is believed.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// `x-sandbox-signature`.
    pub signature: &'a str,
    /// `x-sandbox-timestamp`.
    pub timestamp: &'a str,
    /// `x-sandbox-nonce`.
    pub nonce: &'a str,
    /// The raw body.
    pub body: &'a [u8],
    /// The second, since 1970, at which it came.
    pub received: i64,
    /// How far the timestamp may be off, in seconds.
    pub tolerance: i64,
}

/// A notice that is the provider's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The provider's id for it; the same notice may come again.
    pub id: String,
    /// What sort of notice, such as `charge.succeeded`.
    pub kind: String,
    /// What it says.
    pub report: ChargeReport,
}
