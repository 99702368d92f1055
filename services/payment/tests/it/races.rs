//! Many at once.

use std::collections::HashSet;

use prost::Message;
use proto::payment::v1::{
    PayOrderRequest,
    payment::{Purpose, Tender},
};
use tokio::task::JoinSet;
use tonic::Code;

use crate::{
    house::House,
    wire::{close, minor, pay, refusal, refused},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_twins_of_a_payment_are_one() {
    let house = House::open().await;
    let order = house.order().await;
    let request = pay(&order, Purpose::Deposit, Tender::Sandbox);
    let mut twins = JoinSet::new();
    for _ in 0..100 {
        let (mut client, request) = (house.client.clone(), house.as_member(request.clone()));
        twins.spawn(async move { client.pay_order(request).await.expect("an answer").into_inner().encode_to_vec() });
    }
    let answers: HashSet<Vec<u8>> = twins.join_all().await.into_iter().collect();
    assert_eq!(answers.len(), 1);
    assert_eq!(house.count("select count(*) from payment").await, 1);
    assert_eq!(house.count("select count(*) from sandbox.charge").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_twins_of_cash_are_one() {
    let house = House::open().await;
    let order = house.order().await;
    let request = pay(&order, Purpose::Deposit, Tender::Cash);
    let mut twins = JoinSet::new();
    for _ in 0..100 {
        let (mut client, request) = (house.client.clone(), house.as_desk(request.clone()));
        twins.spawn(async move { client.pay_order(request).await.expect("an answer").into_inner().encode_to_vec() });
    }
    let answers: HashSet<Vec<u8>> = twins.join_all().await.into_iter().collect();
    assert_eq!((answers.len(), house.balances().await["cash_drawer"]), (1, 6_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_payments_at_once_one_is_taken() {
    let house = House::open().await;
    let order = house.order().await;
    let mut payers = JoinSet::new();
    for i in 0..20 {
        let tender = if i % 2 == 0 { Tender::Cash } else { Tender::Sandbox };
        let (mut client, request) = (house.client.clone(), house.as_desk(pay(&order, Purpose::Deposit, tender)));
        payers.spawn(async move { client.pay_order(request).await.map_err(|status| refusal(&status).1) });
    }
    let (taken, refused): (Vec<_>, Vec<_>) = payers.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((taken.len(), refused.len()), (1, 19));
    for reason in refused.into_iter().filter_map(Result::err) {
        assert!(["PAYMENT_PENDING", "NOTHING_DUE"].contains(&reason.as_str()), "{reason}");
    }
    house.balances().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_twins_of_an_end_are_one() {
    let house = House::open().await;
    let order = house.order().await;
    let deposit = house.start(&order, Purpose::Deposit).await;
    house.succeed(&deposit).await;
    let request = close(&order, Some(1_000));
    let mut twins = JoinSet::new();
    for _ in 0..100 {
        let (mut client, request) = (house.client.clone(), house.as_booking(request.clone()));
        twins.spawn(async move { client.close_order(request).await.expect("an answer").into_inner().encode_to_vec() });
    }
    let answers: HashSet<Vec<u8>> = twins.join_all().await.into_iter().collect();
    assert_eq!((answers.len(), house.count("select count(*) from refund").await), (1, 1));
    house.send_refunds().await;
    assert_eq!(minor(&house.get(&order).await.refunded), 5_000);
    assert_eq!(house.balances().await["forfeited_deposits"], -1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notice_question_and_end_at_once_leave_the_books_right() {
    for _ in 0..5 {
        let house = House::open().await;
        let order = house.order().await;
        let deposit = house.start(&order, Purpose::Deposit).await;
        house.press(&deposit, "succeed", "twice").await;
        house.clock.advance(std::time::Duration::from_secs(61));
        let ended = async { house.close(&order, None).await };
        let asked = async { payment::worker::query_pending(&house.app).await.expect("asked") };
        tokio::join!(house.deliver(), house.deliver(), asked, ended);
        while house.send_refunds().await > 0 {}
        let after = house.get(&order).await;
        assert_eq!((minor(&after.paid), minor(&after.refunded), after.refunds.len()), (6_000, 6_000, 1));
        assert_eq!(house.books().await, []);
        house.events(&order).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_send_a_refund_once() {
    let house = House::open().await;
    let order = house.order().await;
    let deposit = house.start(&order, Purpose::Deposit).await;
    house.succeed(&deposit).await;
    house.close(&order, None).await;
    let sent = tokio::join!(house.send_refunds(), house.send_refunds());
    assert_eq!(sent.0 + sent.1, 1);
    assert_eq!(minor(&house.get(&order).await.refunded), 6_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_id_for_two_orders_at_once_pays_one() {
    let house = House::open().await;
    for _ in 0..10 {
        let (one, other) = (house.order().await, house.order().await);
        let request = pay(&one, Purpose::Deposit, Tender::Sandbox);
        let same_id = PayOrderRequest { order: other, ..request.clone() };
        let (a, b) = tokio::join!(house.try_pay(request), house.try_pay(same_id));
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        assert_eq!(refused(a.and(b)), (Code::InvalidArgument, "REQUEST_ID_REUSED".to_owned()));
    }
}
