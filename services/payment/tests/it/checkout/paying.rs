//! How a checkout goes, and how it ends.

use std::time::Duration;

use payment::worker::expire_checkouts;
use proto::payment::v1::{
    checkout::State,
    order::State as OrderState,
    payment::{State as PaymentState, Tender},
};
use tonic::Code;

use super::{cancel, card, client, external, get, on_card, request, spend, start, states, tender};
use crate::{
    house::{House, SECRET},
    notices::body,
    wire::{minor, refused},
};

/// Beyond the time of every checkout.
const TOO_LATE: Duration = Duration::from_secs(36 * 60);

fn book(entries: &[(&str, i64)]) -> Vec<(String, i64)> {
    entries.iter().map(|(account, minor)| ((*account).to_owned(), *minor)).collect()
}

#[tokio::test]
async fn without_a_provider_all_is_paid_at_once() {
    let house = House::open().await;
    let order = house.order_of(30_000, 0).await;
    let tenders = [tender(Tender::Cash, 10_000), tender(Tender::CardTerminal, 20_000)];
    let paid = start(&house, &request(&order, &tenders)).await.expect("paid");
    assert_eq!(states(&paid), (State::Captured, vec![PaymentState::Captured; 2]));
    assert_eq!(paid.payments[1].reference, "slip 7");
    assert_eq!(get(&house, &paid).await, paid);
    assert_eq!(house.get(&order).await.state(), OrderState::Paid);
    let books = [("card_terminal", 20_000), ("cash_drawer", 10_000), ("takings", -30_000)];
    assert_eq!(house.books().await, book(&books));
    let events = ["OrderCreated", "PaymentCaptured", "PaymentCaptured", "OrderPaid"];
    assert_eq!(house.events(&order).await, events);
}

#[tokio::test]
async fn a_card_pays_alone() {
    let house = House::open().await;
    let (order, card) = (house.order_of(30_000, 0).await, card(&house, 50_000).await);
    let paid = spend(&house, &order, card, 30_000, 0).await.expect("paid");
    assert_eq!(states(&paid), (State::Captured, vec![PaymentState::Captured]));
    assert_eq!((paid.payments[0].source.clone(), on_card(&house, card).await), (card.name(), (20_000, 0)));
    let books = [("cash_drawer", 50_000), ("stored_value_principal", -20_000), ("takings", -30_000)];
    assert_eq!(house.books().await, book(&books));

    // It gets back what goes back, at once.
    house.close(&order, Some(5_000)).await;
    assert_eq!((minor(&house.get(&order).await.refunded), on_card(&house, card).await), (25_000, (45_000, 0)));
    let books = [("cash_drawer", 50_000), ("stored_value_principal", -45_000), ("takings", -5_000)];
    assert_eq!(house.books().await, book(&books));
}

#[tokio::test]
async fn what_the_card_pays_is_set_aside_until_the_provider_has_the_rest() {
    let house = House::open().await;
    let (order, card) = (house.order_of(30_000, 0).await, card(&house, 20_000).await);
    let open = spend(&house, &order, card, 15_000, 15_000).await.expect("open");
    assert_eq!(states(&open), (State::Open, vec![PaymentState::Reserved, PaymentState::Pending]));
    assert_eq!((on_card(&house, card).await, minor(&house.get(&order).await.paid)), ((20_000, 15_000), 0));
    let other = house.order_of(6_000, 0).await;
    assert_eq!(spend(&house, &other, card, 6_000, 0).await.expect_err("too little").reason(), "INSUFFICIENT_BALANCE");
    assert_eq!(house.get(&other).await.payments, []);

    house.succeed(&external(&open)).await;
    assert_eq!(states(&get(&house, &open).await), (State::Captured, vec![PaymentState::Captured; 2]));
    assert_eq!((on_card(&house, card).await, house.get(&order).await.state()), ((5_000, 0), OrderState::Paid));
    let books = [
        ("cash_drawer", 20_000),
        ("provider_receivable", 15_000),
        ("stored_value_principal", -5_000),
        ("takings", -30_000),
    ];
    assert_eq!(house.books().await, book(&books));
    let cancelled = client(&house).cancel_checkout(house.as_desk(cancel(&open))).await;
    assert_eq!(refused(cancelled), (Code::FailedPrecondition, "CHECKOUT_CAPTURED".to_owned()));
}

#[tokio::test]
async fn if_the_provider_fails_all_is_free_again() {
    let house = House::open().await;
    let (order, card) = (house.order_of(30_000, 0).await, card(&house, 20_000).await);
    let open = spend(&house, &order, card, 15_000, 15_000).await.expect("open");
    house.press(&external(&open), "fail", "").await;
    house.deliver().await;
    assert_eq!(states(&get(&house, &open).await), (State::Voided, vec![PaymentState::Failed; 2]));
    assert_eq!(on_card(&house, card).await, (20_000, 0));
    let again = spend(&house, &order, card, 20_000, 10_000).await.expect("open");
    house.succeed(&external(&again)).await;
    assert_eq!((on_card(&house, card).await, house.get(&order).await.state()), ((0, 0), OrderState::Paid));
}

#[tokio::test]
async fn when_its_time_is_over_all_is_free_and_what_comes_goes_back() {
    let house = House::open().await;
    let (order, card) = (house.order_of(30_000, 0).await, card(&house, 20_000).await);
    let open = spend(&house, &order, card, 15_000, 15_000).await.expect("open");
    house.clock.advance(Duration::from_secs(60));
    assert_eq!(expire_checkouts(&house.app).await.expect("looked"), 0, "it has time");
    house.clock.advance(TOO_LATE);
    assert_eq!(expire_checkouts(&house.app).await.expect("ended"), 1);
    let over = get(&house, &open).await;
    assert_eq!(states(&over), (State::Voided, vec![PaymentState::Failed; 2]));
    assert_eq!(over.payments[0].failure_reason, "EXPIRED", "so says the provider");
    assert_eq!((on_card(&house, card).await, expire_checkouts(&house.app).await.expect("looked")), ((20_000, 0), 0));

    house.notify(&body(&external(&open), "succeeded", 15_000, "CNY"), SECRET, 0).await.expect("acknowledged");
    let after = house.get(&order).await;
    assert_eq!((minor(&after.paid), minor(&after.refunds[0].amount)), (0, 15_000));
    let books = [
        ("cash_drawer", 20_000),
        ("provider_receivable", 15_000),
        ("refunds_payable", -15_000),
        ("stored_value_principal", -20_000),
    ];
    assert_eq!(house.books().await, book(&books));
}

#[tokio::test]
async fn what_was_paid_in_time_counts_though_its_notice_was_lost() {
    let house = House::open().await;
    let (order, card) = (house.order_of(30_000, 0).await, card(&house, 20_000).await);
    let open = spend(&house, &order, card, 15_000, 15_000).await.expect("open");
    house.press(&external(&open), "succeed", "lost").await;
    house.clock.advance(TOO_LATE);
    assert_eq!(expire_checkouts(&house.app).await.expect("asked"), 1);
    assert_eq!(get(&house, &open).await.state(), State::Captured);
    assert_eq!((on_card(&house, card).await, house.get(&order).await.state()), ((5_000, 0), OrderState::Paid));
}

#[tokio::test]
async fn a_checkout_is_called_off() {
    let house = House::open().await;
    let (order, card) = (house.order_of(30_000, 0).await, card(&house, 20_000).await);
    let open = spend(&house, &order, card, 15_000, 15_000).await.expect("open");
    let request = cancel(&open);
    let mut client = client(&house);
    let cancelled = client.cancel_checkout(house.as_member(request.clone())).await.expect("cancelled").into_inner();
    assert_eq!(states(&cancelled), (State::Voided, vec![PaymentState::Failed; 2]));
    assert_eq!(client.cancel_checkout(house.as_member(request)).await.expect("replayed").into_inner(), cancelled);
    assert_eq!(on_card(&house, card).await, (20_000, 0));

    // Paid after all, the money goes back whole.
    house.notify(&body(&external(&open), "succeeded", 15_000, "CNY"), SECRET, 0).await.expect("acknowledged");
    let after = house.get(&order).await;
    assert_eq!((minor(&after.paid), minor(&after.refunds[0].amount)), (0, 15_000));
    let again = spend(&house, &order, card, 20_000, 10_000).await.expect("open");
    house.succeed(&external(&again)).await;
    assert_eq!((house.get(&order).await.state(), minor(&house.get(&order).await.paid)), (OrderState::Paid, 30_000));
}

#[tokio::test]
async fn the_end_of_the_order_frees_what_was_set_aside() {
    let house = House::open().await;
    let (order, card) = (house.order_of(30_000, 0).await, card(&house, 20_000).await);
    let open = spend(&house, &order, card, 15_000, 15_000).await.expect("open");
    house.close(&order, None).await;
    assert_eq!(on_card(&house, card).await, (20_000, 0));
    house.succeed(&external(&open)).await;
    house.send_refunds().await;
    assert_eq!(house.books().await, book(&[("cash_drawer", 20_000), ("stored_value_principal", -20_000)]));
    assert_eq!(get(&house, &open).await.state(), State::Voided);
}
