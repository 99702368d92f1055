//! Ending an order, and what goes back.

use proto::payment::v1::{
    self as pb,
    close_order_request::Refund as Wanted,
    order::State,
    payment::{Purpose, Tender},
    refund::State as RefundState,
};
use tonic::Code;

use crate::{
    house::House,
    wire::{close, fresh, minor, pay, refused, usd},
};

async fn deposit_paid(house: &House) -> String {
    let order = house.order().await;
    let deposit = house.start(&order, Purpose::Deposit).await;
    house.succeed(&deposit).await;
    order
}

#[tokio::test]
async fn all_goes_back() {
    let house = House::open().await;
    let order = deposit_paid(&house).await;
    let closed = house.close(&order, None).await;
    assert_eq!((closed.state(), minor(&closed.refunded)), (State::Closed, 0));
    assert_eq!((closed.refunds[0].state(), minor(&closed.refunds[0].amount)), (RefundState::Pending, 6_000));
    assert_eq!(house.balances().await["refunds_payable"], -6_000);

    assert_eq!(house.send_refunds().await, 1);
    let after = house.get(&order).await;
    assert_eq!((minor(&after.refunded), after.refunds[0].state()), (6_000, RefundState::Succeeded));
    assert_eq!(house.books().await, []);
    assert_eq!(house.count("select sum(amount_minor)::bigint from sandbox.refund").await, 6_000);
    assert_eq!(house.events(&order).await, ["OrderCreated", "PaymentCaptured", "OrderClosed", "RefundSucceeded"]);
    assert_eq!(house.send_refunds().await, 0);

    let answer = refused(house.try_pay(pay(&order, Purpose::Balance, Tender::Sandbox)).await);
    assert_eq!(answer, (Code::FailedPrecondition, "ORDER_CLOSED".to_owned()));
}

#[tokio::test]
async fn a_kept_deposit_is_forfeited() {
    let house = House::open().await;
    let order = deposit_paid(&house).await;
    let closed = house.close(&order, Some(6_000)).await;
    assert!(closed.refunds.is_empty());
    let books = [("forfeited_deposits".to_owned(), -6_000), ("provider_receivable".to_owned(), 6_000)];
    assert_eq!(house.books().await, books);
    // Closing again, even with another wish, changes nothing.
    assert_eq!(house.close(&order, None).await, closed);
    assert_eq!(house.events(&order).await.last().map(String::as_str), Some("OrderClosed"));
}

#[tokio::test]
async fn of_a_paid_order_the_last_payment_goes_back_first_and_cash_at_once() {
    let house = House::open().await;
    let order = deposit_paid(&house).await;
    house.cash(&order, Purpose::Balance).await;
    let closed = house.close(&order, Some(1_000)).await;
    let amounts: Vec<_> = closed.refunds.iter().map(|refund| (minor(&refund.amount), refund.state())).collect();
    assert_eq!(amounts, [(24_000, RefundState::Succeeded), (5_000, RefundState::Pending)]);
    assert_eq!(minor(&closed.refunded), 24_000);
    house.send_refunds().await;
    let books = [("provider_receivable".to_owned(), 1_000), ("takings".to_owned(), -1_000)];
    assert_eq!(house.books().await, books);
}

#[tokio::test]
async fn what_is_captured_after_the_end_goes_back_whole() {
    let house = House::open().await;
    let order = house.order().await;
    let deposit = house.start(&order, Purpose::Deposit).await;
    // Even though the store wanted to keep something.
    let closed = house.close(&order, Some(6_000)).await;
    assert!(closed.refunds.is_empty());

    house.succeed(&deposit).await;
    let captured = house.get(&order).await;
    assert_eq!((captured.state(), minor(&captured.paid)), (State::Closed, 6_000));
    assert_eq!((minor(&captured.refunds[0].amount), captured.refunds[0].reason.as_str()), (6_000, "ORDER_CLOSED"));
    house.send_refunds().await;
    assert_eq!(minor(&house.get(&order).await.refunded), 6_000);
    assert_eq!(house.books().await, []);
    assert_eq!(house.events(&order).await, ["OrderCreated", "OrderClosed", "PaymentCaptured", "RefundSucceeded"]);
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused() {
    let house = House::open().await;
    let order = deposit_paid(&house).await;
    let try_close = async |refund| {
        let request = pb::CloseOrderRequest { refund, ..close(&order, None) };
        refused(house.client.clone().close_order(house.as_booking(request)).await)
    };
    let keep = |amount: Option<_>| amount.map(Wanted::KeepAmount);
    assert_eq!(try_close(keep(crate::wire::cny(-1))).await.0, Code::InvalidArgument);
    let mismatch = (Code::InvalidArgument, "CURRENCY_MISMATCH".to_owned());
    assert_eq!(try_close(keep(usd(1))).await, mismatch);
    assert_eq!(try_close(Some(Wanted::RefundAll(false))).await.0, Code::InvalidArgument);
    assert_eq!(try_close(None).await.0, Code::InvalidArgument);
    let nowhere = close(&format!("orders/{}", fresh()), None);
    assert_eq!(refused(house.client.clone().close_order(house.as_booking(nowhere)).await).0, Code::NotFound);
    assert_eq!(house.get(&order).await.state(), State::DepositPaid);
}
