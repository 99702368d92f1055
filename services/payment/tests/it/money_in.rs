//! Paying: deposit and balance, provider and cash.

use payment::Policy;
use proto::payment::v1::{
    self as pb,
    order::State,
    payment::{Purpose, State as PaymentState, Tender},
};
use tonic::Code;

use crate::{
    house::House,
    wire::{cny, minor, pay, refused, usd},
};

fn reason(word: &str) -> (Code, String) {
    (Code::FailedPrecondition, word.to_owned())
}

#[tokio::test]
async fn deposit_at_the_provider_then_balance_in_cash() {
    let house = House::open().await;
    let order = house.order().await;
    assert_eq!(house.books().await, []);

    let deposit = house.start(&order, Purpose::Deposit).await;
    assert_eq!((deposit.state(), minor(&deposit.amount)), (PaymentState::Pending, 6_000));
    assert!(deposit.pay_uri.starts_with(&house.sandbox_url));
    assert_eq!(house.books().await, [], "nothing is booked before the money is there");

    house.succeed(&deposit).await;
    let paid = house.get(&order).await;
    assert_eq!((paid.state(), minor(&paid.paid)), (State::DepositPaid, 6_000));
    assert_eq!(paid.payments[0].state(), PaymentState::Captured);
    let books = [("customer_deposits".to_owned(), -6_000), ("provider_receivable".to_owned(), 6_000)];
    assert_eq!(house.books().await, books);

    let balance = house.cash(&order, Purpose::Balance).await;
    assert_eq!((balance.state(), minor(&balance.amount)), (PaymentState::Captured, 24_000));
    let paid = house.get(&order).await;
    assert_eq!((paid.state(), minor(&paid.paid), paid.version), (State::Paid, 30_000, 4));
    let books = [
        ("cash_drawer".to_owned(), 24_000),
        ("provider_receivable".to_owned(), 6_000),
        ("takings".to_owned(), -30_000),
    ];
    assert_eq!(house.books().await, books);
    assert_eq!(house.events(&order).await, ["OrderCreated", "PaymentCaptured", "PaymentCaptured", "OrderPaid"]);

    let answer = refused(house.try_pay(pay(&order, Purpose::Balance, Tender::Sandbox)).await);
    assert_eq!(answer, reason("NOTHING_DUE"));
}

#[tokio::test]
async fn a_failed_attempt_can_be_followed_by_another() {
    let house = House::open().await;
    let order = house.order().await;
    let first = house.start(&order, Purpose::Deposit).await;
    let answer = refused(house.try_pay(pay(&order, Purpose::Deposit, Tender::Sandbox)).await);
    assert_eq!(answer, reason("PAYMENT_PENDING"));

    house.press(&first, "fail", "").await;
    house.deliver().await;
    let failed = house.get(&order).await;
    assert_eq!((failed.state(), failed.payments[0].state()), (State::Open, PaymentState::Failed));
    assert_eq!(failed.payments[0].failure_reason, "DECLINED");

    let second = house.start(&order, Purpose::Deposit).await;
    house.succeed(&second).await;
    assert_eq!(house.get(&order).await.state(), State::DepositPaid);
    assert_eq!(house.events(&order).await, ["OrderCreated", "PaymentFailed", "PaymentCaptured"]);
}

#[tokio::test]
async fn the_payer_must_know_what_is_due() {
    let house = House::open().await;
    let order = house.order().await;
    let with = |amount| pb::PayOrderRequest { amount, ..pay(&order, Purpose::Deposit, Tender::Sandbox) };
    assert_eq!(refused(house.try_pay(with(cny(5_999))).await), reason("AMOUNT_MISMATCH"));
    let mismatch = (Code::InvalidArgument, "CURRENCY_MISMATCH".to_owned());
    assert_eq!(refused(house.try_pay(with(usd(6_000))).await), mismatch);
    assert!(house.get(&order).await.payments.is_empty(), "what was refused left no trace");
    assert!(house.try_pay(with(cny(6_000))).await.is_ok());
}

#[tokio::test]
async fn cash_is_for_the_desk() {
    let house = House::open().await;
    let order = house.order().await;
    let request = pay(&order, Purpose::Deposit, Tender::Cash);
    assert_eq!(refused(house.try_pay(request.clone()).await).0, Code::PermissionDenied);

    let mut client = house.client.clone();
    let first = client.pay_order(house.as_desk(request.clone())).await.expect("paid").into_inner();
    let again = client.pay_order(house.as_desk(request)).await.expect("paid").into_inner();
    assert_eq!(first, again);
    assert_eq!(minor(&house.get(&order).await.paid), 6_000);
}

#[tokio::test]
async fn a_request_id_is_for_one_request() {
    let house = House::open().await;
    let (order, other) = (house.order().await, house.order().await);
    let request = pay(&order, Purpose::Deposit, Tender::Sandbox);
    let first = house.try_pay(request.clone()).await.expect("started");
    assert_eq!(house.try_pay(request.clone()).await.expect("repeated"), first);
    house.succeed(&first).await;
    assert_eq!(house.try_pay(request.clone()).await.expect("repeated"), first, "the same bytes for ever");

    let reused = (Code::InvalidArgument, "REQUEST_ID_REUSED".to_owned());
    let changed = pb::PayOrderRequest { purpose: Purpose::Balance.into(), ..request.clone() };
    assert_eq!(refused(house.try_pay(changed).await), reused);
    let elsewhere = pb::PayOrderRequest { order: other, ..request };
    assert_eq!(refused(house.try_pay(elsewhere).await), reused);
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_paid() {
    let house = House::open().await;
    let nowhere = format!("orders/{}", crate::wire::fresh());
    let bad = |order: &str, purpose| pb::PayOrderRequest { purpose, ..pay(order, Purpose::Deposit, Tender::Sandbox) };
    assert_eq!(refused(house.try_pay(bad(&nowhere, 1)).await).0, Code::NotFound);
    assert_eq!(refused(house.try_pay(bad("orders/7", 1)).await).0, Code::InvalidArgument);
    assert_eq!(refused(house.try_pay(bad(&nowhere, 0)).await).0, Code::InvalidArgument);
    assert_eq!(refused(house.try_pay(bad(&nowhere, 99)).await).0, Code::InvalidArgument);
}

#[tokio::test]
async fn what_the_provider_refuses_has_failed() {
    // More than a provider allows.
    let house = House::open_with(Policy { charge_minutes: 100_000, ..Policy::default() }).await;
    let order = house.order().await;
    let request = pay(&order, Purpose::Deposit, Tender::Sandbox);
    let refused = house.try_pay(request.clone()).await.expect("an answer");
    assert_eq!((refused.state(), refused.failure_reason.as_str()), (PaymentState::Failed, "PROVIDER_REFUSED"));
    assert_eq!(house.try_pay(request).await.expect("the same"), refused);
    assert_eq!(house.events(&order).await, ["OrderCreated", "PaymentFailed"]);
    house.cash(&order, Purpose::Deposit).await;
}

#[tokio::test]
async fn a_provider_that_is_not_set_up_takes_nothing() {
    let house = House::open().await;
    let order = house.order().await;
    let answer = refused(house.try_pay(pay(&order, Purpose::Deposit, Tender::WechatNative)).await);
    assert_eq!(answer, (Code::FailedPrecondition, "TENDER_NOT_OFFERED".to_owned()));
    assert!(house.get(&order).await.payments.is_empty());
}
