//! Paying by several tenders together.

mod giving_back;
mod interrupted;
mod paying;
mod races;
mod refused;

use kernel::{
    Money,
    ids::{CardId, OrderId},
};
use payment::{
    domain::{Subject, Tender},
    flows::checkout::start::{Wanted, start_with},
};
use pg::idempotency::Key;
use proto::payment::v1::{
    self as pb,
    checkout::State,
    checkout_service_client::CheckoutServiceClient,
    payment::{Purpose, State as PaymentState, Tender as Wire},
    refund_order_request::What,
};
use tonic::{Status, transport::Channel};

use crate::{
    house::House,
    stored_value::desk::Desk,
    subjects::paid_ahead,
    wire::{cny, fresh},
};

pub fn client(house: &House) -> CheckoutServiceClient<Channel> {
    CheckoutServiceClient::new(house.channel.clone())
}

pub fn tender(tender: Wire, minor: i64) -> pb::CheckoutTender {
    let reference = if tender == Wire::CardTerminal { "slip 7" } else { "" };
    pb::CheckoutTender {
        tender: tender.into(),
        amount: cny(minor),
        reference: reference.to_owned(),
        ..pb::CheckoutTender::default()
    }
}

pub fn request(order: &str, tenders: &[pb::CheckoutTender]) -> pb::StartCheckoutRequest {
    pb::StartCheckoutRequest {
        order: order.to_owned(),
        purpose: Purpose::Balance.into(),
        tenders: tenders.to_vec(),
        request_id: fresh().to_string(),
        payer: None,
    }
}

pub fn cancel(checkout: &pb::Checkout) -> pb::CancelCheckoutRequest {
    pb::CancelCheckoutRequest { name: checkout.name.clone(), request_id: fresh().to_string() }
}

/// The desk starts a checkout.
pub async fn start(house: &House, request: &pb::StartCheckoutRequest) -> Result<pb::Checkout, Status> {
    Ok(client(house).start_checkout(house.as_desk(request.clone())).await?.into_inner())
}

pub async fn get(house: &House, checkout: &pb::Checkout) -> pb::Checkout {
    let request = house.as_desk(pb::GetCheckoutRequest { name: checkout.name.clone() });
    client(house).get_checkout(request).await.expect("the checkout").into_inner()
}

/// A stored-value card with so much on it.
pub async fn card(house: &House, minor: i64) -> CardId {
    let issued = Desk::issue_at(house, Desk::wish_at(house, Some(house.member))).await;
    let card = CardId::parse_name("card", &issued.name).expect("a name");
    let order = paid_ahead(house, Subject::TopUp(card), minor).await;
    house.cash(&order, Purpose::Balance).await;
    card
}

/// Pays an order from a card, and the rest at the provider if `external` is above 0.
pub async fn spend(
    house: &House,
    order: &str,
    card: CardId,
    minor: i64,
    external: i64,
) -> kernel::Result<pb::Checkout> {
    let wanted =
        |tender, minor| Wanted { tender, amount: Money::new(minor, kernel::Currency::CNY), reference: String::new() };
    let mut tenders = vec![wanted(Tender::StoredValue(card), minor)];
    if external > 0 {
        tenders.push(wanted(Tender::Sandbox, external));
    }
    let request = request(order, &[]);
    let key = Key { caller: "members/test", method: "test", request_id: fresh() };
    let order = OrderId::parse_name("order", order).expect("a name");
    start_with(&house.app, key, &request, order, tenders).await
}

/// What is on a card, and how much of it is set aside.
pub async fn on_card(house: &House, card: CardId) -> (i64, i64) {
    sqlx::query_as("select posted_minor, reserved_minor from ledger_balance where party = $1")
        .bind(card.name())
        .fetch_one(house.db.pg.pool())
        .await
        .expect("a balance")
}

/// The payment at the provider.
pub fn external(checkout: &pb::Checkout) -> pb::Payment {
    checkout.payments.iter().find(|payment| !payment.pay_uri.is_empty()).expect("a charge").clone()
}

pub fn states(checkout: &pb::Checkout) -> (State, Vec<PaymentState>) {
    (checkout.state(), checkout.payments.iter().map(pb::Payment::state).collect())
}

pub fn refund(order: &str, what: What) -> pb::RefundOrderRequest {
    pb::RefundOrderRequest {
        name: order.to_owned(),
        what: Some(what),
        reason: "COMPLAINT".to_owned(),
        request_id: fresh().to_string(),
    }
}

pub fn refund_all(order: &str) -> pb::RefundOrderRequest {
    refund(order, What::All(true))
}
