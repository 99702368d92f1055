//! Many at once.

use std::{collections::HashSet, time::Duration};

use payment::worker::expire_checkouts;
use prost::Message;
use proto::payment::v1::{checkout::State, payment::Tender};
use tokio::task::JoinSet;

use super::{cancel, card, client, external, get, on_card, request, spend, tender};
use crate::{house::House, wire::minor};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twins_of_a_checkout_are_one() {
    let house = House::open().await;
    for other in [Tender::CardTerminal, Tender::Sandbox] {
        let order = house.order_of(30_000, 0).await;
        let request = request(&order, &[tender(Tender::Cash, 10_000), tender(other, 20_000)]);
        let mut twins = JoinSet::new();
        for _ in 0..30 {
            let (mut client, request) = (client(&house), house.as_desk(request.clone()));
            twins.spawn(async move {
                client.start_checkout(request).await.expect("an answer").into_inner().encode_to_vec()
            });
        }
        let answers: HashSet<Vec<u8>> = twins.join_all().await.into_iter().collect();
        assert_eq!((answers.len(), house.get(&order).await.payments.len()), (1, 2));
    }
    assert_eq!(house.count("select count(*) from checkout").await, 2);
    assert_eq!(house.count("select count(*) from sandbox.charge").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_checkouts_of_one_order_one_is_taken() {
    let house = House::open().await;
    let order = house.order_of(30_000, 0).await;
    let mut payers = JoinSet::new();
    for _ in 0..10 {
        let request = request(&order, &[tender(Tender::Cash, 10_000), tender(Tender::Sandbox, 20_000)]);
        let (mut client, request) = (client(&house), house.as_desk(request));
        payers.spawn(async move { client.start_checkout(request).await.is_ok() });
    }
    assert_eq!(payers.join_all().await.into_iter().filter(|taken| *taken).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_orders_that_one_card_can_not_both_pay_it_pays_one() {
    let house = House::open().await;
    for _ in 0..5 {
        let card = card(&house, 10_000).await;
        let (one, other) = (house.order_of(6_000, 0).await, house.order_of(6_000, 0).await);
        let (a, b) = tokio::join!(spend(&house, &one, card, 6_000, 0), spend(&house, &other, card, 3_000, 3_000));
        // They fit, with 1,000 left; of two more of 1,000 only one does.
        assert!(a.is_ok() && b.is_ok(), "{a:?} {b:?}");
        assert_eq!(on_card(&house, card).await, (4_000, 3_000));
        let (third, fourth) = (house.order_of(1_000, 0).await, house.order_of(1_000, 0).await);
        let (c, d) = tokio::join!(spend(&house, &third, card, 1_000, 0), spend(&house, &fourth, card, 1_000, 0));
        assert_eq!(usize::from(c.is_ok()) + usize::from(d.is_ok()), 1);
        assert_eq!(c.and(d).expect_err("one was refused").reason(), "INSUFFICIENT_BALANCE");
        assert_eq!(on_card(&house, card).await, (3_000, 3_000));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notice_timeout_cancellation_and_end_decide_once() {
    for round in 0..6 {
        let house = House::open().await;
        let (order, card) = (house.order_of(30_000, 0).await, card(&house, 10_000).await);
        let open = spend(&house, &order, card, 10_000, 20_000).await.expect("open");
        house.press(&external(&open), "succeed", "twice").await;
        house.clock.advance(Duration::from_secs(36 * 60));
        let timeout = async { expire_checkouts(&house.app).await.expect("looked") };
        let cancelled = async { client(&house).cancel_checkout(house.as_desk(cancel(&open))).await.is_ok() };
        let ended = async {
            if round % 2 == 1 {
                house.close(&order, None).await;
            }
        };
        tokio::join!(house.deliver(), timeout, cancelled, ended);
        house.deliver().await;
        while house.send_refunds().await > 0 {}
        let (after, checkout) = (house.get(&order).await, get(&house, &open).await);
        let back: i64 = after.refunds.iter().map(|refund| minor(&refund.amount)).sum();
        let (posted, reserved) = on_card(&house, card).await;
        let paid = minor(&after.paid);
        assert_eq!(reserved, 0, "round {round}");
        match checkout.state() {
            State::Captured => assert!(paid == 30_000 && (back == 0 || back == 30_000), "round {round}: {back}"),
            state => assert_eq!((state, paid, back), (State::Voided, 0, 20_000), "round {round}"),
        }
        assert_eq!(posted, if checkout.state() == State::Captured && back == 0 { 0 } else { 10_000 }, "round {round}");
        house.balances().await;
        house.events(&order).await;
    }
}
