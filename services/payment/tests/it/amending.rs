//! Adding to an order.

use proto::payment::v1::{self as pb, order::State, payment::Purpose};
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::{
    house::House,
    wire::{amend, cny, fresh, minor, refused, usd},
};

async fn send(house: &House, request: pb::AmendOrderRequest) -> Result<pb::Order, Status> {
    house.client.clone().amend_order(house.as_booking(request)).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn what_is_added_is_due_with_the_balance() {
    let house = House::open().await;
    let order = house.order().await;
    house.cash(&order, Purpose::Deposit).await;
    let request = amend(&order, 7_500);
    let longer = send(&house, request.clone()).await.expect("added");
    assert_eq!((minor(&longer.total), longer.lines.len(), longer.state()), (37_500, 2, State::DepositPaid));
    // The same request, and the same amendment under another request id, change nothing.
    assert_eq!(send(&house, request.clone()).await.expect("the same"), longer);
    let again = pb::AmendOrderRequest { request_id: fresh().to_string(), ..request };
    assert_eq!(send(&house, again).await.expect("found"), longer);
    assert_eq!(house.get(&order).await, longer);

    assert_eq!(minor(&house.cash(&order, Purpose::Balance).await.amount), 31_500);
    assert_eq!(house.get(&order).await.state(), State::Paid);
    assert_eq!(house.balances().await["takings"], -37_500);
    let events = ["OrderCreated", "PaymentCaptured", "OrderAmended", "PaymentCaptured", "OrderPaid"];
    assert_eq!(house.events(&order).await, events);
}

#[tokio::test]
async fn an_order_paid_in_full_is_paid_again_and_the_books_are_right_before_and_after() {
    let house = House::open().await;
    let order = house.order().await;
    house.cash(&order, Purpose::Balance).await;
    assert_eq!(house.balances().await["takings"], -30_000);
    let longer = send(&house, amend(&order, 7_500)).await.expect("added");
    assert_eq!(longer.state(), State::DepositPaid);
    let balances = house.balances().await;
    assert_eq!((balances["takings"], balances["customer_deposits"]), (0, -30_000));
    house.cash(&order, Purpose::Balance).await;
    let balances = house.balances().await;
    assert_eq!((balances["takings"], balances["customer_deposits"], balances["cash_drawer"]), (-37_500, 0, 37_500));
    // Given up after all, all of it goes back.
    house.close(&order, None).await;
    assert_eq!(house.books().await, []);
}

#[tokio::test]
async fn an_order_paid_in_full_that_becomes_cheaper_gives_the_difference_back() {
    let house = House::open().await;
    let order = house.order().await;
    house.cash(&order, Purpose::Deposit).await;
    house.cash(&order, Purpose::Balance).await;
    let cheaper = send(&house, amend(&order, -7_500)).await.expect("cheaper");
    assert_eq!((minor(&cheaper.total), minor(&cheaper.paid), cheaper.state()), (22_500, 22_500, State::Paid));
    let balances = house.balances().await;
    assert_eq!((balances["takings"], balances["cash_drawer"]), (-22_500, 22_500));
    let events = ["OrderCreated", "PaymentCaptured", "PaymentCaptured", "OrderPaid", "OrderAmended", "RefundSucceeded"];
    assert_eq!(house.events(&order).await, events);
    // Given up after all, the rest goes back.
    house.close(&order, None).await;
    assert_eq!(house.books().await, []);
}

/// A repeat of the request that made the order must not stumble over what was added since.
#[tokio::test]
async fn making_it_again_finds_the_amended_order() {
    let house = House::open().await;
    let request = house.new_order(30_000, 6_000);
    let made = house.client.clone().create_order(house.as_booking(request.clone())).await.expect("made").into_inner();
    let longer = send(&house, amend(&made.name, 7_500)).await.expect("added");
    let again = pb::CreateOrderRequest { request_id: fresh().to_string(), ..request };
    assert_eq!(house.client.clone().create_order(house.as_booking(again)).await.expect("found").into_inner(), longer);
}

#[tokio::test]
async fn what_cannot_be_added_is_refused() {
    let house = House::open().await;
    let order = house.order().await;
    let good = amend(&order, 100);
    let with = |amount| {
        let line = good.line.clone().map(|line| pb::OrderLine { amount, ..line });
        pb::AmendOrderRequest { line, request_id: fresh().to_string(), ..good.clone() }
    };
    assert_eq!(refused(send(&house, with(cny(-24_001))).await).0, Code::InvalidArgument);
    assert_eq!(refused(send(&house, with(usd(1))).await).1, "CURRENCY_MISMATCH");
    assert_eq!(refused(send(&house, with(None)).await).0, Code::InvalidArgument);
    let none = pb::AmendOrderRequest { line: None, ..good.clone() };
    assert_eq!(refused(send(&house, none).await).0, Code::InvalidArgument);
    assert_eq!(refused(send(&house, amend(&format!("orders/{}", fresh()), 1)).await).0, Code::NotFound);
    send(&house, good.clone()).await.expect("added");
    let answer = refused(send(&house, with(cny(99))).await);
    assert_eq!(answer, (Code::AlreadyExists, "AMENDMENT_EXISTS".to_owned()));
    house.close(&order, None).await;
    let answer = refused(send(&house, amend(&order, 1)).await);
    assert_eq!(answer, (Code::FailedPrecondition, "ORDER_CLOSED".to_owned()));
    assert_eq!(house.get(&order).await.lines.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_twins_of_an_amendment_add_once() {
    let house = House::open().await;
    let order = house.order().await;
    let request = amend(&order, 500);
    let mut twins = JoinSet::new();
    for n in 0..100 {
        // Some under a request id of their own.
        let request_id = if n % 4 == 0 { fresh().to_string() } else { request.request_id.clone() };
        let message = house.as_booking(pb::AmendOrderRequest { request_id, ..request.clone() });
        let mut client = house.client.clone();
        twins.spawn(async move { client.amend_order(message).await.expect("an answer").into_inner().total });
    }
    for total in twins.join_all().await {
        assert_eq!(minor(&total), 30_500);
    }
    assert_eq!(house.events(&order).await, ["OrderCreated", "OrderAmended"]);
}
