//! A provider that is away, and requests that nobody repeats.

use std::time::Duration;

use kernel::{
    Currency, Money,
    ids::{PaymentId, RefundId},
};
use payment::{peers::NewRefund, worker::query_pending};
use proto::payment::v1::{
    self as pb,
    order::State,
    payment::{Purpose, State as PaymentState, Tender},
    refund::State as RefundState,
};
use serde_json::{Value, json};
use tonic::Code;

use crate::{
    house::{House, new_charge, pay_uri},
    wire::{cny, minor, pay, refused},
};

async fn order_faults(house: &House, faults: Value) {
    let put = house.http.put(format!("{}/faults", house.sandbox_url)).json(&faults);
    assert!(put.send().await.expect("the sandbox answers").status().is_success());
}

#[tokio::test]
async fn the_same_request_goes_on_when_the_provider_is_back() {
    let house = House::open().await;
    let order = house.order().await;
    order_faults(&house, json!({ "down": true })).await;
    let request = pay(&order, Purpose::Deposit, Tender::Sandbox);
    assert_eq!(refused(house.try_pay(request.clone()).await).0, Code::Unavailable);
    assert_eq!(refused(house.try_pay(request.clone()).await).0, Code::Unavailable);
    assert_eq!(house.get(&order).await.payments.len(), 1);

    order_faults(&house, json!({ "down": false })).await;
    let payment = house.try_pay(request).await.expect("started");
    house.succeed(&payment).await;
    assert_eq!(house.get(&order).await.state(), State::DepositPaid);
}

#[tokio::test]
async fn an_attempt_that_nobody_repeats_is_given_up() {
    let house = House::open().await;
    let order = house.order().await;
    order_faults(&house, json!({ "down": 30 })).await;
    let request = pay(&order, Purpose::Deposit, Tender::Sandbox);
    assert_eq!(refused(house.try_pay(request.clone()).await).0, Code::Unavailable);

    house.clock.advance(Duration::from_secs(61));
    assert_eq!(query_pending(&house.app).await.expect("asked"), 1);
    assert_eq!(house.get(&order).await.payments[0].state(), PaymentState::Pending, "it may still be under way");
    house.clock.advance(Duration::from_secs(300));
    assert_eq!(query_pending(&house.app).await.expect("asked"), 1);
    let given_up = house.get(&order).await;
    assert_eq!(given_up.payments[0].failure_reason, "NOT_STARTED");
    assert_eq!(house.events(&order).await, ["OrderCreated", "PaymentFailed"]);

    // Who comes back with the old request learns so, and may try anew.
    assert_eq!(house.try_pay(request).await.expect("an answer").state(), PaymentState::Failed);
    house.start(&order, Purpose::Deposit).await;
}

#[tokio::test]
async fn a_notice_that_never_comes_is_asked_for() {
    let house = House::open().await;
    let order = house.order().await;
    let deposit = house.start(&order, Purpose::Deposit).await;
    house.press(&deposit, "succeed", "lost").await;
    assert_eq!(house.deliver().await, 0);
    assert_eq!(query_pending(&house.app).await.expect("asked"), 0, "too early");
    house.clock.advance(Duration::from_secs(61));
    assert_eq!(query_pending(&house.app).await.expect("asked"), 1);
    assert_eq!(house.get(&order).await.state(), State::DepositPaid);
    assert_eq!(query_pending(&house.app).await.expect("asked"), 0, "there is nothing left to ask");
}

#[tokio::test]
async fn a_charge_that_nobody_pays_ends_by_itself() {
    let house = House::open().await;
    let order = house.order().await;
    house.start(&order, Purpose::Deposit).await;
    house.clock.advance(Duration::from_secs(30 * 60 + 1));
    assert_eq!(house.sandbox.expire_due().await.expect("expired"), 1);
    house.deliver().await;
    assert_eq!(house.get(&order).await.payments[0].failure_reason, "EXPIRED");
    house.start(&order, Purpose::Deposit).await;
}

#[tokio::test]
async fn a_question_without_an_answer_is_asked_again() {
    let house = House::open().await;
    let order = house.order().await;
    let deposit = house.start(&order, Purpose::Deposit).await;
    house.press(&deposit, "succeed", "lost").await;
    order_faults(&house, json!({ "down": true })).await;
    house.clock.advance(Duration::from_secs(61));
    assert!(query_pending(&house.app).await.is_err());
    order_faults(&house, json!({ "down": false })).await;
    assert_eq!(query_pending(&house.app).await.expect("asked"), 0, "somebody else may be at it");
    house.clock.advance(Duration::from_secs(121));
    assert_eq!(query_pending(&house.app).await.expect("asked"), 1);
    assert_eq!(house.get(&order).await.state(), State::DepositPaid);
}

#[tokio::test]
async fn a_refund_is_tried_until_it_is_done() {
    let house = House::open().await;
    let order = house.order().await;
    let deposit = house.start(&order, Purpose::Deposit).await;
    house.succeed(&deposit).await;
    house.close(&order, None).await;
    order_faults(&house, json!({ "down": true })).await;
    for _ in 0..3 {
        assert_eq!(house.send_refunds().await, 1);
        assert_eq!(house.send_refunds().await, 0, "it waits before it tries again");
        house.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(house.get(&order).await.refunds[0].state(), RefundState::Pending);
    order_faults(&house, json!({ "down": false })).await;
    assert_eq!(house.send_refunds().await, 1);
    assert_eq!(minor(&house.get(&order).await.refunded), 6_000);
}

#[tokio::test]
async fn a_refund_that_was_sent_before_the_crash_is_not_sent_twice() {
    let house = House::open().await;
    let order = house.order().await;
    let deposit = house.start(&order, Purpose::Deposit).await;
    house.succeed(&deposit).await;
    let refund = house.close(&order, None).await.refunds.remove(0);
    // The provider did it, and we died before we could note that.
    let sent = NewRefund {
        id: RefundId::parse_name("name", &refund.name).expect("a name"),
        payment: PaymentId::parse_name("payment", &refund.payment).expect("a name"),
        captured: Money::new(6_000, Currency::CNY),
        amount: Money::new(6_000, Currency::CNY),
        reason: "BOOKING_CANCELLED".to_owned(),
    };
    house.provider().refund(&sent).await.expect("sent");
    assert_eq!(house.send_refunds().await, 1);
    assert_eq!(minor(&house.get(&order).await.refunded), 6_000);
    assert_eq!(house.count("select sum(amount_minor)::bigint from sandbox.refund").await, 6_000);
}

#[tokio::test]
async fn a_charge_that_was_made_and_paid_before_the_crash_is_found_by_the_repeated_request() {
    let house = House::open().await;
    let order = house.order().await;
    order_faults(&house, json!({ "down": true })).await;
    let request = pay(&order, Purpose::Deposit, Tender::Sandbox);
    assert_eq!(refused(house.try_pay(request.clone()).await).0, Code::Unavailable);
    order_faults(&house, json!({ "down": false })).await;
    // The provider made it and the customer paid, and we died before we could note either.
    let payment = house.get(&order).await.payments.remove(0);
    let id = PaymentId::parse_name("name", &payment.name).expect("a name");
    let made = house.provider().create_charge(new_charge(id, 6_000)).await.expect("made");
    let press = house.http.post(pay_uri(&made)).json(&json!({ "outcome": "succeed" })).send().await;
    assert!(press.expect("an answer").status().is_success());
    house.clock.advance(Duration::from_secs(61));
    assert_eq!(query_pending(&house.app).await.expect("asked"), 1);

    let found = house.try_pay(request).await.expect("an answer");
    assert_eq!((found.state(), found.name), (PaymentState::Captured, payment.name));
    assert_eq!(house.count("select count(*) from sandbox.charge").await, 1);
    assert_eq!(house.events(&order).await, ["OrderCreated", "PaymentCaptured"]);
}

#[tokio::test]
async fn an_interrupted_attempt_is_taken_up_by_the_same_request_only() {
    let house = House::open().await;
    let (order, other) = (house.order().await, house.order().await);
    order_faults(&house, json!({ "down": true })).await;
    let request = pay(&order, Purpose::Deposit, Tender::Sandbox);
    let mut client = house.client.clone();
    assert_eq!(refused(client.pay_order(house.as_desk(request.clone())).await).0, Code::Unavailable);
    order_faults(&house, json!({ "down": false })).await;

    let reused = (Code::InvalidArgument, "REQUEST_ID_REUSED".to_owned());
    let changed = |change: fn(&mut pb::PayOrderRequest)| {
        let mut request = request.clone();
        change(&mut request);
        house.as_desk(request)
    };
    let elsewhere = pb::PayOrderRequest { order: other, ..request.clone() };
    assert_eq!(refused(client.pay_order(house.as_desk(elsewhere.clone())).await), reused);
    let elsewhere = pb::PayOrderRequest { tender: Tender::Cash.into(), ..elsewhere };
    assert_eq!(refused(client.pay_order(house.as_desk(elsewhere)).await), reused);
    assert_eq!(refused(client.pay_order(changed(|r| r.purpose = Purpose::Balance.into())).await), reused);
    assert_eq!(refused(client.pay_order(changed(|r| r.amount = cny(5_999))).await), reused);
    let started = client.pay_order(house.as_desk(request)).await.expect("started").into_inner();
    assert_eq!((started.state(), house.get(&order).await.payments.len()), (PaymentState::Pending, 1));
}

#[tokio::test]
async fn the_request_id_of_an_attempt_that_was_given_up_is_not_for_cash() {
    let house = House::open().await;
    let order = house.order().await;
    order_faults(&house, json!({ "down": true })).await;
    let request = pay(&order, Purpose::Deposit, Tender::Sandbox);
    let mut client = house.client.clone();
    assert_eq!(refused(client.pay_order(house.as_desk(request.clone())).await).0, Code::Unavailable);
    order_faults(&house, json!({ "down": false })).await;
    house.clock.advance(Duration::from_secs(361));
    query_pending(&house.app).await.expect("asked");
    assert_eq!(house.get(&order).await.payments[0].failure_reason, "NOT_STARTED");

    let cash = pb::PayOrderRequest { tender: Tender::Cash.into(), ..request };
    let answer = client.pay_order(house.as_desk(cash)).await;
    assert_eq!(house.books().await, []);
    assert_eq!(refused(answer), (Code::InvalidArgument, "REQUEST_ID_REUSED".to_owned()));
    house.cash(&order, Purpose::Deposit).await;
    assert_eq!(house.balances().await["cash_drawer"], 6_000);
}
