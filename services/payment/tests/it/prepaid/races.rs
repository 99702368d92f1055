//! Many at once on the same contract.

use std::sync::Arc;

use proto::payment::v1 as pb;
use tokio::task::JoinSet;

use super::shop::{Shop, item, ten};
use crate::wire::{cny, minor, refusal};

/// One session for 100 yuan.
fn one() -> pb::ContractTerms {
    pb::ContractTerms { price: cny(10_000), items: vec![item("items/massage", 1, 0, 10_000)], ..ten() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_uses_of_one_session_are_one() {
    let shop = Arc::new(Shop::open().await);
    let contract = shop.sell(one()).await.name;
    let mut calls = JoinSet::new();
    for _ in 0..1_000 {
        let (shop, contract) = (Arc::clone(&shop), contract.clone());
        calls.spawn(async move {
            // Whoever finds too many others at work is told so, and asks again.
            let request = shop.new_use(&contract, "items/massage");
            loop {
                match shop.try_reserve(request.clone()).await {
                    Err(status) if status.code() == tonic::Code::Unavailable => {}
                    answer => return answer.map_err(|status| refusal(&status).1),
                }
            }
        });
    }
    let (taken, refused): (Vec<_>, Vec<_>) = calls.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((taken.len(), refused.len()), (1, 999));
    assert!(refused.into_iter().all(|answer| answer == Err("NO_SESSION_LEFT".to_owned())));
    let name = taken.into_iter().find_map(Result::ok).expect("one").name;
    shop.commit(&name).await.expect("had");
    assert_eq!(shop.house.balances().await["takings"], -10_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_ends_of_a_use_are_one() {
    let shop = Arc::new(Shop::open().await);
    for round in 0..10 {
        let contract = shop.sell(one()).await.name;
        let name = shop.reserve(&contract).await.name;
        let mut calls = JoinSet::new();
        for n in 0..8 {
            let (shop, name) = (Arc::clone(&shop), name.clone());
            calls.spawn(async move {
                let answer = if n % 2 == 0 { shop.commit(&name).await } else { shop.void(&name).await };
                answer.map(|done| done.state)
            });
        }
        let states: Vec<i32> = calls.join_all().await.into_iter().filter_map(Result::ok).collect();
        assert_eq!(states.len(), 4, "round {round}: one side wins");
        assert!(states.iter().all(|state| *state == states[0]), "round {round}: {states:?}");
        let earned = minor(&shop.get(&contract).await.recognised);
        let had = states[0] == i32::from(pb::contract_use::State::Committed);
        assert_eq!(earned, if had { 10_000 } else { 0 }, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_refund_and_a_use_at_once_one_happens() {
    let shop = Arc::new(Shop::open().await);
    for round in 0..10 {
        let contract = shop.sell(one()).await.name;
        let of = (Arc::clone(&shop), contract.clone());
        let refund = tokio::spawn(async move { of.0.refund(&of.1, pb::RefundCause::ConsumerWish).await.is_ok() });
        let of = (Arc::clone(&shop), contract.clone());
        let reserve = tokio::spawn(async move {
            let request = of.0.new_use(&of.1, "items/massage");
            of.0.try_reserve(request).await.is_ok()
        });
        let (refund, reserve) = (refund.await.expect("no panic"), reserve.await.expect("no panic"));
        assert!(refund != reserve, "round {round}: {refund} {reserve}");
    }
    shop.house.balances().await;
}
