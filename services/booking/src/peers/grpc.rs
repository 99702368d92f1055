//! The peers over gRPC.

use async_trait::async_trait;
use kernel::{
    Money, Result, Uuid,
    ids::{MemberId, OrderId, QuoteId},
};
use proto::{
    marketing::v1::{self as marketing, promotion_service_client::PromotionServiceClient},
    membership::v1::{self as membership, member_service_client::MemberServiceClient},
    payment::v1::{self as payment, close_order_request::Refund, payment_service_client::PaymentServiceClient},
};
use rpc::{
    client::Peer,
    convert::{money, to_money},
    from_status,
};

use super::{Membership, NewOrder, Payment, Priced, Pricing, Quote, Return};

/// Membership.
#[derive(Debug, Clone)]
pub struct GrpcMembership(MemberServiceClient<Peer>);

impl GrpcMembership {
    /// Over this channel.
    pub fn new(peer: Peer) -> Self {
        Self(MemberServiceClient::new(peer))
    }
}

#[async_trait]
impl Membership for GrpcMembership {
    async fn check_member(&self, member: MemberId) -> Result<()> {
        let request = membership::GetMemberRequest { name: member.name() };
        self.0.clone().get_member(request).await.map_err(|status| from_status(status, "membership"))?;
        Ok(())
    }

    async fn tier(&self, member: MemberId) -> Result<u8> {
        let request = membership::GetMemberRequest { name: member.name() };
        let reply = self.0.clone().get_member(request).await.map_err(|status| from_status(status, "membership"))?;
        Ok(match reply.into_inner().tier() {
            membership::Tier::Unspecified | membership::Tier::Member => 0,
            membership::Tier::Silver => 1,
            membership::Tier::Gold => 2,
            membership::Tier::Platinum => 3,
        })
    }
}

/// Marketing.
#[derive(Debug, Clone)]
pub struct GrpcPricing(PromotionServiceClient<Peer>);

impl GrpcPricing {
    /// Over this channel.
    pub fn new(peer: Peer) -> Self {
        Self(PromotionServiceClient::new(peer))
    }
}

#[async_trait]
impl Pricing for GrpcPricing {
    async fn quote(&self, priced: &Priced, replaces: Option<QuoteId>, request_id: Uuid) -> Result<Quote> {
        let request = marketing::CreateQuoteRequest {
            customer: priced.customer.name(),
            item: priced.item.name(),
            store: priced.store.name(),
            list_price: Some(to_money(priced.list_price)),
            request_id: request_id.to_string(),
            replaces: replaces.map(QuoteId::name).unwrap_or_default(),
        };
        let quote = self.0.clone().create_quote(request).await.map_err(|status| from_status(status, "marketing"))?;
        let quote = quote.into_inner();
        Ok(Quote { id: QuoteId::parse_name("name", &quote.name)?, price: money("price", quote.price.as_ref())? })
    }
}

/// Payment.
#[derive(Debug, Clone)]
pub struct GrpcPayment(PaymentServiceClient<Peer>);

impl GrpcPayment {
    /// Over this channel.
    pub fn new(peer: Peer) -> Self {
        Self(PaymentServiceClient::new(peer))
    }
}

#[async_trait]
impl Payment for GrpcPayment {
    async fn create_order(&self, order: &NewOrder, request_id: Uuid) -> Result<()> {
        let request = payment::CreateOrderRequest {
            order_id: order.id.uuid().to_string(),
            booking: order.booking.name(),
            customer: order.customer.name(),
            store: order.store.name(),
            lines: vec![payment::OrderLine {
                item: order.item.name(),
                display_name: order.display_name.clone(),
                amount: Some(to_money(order.price)),
                discount: None,
            }],
            deposit: Some(to_money(order.deposit)),
            request_id: request_id.to_string(),
            discount: None,
        };
        self.0.clone().create_order(request).await.map_err(|status| from_status(status, "payment"))?;
        Ok(())
    }

    async fn paid(&self, order: OrderId) -> Result<Money> {
        let request = payment::GetOrderRequest { name: order.name() };
        let order = self.0.clone().get_order(request).await.map_err(|status| from_status(status, "payment"))?;
        let order = order.into_inner();
        money("paid", order.paid.as_ref())?.try_sub(money("refunded", order.refunded.as_ref())?)
    }

    async fn amend_order(
        &self,
        order: OrderId,
        amendment: Uuid,
        line: payment::OrderLine,
        request_id: Uuid,
    ) -> Result<()> {
        let request = payment::AmendOrderRequest {
            name: order.name(),
            amendment_id: amendment.to_string(),
            line: Some(line),
            request_id: request_id.to_string(),
        };
        self.0.clone().amend_order(request).await.map_err(|status| from_status(status, "payment"))?;
        Ok(())
    }

    async fn close_order(&self, order: OrderId, back: Return, reason: &'static str, request_id: Uuid) -> Result<()> {
        let request = payment::CloseOrderRequest {
            name: order.name(),
            refund: Some(match back {
                Return::All => Refund::RefundAll(true),
                Return::AllBut(amount) => Refund::KeepAmount(to_money(amount)),
            }),
            reason: reason.to_owned(),
            request_id: request_id.to_string(),
        };
        self.0.clone().close_order(request).await.map_err(|status| from_status(status, "payment"))?;
        Ok(())
    }
}
