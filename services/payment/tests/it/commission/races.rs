//! Many at once on what is earned by one visit.

use std::sync::Arc;

use proto::payment::v1::payment::Purpose;
use tokio::task::JoinSet;

use super::office::{Office, new_rule};
use crate::{house::House, wire::amend};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_comes_sixteen_times_at_once_accrues_once() {
    let house = House::open().await;
    let office = Arc::new(Office::of(&house).await);
    office.rules(3_000, 1_000).await;
    for round in 1..=5 {
        let visit = office.visit(&house.order().await).await.through("meituan");
        let mut calls = JoinSet::new();
        for _ in 0..16 {
            let (office, visit) = (Arc::clone(&office), visit.clone());
            calls.spawn(async move { office.complete(&visit).await });
        }
        calls.join_all().await;
        let booked = house.count("select count(*) from ledger_transaction where kind = 'commission_accrued'").await;
        assert_eq!(booked, round);
        assert_eq!(house.balances().await["commission_expense"], 12_000 * round);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visit_that_is_told_as_its_order_is_refunded_ends_the_same() {
    let house = Arc::new(House::open().await);
    let office = Arc::new(Office::of(&house).await);
    office.rules(3_000, 1_000).await;
    for round in 1..=10_i64 {
        let order = house.order().await;
        house.cash(&order, Purpose::Balance).await;
        let visit = office.visit(&order).await.through("meituan");
        let (close, told) = (house.close(&order, Some(10_000)), office.complete(&visit));
        tokio::join!(close, told);
        assert_eq!(house.balances().await["commission_expense"], 4_000 * round, "round {round}");
    }
    let left = "select sum(amount_minor - reversed_minor)::bigint from commission_accrual";
    assert_eq!(house.count(left).await, 40_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_at_once_take_back_what_they_are_worth_together() {
    let house = Arc::new(House::open().await);
    let office = Office::of(&house).await;
    office.rule(new_rule(3_333)).await;
    let order = house.order_of(10_000, 0).await;
    house.cash(&order, Purpose::Balance).await;
    office.complete(&office.visit(&order).await).await;
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let (house, order) = (Arc::clone(&house), order.clone());
        calls.spawn(async move {
            let request = house.as_booking(amend(&order, -250));
            house.client.clone().amend_order(request).await.expect("cheaper");
        });
    }
    calls.join_all().await;
    // Half of 33.33 yuan, half a fen rounded up.
    assert_eq!(office.earned().await, [(3_333, 1_667)]);
    assert_eq!(house.balances().await["commission_payable"], -1_666);
}
