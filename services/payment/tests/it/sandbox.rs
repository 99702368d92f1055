//! The provider's own manners.

use kernel::{
    Currency, Money,
    ids::{PaymentId, RefundId},
};
use payment::peers::{NewCharge, NewRefund, RefundState};
use proto::payment::v1::payment::Purpose;
use reqwest::StatusCode;
use serde_json::json;

use crate::{
    house::{House, new_charge, pay_uri},
    wire::fresh,
};

fn charge(minor: i64) -> NewCharge {
    new_charge(PaymentId::from_uuid(fresh()), minor)
}

#[tokio::test]
async fn merchants_must_sign() {
    let house = House::open().await;
    let body = json!({ "id": fresh(), "amount_minor": 1, "currency": "CNY", "notify_url": "http://127.0.0.1:1/" });
    let post = house.http.post(format!("{}/v1/charges", house.sandbox_url)).json(&body).send().await;
    assert_eq!(post.expect("an answer").status(), StatusCode::UNAUTHORIZED);
    let get = house.http.get(format!("{}/v1/charges/{}", house.sandbox_url, fresh())).send().await;
    assert_eq!(get.expect("an answer").status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_charge_is_made_once_and_given_back_once() {
    let house = House::open().await;
    let provider = house.provider();
    let new = charge(100);
    let made = provider.create_charge(new.clone()).await.expect("made");
    assert_eq!(provider.create_charge(new.clone()).await.expect("found"), made);
    let other = NewCharge { amount: Money::new(101, Currency::CNY), ..new.clone() };
    assert_eq!(provider.create_charge(other).await.map_err(|e| e.reason()), Err("PROVIDER_REFUSED"));
    assert_eq!(provider.charge(PaymentId::from_uuid(fresh())).await.expect("an answer"), None);

    let refund = |minor| NewRefund {
        id: RefundId::from_uuid(fresh()),
        payment: new.payment,
        captured: new.amount,
        amount: Money::new(minor, Currency::CNY),
        reason: "BOOKING_CANCELLED".to_owned(),
    };
    let refused = async |refund: NewRefund| provider.refund(&refund).await.map_err(|e| e.reason());
    assert_eq!(refused(refund(1)).await, Err("PROVIDER_REFUSED"), "it is not paid");
    let pay = |outcome: &str| house.http.post(pay_uri(&made)).json(&json!({ "outcome": outcome }));
    assert!(pay("succeed").send().await.expect("an answer").status().is_success());
    assert!(pay("succeed").send().await.expect("an answer").status().is_success(), "pressed twice");
    assert_eq!(pay("fail").send().await.expect("an answer").status(), StatusCode::CONFLICT);
    assert_eq!(pay("perhaps").send().await.expect("an answer").status(), StatusCode::BAD_REQUEST);

    let sixty = refund(60);
    for _ in 0..2 {
        assert_eq!(refused(sixty.clone()).await, Ok(RefundState::Succeeded));
    }
    assert_eq!(refused(refund(41)).await, Err("PROVIDER_REFUSED"), "more than was charged");
    assert_eq!(refused(refund(40)).await, Ok(RefundState::Succeeded));
}

#[tokio::test]
async fn a_charge_that_is_closed_can_be_paid_no_more_and_a_paid_one_is_not_closed() {
    let house = House::open().await;
    let provider = house.provider();
    let (closed, paid) = (charge(100), charge(100));
    for new in [&closed, &paid] {
        provider.create_charge(new.clone()).await.expect("made");
    }
    for _ in 0..2 {
        provider.close_charge(closed.payment).await.expect("closed");
    }
    provider.close_charge(PaymentId::from_uuid(fresh())).await.expect("nothing to close");
    let press = async |new: &NewCharge| {
        let made = provider.create_charge(new.clone()).await.expect("found");
        house.http.post(pay_uri(&made)).json(&json!({ "outcome": "succeed" })).send().await.expect("an answer").status()
    };
    assert_eq!(press(&closed).await, StatusCode::CONFLICT);
    assert!(press(&paid).await.is_success());
    assert_eq!(provider.close_charge(paid.payment).await.expect_err("too late").reason(), "ALREADY_PAID");
    assert_eq!(house.deliver().await, 1, "of closing nobody is told");
}

#[tokio::test]
async fn the_customer_has_a_page() {
    let house = House::open().await;
    let order = house.order().await;
    let payment = house.start(&order, Purpose::Deposit).await;
    let page = async || {
        let answer = house.http.get(&payment.pay_uri).send().await.expect("an answer");
        String::from_utf8(answer.bytes().await.expect("a body").to_vec()).expect("text")
    };
    let before = page().await;
    assert!(before.contains("60.00 CNY") && before.contains("value=\"succeed\""), "{before}");
    house.press(&payment, "succeed", "").await;
    assert!(page().await.contains("Paid."));
    let too_late = house.http.post(&payment.pay_uri).body("outcome=fail").send().await.expect("an answer");
    assert_eq!(too_late.status(), StatusCode::CONFLICT);
    let shown = String::from_utf8(too_late.bytes().await.expect("a body").to_vec()).expect("text");
    assert!(shown.contains("Paid."), "a person reads a page, not JSON: {shown}");
    let nothing = house.http.get(format!("{}/pay/ch_none", house.sandbox_url)).send().await;
    assert_eq!(nothing.expect("an answer").status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn notices_that_are_not_acknowledged_come_again() {
    let house = House::open().await;
    let order = house.order().await;
    let payment = house.start(&order, Purpose::Deposit).await;
    house.press(&payment, "succeed", "").await;
    // The merchant is away for a while.
    let away = "update sandbox.charge set notify_url = 'http://127.0.0.1:1/'";
    let urls: String = sqlx::query_scalar("select notify_url from sandbox.charge")
        .fetch_one(house.db.pg.pool())
        .await
        .expect("a charge");
    sqlx::query(away).execute(house.db.pg.pool()).await.expect("moved away");
    assert_eq!(house.deliver().await, 1);
    assert_eq!(house.deliver().await, 0);
    sqlx::query("update sandbox.charge set notify_url = $1")
        .bind(urls)
        .execute(house.db.pg.pool())
        .await
        .expect("back");
    house.clock.advance(std::time::Duration::from_secs(2));
    assert_eq!(house.deliver().await, 1);
    assert_eq!(house.get(&order).await.state(), proto::payment::v1::order::State::DepositPaid);
    house.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(house.deliver().await, 0);
}
