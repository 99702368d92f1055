//! Many at once on one settlement list, or on what goes into it.

use std::{sync::Arc, time::Duration};

use proto::payment::v1::payment::Purpose;
use tokio::task::JoinSet;
use tonic::Status;

use super::office::Office;
use crate::{
    house::House,
    wire::{minor, refusal},
};

const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);

async fn open(visits: usize) -> (Arc<House>, Arc<Office>, Vec<String>) {
    let house = House::open().await;
    let office = Office::of(&house).await;
    office.rules(3_000, 1_000).await;
    let mut orders = Vec::new();
    for _ in 0..visits {
        let order = house.order().await;
        house.cash(&order, Purpose::Balance).await;
        office.complete(&office.visit(&order).await.through("meituan")).await;
        orders.push(order);
    }
    house.clock.advance(WEEK);
    (Arc::new(house), Arc::new(office), orders)
}

/// The one that went well; all others must have been refused for `refusal`.
fn one<T>(results: Vec<Result<T, Status>>, reason: &str) -> T {
    let (good, bad): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    for status in bad.into_iter().filter_map(Result::err) {
        assert_eq!(refusal(&status).1, reason);
    }
    assert_eq!(good.len(), 1);
    good.into_iter().find_map(Result::ok).expect("one")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_eight_who_draft_confirm_and_pay_at_once_one_does_each() {
    let (house, office, _) = open(5).await;
    let mut calls = JoinSet::new();
    for _ in 0..8 {
        let office = Arc::clone(&office);
        calls.spawn(async move { office.try_draft(office.march()).await });
    }
    let draft = one(calls.join_all().await, "NOTHING_TO_SETTLE");
    assert_eq!(minor(&draft.total), 60_000);
    let mut calls = JoinSet::new();
    for _ in 0..8 {
        let (office, name) = (Arc::clone(&office), draft.name.clone());
        calls.spawn(async move { office.try_confirm(&name, "").await });
    }
    one(calls.join_all().await, "WRONG_STATE");
    let mut calls = JoinSet::new();
    for _ in 0..8 {
        let (office, name) = (Arc::clone(&office), draft.name.clone());
        calls.spawn(async move { office.try_pay(&name, "").await });
    }
    one(calls.join_all().await, "WRONG_STATE");
    assert_eq!(house.balances().await["bank"], -60_000);
    assert_eq!(house.count("select count(*) from commission_settlement").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_as_a_list_is_drafted_confirmed_and_paid_are_in_it_or_in_the_next() {
    let (house, office, orders) = open(8).await;
    let mut calls = JoinSet::new();
    for order in orders {
        let house = Arc::clone(&house);
        calls.spawn(async move { drop(house.close(&order, None).await) });
    }
    let settle = async {
        // Nothing may be left for a list.
        let draft = office.try_draft(office.march()).await.ok()?;
        office.try_confirm(&draft.name, "").await.expect("confirmed");
        Some(office.try_pay(&draft.name, "").await.expect("paid"))
    };
    let (paid, _) = tokio::join!(settle, calls.join_all());
    let total = paid.map_or(0, |paid| minor(&paid.total));
    let balances = house.balances().await;
    assert_eq!(balances.get("bank").copied().unwrap_or_default(), -total);
    assert_eq!(balances["commission_payable"] + balances["partner_payable"], total, "what is owed back");
    assert_eq!(balances["commission_expense"], 0);
    if total > 0 {
        let next = office.try_draft(office.march()).await.expect("a draft");
        assert_eq!(minor(&next.total), -total);
    }
}
