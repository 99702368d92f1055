//! Notices as they really come: twice, late, forged, old, wrong, out of order.

use std::time::Duration;

use kernel::ids::PaymentId;
use proto::payment::v1::{
    self as pb,
    order::State,
    payment::{Purpose, State as PaymentState},
};
use serde_json::json;
use tonic::{Code, Request};

use crate::{
    house::{House, SECRET, notice},
    wire::{fresh, minor, refused},
};

/// The body of a notice about a payment.
pub fn body(payment: &pb::Payment, state: &str, amount_minor: i64, currency: &str) -> String {
    let id = PaymentId::parse_name("name", &payment.name).expect("a name").uuid();
    let charge = json!({ "id": id, "amount_minor": amount_minor, "currency": currency, "state": state });
    json!({ "id": fresh(), "type": format!("charge.{state}"), "charge": charge }).to_string()
}

#[tokio::test]
async fn a_notice_that_comes_twice_counts_once() {
    let house = House::open().await;
    let order = house.order().await;
    let deposit = house.start(&order, Purpose::Deposit).await;
    house.press(&deposit, "succeed", "twice").await;
    assert_eq!(house.deliver().await, 2);
    assert_eq!((house.count("select count(*) from notice").await, house.refused_notices()), (1, 0));
    assert_eq!(minor(&house.get(&order).await.paid), 6_000);
    assert_eq!(house.events(&order).await, ["OrderCreated", "PaymentCaptured"]);

    // A second notice, of another id, that says the same.
    let said_again = house.notify(&body(&deposit, "succeeded", 6_000, "CNY"), SECRET, 0).await;
    assert_eq!(said_again.expect("acknowledged").data, br#"{"code":"SUCCESS"}"#.as_slice());
    assert_eq!(house.balances().await["customer_deposits"], -6_000);
}

#[tokio::test]
async fn a_late_notice_counts_when_it_comes() {
    let house = House::open().await;
    let order = house.order().await;
    let deposit = house.start(&order, Purpose::Deposit).await;
    house.press(&deposit, "succeed", "late").await;
    assert_eq!(house.deliver().await, 0);
    house.clock.advance(Duration::from_secs(21));
    assert_eq!(house.deliver().await, 1);
    assert_eq!(house.get(&order).await.state(), State::DepositPaid);
}

#[tokio::test]
async fn an_older_notice_that_comes_later_is_harmless() {
    let house = House::open().await;
    let order = house.order().await;
    let deposit = house.start(&order, Purpose::Deposit).await;
    house.press(&deposit, "succeed", "reordered").await;
    assert_eq!((house.deliver().await, house.refused_notices()), (2, 0));
    house.notify(&body(&deposit, "failed", 6_000, "CNY"), SECRET, 0).await.expect("acknowledged");
    let after = house.get(&order).await;
    assert_eq!((after.state(), after.payments[0].state()), (State::DepositPaid, PaymentState::Captured));
    assert_eq!(house.breaks().await, ["FAILED_AFTER_CAPTURE"]);
}

#[tokio::test]
async fn forged_and_old_notices_are_refused() {
    let house = House::open().await;
    let order = house.order().await;
    let deposit = house.start(&order, Purpose::Deposit).await;
    let good = body(&deposit, "succeeded", 6_000, "CNY");
    let unauthenticated = |reason: &str| (Code::Unauthenticated, reason.to_owned());
    assert_eq!(refused(house.notify(&good, "guessed", 0).await), unauthenticated("BAD_SIGNATURE"));
    assert_eq!(refused(house.notify(&good, SECRET, 600).await), unauthenticated("STALE_NOTICE"));
    assert_eq!(refused(house.notify(&good, SECRET, -600).await), unauthenticated("STALE_NOTICE"));
    let mut client = house.client.clone();
    let unsigned = client.notify_payment(Request::new(notice("sandbox", good.as_bytes()))).await;
    assert_eq!(refused(unsigned), unauthenticated("BAD_SIGNATURE"));
    let unknown = client.notify_payment(Request::new(notice("elsewhere", good.as_bytes()))).await;
    assert_eq!(refused(unknown).0, Code::NotFound);
    for garbage in ["", "{", "[]", r#"{"id":"","type":"x","charge":{}}"#] {
        assert_eq!(refused(house.notify(garbage, SECRET, 0).await).0, Code::InvalidArgument, "{garbage}");
    }
    assert_eq!(house.get(&order).await.state(), State::Open);
    assert_eq!(house.count("select count(*) from notice").await, 0);

    // 300 seconds are within what clocks may differ by.
    house.notify(&good, SECRET, 300).await.expect("acknowledged");
    assert_eq!(house.get(&order).await.state(), State::DepositPaid);
}

#[tokio::test]
async fn spoiled_notices_of_the_sandbox_are_refused_and_the_worker_finds_out() {
    for fault in ["bad_signature", "stale"] {
        let house = House::open().await;
        let order = house.order().await;
        let deposit = house.start(&order, Purpose::Deposit).await;
        house.press(&deposit, "succeed", fault).await;
        house.deliver().await;
        assert_eq!((house.refused_notices(), house.get(&order).await.state()), (1, State::Open), "{fault}");
        house.clock.advance(Duration::from_secs(61));
        assert_eq!(payment::worker::query_pending(&house.app).await.expect("asked"), 1);
        assert_eq!(house.get(&order).await.state(), State::DepositPaid, "{fault}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_recorded_and_never_captured() {
    let house = House::open().await;
    let order = house.order().await;
    let deposit = house.start(&order, Purpose::Deposit).await;
    let stranger = pb::Payment { name: PaymentId::from_uuid(fresh()).name(), ..deposit.clone() };
    for wrong in [
        body(&deposit, "succeeded", 5_999, "CNY"),
        body(&deposit, "succeeded", 6_000, "USD"),
        body(&deposit, "succeeded", 6_000, "XXX"),
        body(&stranger, "succeeded", 6_000, "CNY"),
    ] {
        house.notify(&wrong, SECRET, 0).await.expect("acknowledged");
        house.notify(&wrong, SECRET, 0).await.expect("acknowledged again");
    }
    let breaks = ["AMOUNT_MISMATCH", "CURRENCY_MISMATCH", "CURRENCY_MISMATCH", "UNKNOWN_PAYMENT"];
    assert_eq!(house.breaks().await, breaks);
    assert_eq!(house.get(&order).await.state(), State::Open);
    assert_eq!(house.books().await, []);

    // The provider's own books are right: asked, it says so.
    house.press(&deposit, "succeed", "wrong_amount").await;
    house.deliver().await;
    assert_eq!(house.get(&order).await.state(), State::Open);
    house.clock.advance(Duration::from_secs(61));
    payment::worker::query_pending(&house.app).await.expect("asked");
    assert_eq!(house.get(&order).await.state(), State::DepositPaid);
}

#[tokio::test]
async fn money_that_comes_after_a_failure_is_not_lost() {
    let house = House::open().await;
    let order = house.order().await;
    let first = house.start(&order, Purpose::Deposit).await;
    house.press(&first, "succeed", "lost").await;
    // The provider says that it failed; the customer pays again; then the provider corrects itself.
    house.notify(&body(&first, "failed", 6_000, "CNY"), SECRET, 0).await.expect("acknowledged");
    let second = house.start(&order, Purpose::Deposit).await;
    house.succeed(&second).await;
    house.notify(&body(&first, "succeeded", 6_000, "CNY"), SECRET, 0).await.expect("acknowledged");

    let after = house.get(&order).await;
    assert_eq!((after.state(), minor(&after.paid)), (State::DepositPaid, 6_000));
    assert_eq!((after.refunds[0].payment.as_str(), after.refunds[0].reason.as_str()), (first.name.as_str(), "SURPLUS"));
    assert_eq!(house.balances().await["provider_receivable"], 12_000);
    house.send_refunds().await;
    assert_eq!(house.balances().await["provider_receivable"], 6_000);
    assert_eq!(minor(&house.get(&order).await.refunded), 0, "what did not count does not count as gone back either");
}
