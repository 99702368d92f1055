//! Membership, marketing and payment that answer at once: booking is measured, not they.

use std::sync::Arc;

use async_trait::async_trait;
use booking::{
    LinkKey, Policy,
    flows::quoting::Priced,
    peers::{Membership, NewOrder, Payment, Peers, Pricing, Quote, Return},
};
use kernel::{
    Currency, Money, Result, Uuid,
    ids::{MemberId, OrderId, QuoteId},
};
use proto::payment::v1::OrderLine;

/// All three.
pub fn prompt() -> Peers {
    let prompt = Arc::new(Prompt);
    Peers { membership: prompt.clone(), pricing: prompt.clone(), payment: prompt }
}

/// The rules of a chain whose few customers hold many times: their number is the load, not their greed.
pub fn policy() -> Policy {
    Policy { holds_per_customer: 1_000_000, ..Policy::default() }
}

/// What signs addresses of calendars that nobody reads.
pub fn link_key() -> LinkKey {
    LinkKey::derive(&rand::random())
}

struct Prompt;

#[async_trait]
impl Membership for Prompt {
    async fn tier(&self, _: MemberId) -> Result<u8> {
        Ok(0)
    }

    async fn check_member(&self, _: MemberId) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl Pricing for Prompt {
    async fn quote(&self, priced: &Priced, _: Option<QuoteId>, request_id: Uuid) -> Result<Quote> {
        Ok(Quote { id: QuoteId::derive(request_id, "quote"), price: priced.list_price })
    }
}

#[async_trait]
impl Payment for Prompt {
    async fn create_order(&self, _: &NewOrder, _: Uuid) -> Result<()> {
        Ok(())
    }

    async fn paid(&self, _: OrderId) -> Result<Money> {
        Ok(Money::zero(Currency::CNY))
    }

    async fn amend_order(&self, _: OrderId, _: Uuid, _: OrderLine, _: Uuid) -> Result<()> {
        Ok(())
    }

    async fn close_order(&self, _: OrderId, _: Return, _: &'static str, _: Uuid) -> Result<()> {
        Ok(())
    }
}
