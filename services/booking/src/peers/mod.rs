//! The services that booking calls.

mod grpc;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use kernel::{
    Money, Result, Uuid,
    ids::{BookingId, ItemId, MemberId, OrderId, QuoteId, StoreId},
};

use proto::payment::v1::OrderLine;

use crate::flows::quoting::Priced;

pub use grpc::{GrpcMembership, GrpcPayment, GrpcPricing};

/// All of them.
#[derive(Clone)]
pub struct Peers {
    /// Who is a customer.
    pub membership: Arc<dyn Membership>,
    /// What a customer pays.
    pub pricing: Arc<dyn Pricing>,
    /// Taking money.
    pub payment: Arc<dyn Payment>,
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peers")
    }
}

/// A price with all reductions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// Its id.
    pub id: QuoteId,
    /// What the customer pays.
    pub price: Money,
}

/// An order to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// Its id.
    pub id: OrderId,
    /// For which visit.
    pub booking: BookingId,
    /// Who owes it.
    pub customer: MemberId,
    /// To which store.
    pub store: StoreId,
    /// What for.
    pub item: ItemId,
    /// What the customer reads.
    pub display_name: String,
    /// How much.
    pub price: Money,
    /// What must be paid first.
    pub deposit: Money,
}

/// What goes back when an order is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    /// All that was paid.
    All,
    /// All but so much.
    AllBut(Money),
}

/// Who is a customer. Each call may fail with `Unavailable`.
#[async_trait]
pub trait Membership: Send + Sync {
    /// `NotFound` if there is no such member.
    async fn check_member(&self, member: MemberId) -> Result<()>;
    /// How he ranks: 0 (member), 1 (silver), 2 (gold) or 3 (platinum). `NotFound` if there is no such member.
    async fn tier(&self, member: MemberId) -> Result<u8>;
}

/// What a customer pays. Each call may fail with `Unavailable` and may be repeated with the same request id.
#[async_trait]
pub trait Pricing: Send + Sync {
    /// Prices an item for a customer and reserves the coupon that it takes. The quote `replaces`, of which no booking was
    /// made, is given up with its coupon.
    async fn quote(&self, priced: &Priced, replaces: Option<QuoteId>, request_id: Uuid) -> Result<Quote>;
}

/// Taking money. Each call may fail with `Unavailable` and may be repeated with the same request id.
#[async_trait]
pub trait Payment: Send + Sync {
    /// Makes an order.
    async fn create_order(&self, order: &NewOrder, request_id: Uuid) -> Result<()>;
    /// What was paid of an order and not given back; `NotFound` if it was never made. It changes nothing.
    async fn paid(&self, order: OrderId) -> Result<Money>;
    /// Adds a line to an order, once for each amendment id. `NotFound` if it was never made; `FailedPrecondition` if it
    /// has ended.
    async fn amend_order(&self, order: OrderId, amendment: Uuid, line: OrderLine, request_id: Uuid) -> Result<()>;
    /// Ends an order. `NotFound` if it was never made.
    async fn close_order(&self, order: OrderId, back: Return, reason: &'static str, request_id: Uuid) -> Result<()>;
}
