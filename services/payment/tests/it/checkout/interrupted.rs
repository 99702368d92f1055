//! A provider that is away, and requests that nobody repeats.

use std::time::Duration;

use payment::worker::{expire_checkouts, query_pending};
use proto::payment::v1::{self as pb, checkout::State, payment::Tender};
use serde_json::{Value, json};
use tonic::Code;

use super::{cancel, client, external, get, request, start, tender};
use crate::{
    house::House,
    wire::{cny, refused},
};

async fn order_faults(house: &House, faults: Value) {
    let put = house.http.put(format!("{}/faults", house.sandbox_url)).json(&faults);
    assert!(put.send().await.expect("the sandbox answers").status().is_success());
}

fn half_and_half(order: &str) -> pb::StartCheckoutRequest {
    request(order, &[tender(Tender::Cash, 10_000), tender(Tender::Sandbox, 20_000)])
}

#[tokio::test]
async fn the_same_request_goes_on_when_the_provider_is_back() {
    let house = House::open().await;
    let order = house.order_of(30_000, 0).await;
    order_faults(&house, json!({ "down": true })).await;
    let request = half_and_half(&order);
    for _ in 0..2 {
        assert_eq!(refused(start(&house, &request).await).0, Code::Unavailable);
    }
    assert_eq!(house.count("select count(*) from checkout where state = 'open'").await, 1);
    order_faults(&house, json!({ "down": false })).await;

    let reused = (Code::InvalidArgument, "REQUEST_ID_REUSED".to_owned());
    let mut changed = request.clone();
    changed.tenders[0].amount = cny(10_001);
    assert_eq!(refused(start(&house, &changed).await), reused);
    let elsewhere = pb::StartCheckoutRequest { order: house.order_of(30_000, 0).await, ..request.clone() };
    assert_eq!(refused(start(&house, &elsewhere).await), reused);

    let open = start(&house, &request).await.expect("started");
    house.succeed(&external(&open)).await;
    assert_eq!(get(&house, &open).await.state(), State::Captured);
    assert_eq!(house.count("select count(*) from payment").await, 2);
}

#[tokio::test]
async fn a_checkout_that_nobody_repeats_is_given_up() {
    let house = House::open().await;
    let order = house.order_of(30_000, 0).await;
    order_faults(&house, json!({ "down": 1 })).await;
    let request = half_and_half(&order);
    assert_eq!(refused(start(&house, &request).await).0, Code::Unavailable);
    order_faults(&house, json!({ "down": false })).await;
    house.clock.advance(Duration::from_secs(361));
    assert_eq!(query_pending(&house.app).await.expect("asked"), 1);
    assert_eq!(house.count("select count(*) from payment where failure_reason = 'NOT_STARTED'").await, 2);
    // Who comes back with the old request learns so, and may try anew.
    assert_eq!(start(&house, &request).await.expect("an answer").state(), State::Voided);
    start(&house, &half_and_half(&order)).await.expect("started anew");
}

#[tokio::test]
async fn a_checkout_ends_in_time_even_if_the_provider_is_away() {
    let house = House::open().await;
    let order = house.order_of(30_000, 0).await;
    let open = start(&house, &half_and_half(&order)).await.expect("started");
    order_faults(&house, json!({ "down": true })).await;
    house.clock.advance(Duration::from_secs(36 * 60));
    assert_eq!(expire_checkouts(&house.app).await.expect("ended"), 1);
    let over = get(&house, &open).await;
    assert_eq!((over.state(), over.payments[0].failure_reason.as_str()), (State::Voided, "CHECKOUT_EXPIRED"));
}

#[tokio::test]
async fn what_was_cancelled_at_the_provider_before_a_crash_is_cancelled_by_the_repeated_request() {
    let house = House::open().await;
    let order = house.order_of(30_000, 0).await;
    let open = start(&house, &half_and_half(&order)).await.expect("started");
    // The provider has closed it, and we died before we could note that.
    let charge = kernel::ids::PaymentId::parse_name("name", &external(&open).name).expect("a name");
    house.provider().close_charge(charge).await.expect("closed");
    let request = cancel(&open);
    for _ in 0..2 {
        let answer = client(&house).cancel_checkout(house.as_desk(request.clone())).await.expect("cancelled");
        assert_eq!(answer.into_inner().state(), State::Voided);
    }
    assert_eq!(house.books().await, []);
}
