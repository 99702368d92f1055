//! Money.

use feed::Event;
use kernel::{
    Result,
    ids::{BookingId, MemberId, OrderId, PaymentId, RefundId, StoreId},
};
use pg::Tx;
use proto::payment::v1 as pb;
use rpc::convert::money;

use crate::{
    App, db,
    domain::fact::{OrderRef, PaymentFact, RefundFact},
};

/// Draws the facts from an event of the payment service. What is paid for anything but a visit is passed over: it is
/// earned, and counted, when it is spent on one.
pub async fn record(app: &App, tx: &mut Tx, event: &Event) -> Result<()> {
    if let Some(captured) = event.decode::<pb::PaymentCaptured>()? {
        let facts = captured.order.clone().unwrap_or_default();
        if facts.booking.is_empty() {
            return Ok(());
        }
        let fact = PaymentFact {
            id: PaymentId::parse_name("payment", &captured.payment)?,
            purpose: captured.purpose().as_str_name().to_owned(),
            tender: captured.tender().as_str_name().to_owned(),
            amount: money("amount", captured.amount.as_ref())?,
            of: order(app, &facts)?,
            capture_time: event.occur_time,
        };
        db::payment::insert_payment(tx, &fact).await?;
    } else if let Some(refunded) = event.decode::<pb::RefundSucceeded>()? {
        let facts = refunded.order.clone().unwrap_or_default();
        if facts.booking.is_empty() {
            return Ok(());
        }
        let fact = RefundFact {
            id: RefundId::parse_name("refund", &refunded.refund)?,
            payment: PaymentId::parse_name("payment", &refunded.payment)?,
            amount: money("amount", refunded.amount.as_ref())?,
            of: order(app, &facts)?,
            reason: refunded.reason,
            refund_time: event.occur_time,
        };
        db::payment::insert_refund(tx, &fact).await?;
    }
    Ok(())
}

fn order(app: &App, facts: &pb::OrderFacts) -> Result<OrderRef> {
    Ok(OrderRef {
        order: OrderId::parse_name("order", &facts.order)?,
        booking: BookingId::parse_name("booking", &facts.booking)?,
        store: StoreId::parse_name("store", &facts.store)?,
        customer: app.pseudonym(MemberId::parse_name("customer", &facts.customer)?),
    })
}
