//! Many at once.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use proto::payment::v1::{
    self as pb, RiskDecision, RiskOperation, RiskSubject,
    payment::{Purpose, Tender},
    resolve_review_request::Resolution,
};
use tokio::task::JoinSet;

use super::{above, as_office, at_most, client, make, paid, refund, resolving, reviews, rule};
use crate::{
    checkout::refund_all,
    house::House,
    wire::{pay, refusal},
};

/// How often each reason was given; nothing for what went well.
fn reasons(all: Vec<String>) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for reason in all {
        *reasons.entry(reason).or_default() += 1;
    }
    reasons
}

fn expected(good: usize, reason: &str, bad: usize) -> BTreeMap<String, usize> {
    BTreeMap::from([(String::new(), good), (reason.to_owned(), bad)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_payments_at_once_as_many_pass_as_may() {
    let house = Arc::new(House::open().await);
    make(&house, rule(RiskOperation::Payment, at_most(RiskSubject::Member, 1), RiskDecision::Refuse)).await;
    let mut orders = Vec::with_capacity(1_000);
    for _ in 0..1_000 {
        orders.push(house.order_of(100, 0).await);
    }
    let mut calls = JoinSet::new();
    for (i, order) in orders.into_iter().enumerate() {
        let house = Arc::clone(&house);
        calls.spawn(async move {
            // At the desk and from the app.
            let answer = if i % 2 == 0 {
                let request = house.as_desk(pay(&order, Purpose::Balance, Tender::Cash));
                house.client.clone().pay_order(request).await.map(drop)
            } else {
                house.try_pay(pay(&order, Purpose::Balance, Tender::Sandbox)).await.map(drop)
            };
            answer.map_or_else(|status| refusal(&status).1, |()| String::new())
        });
    }
    assert_eq!(reasons(calls.join_all().await), expected(1, "RISK_REFUSED", 999));
    assert_eq!(house.count("select count(*) from payment").await, 1);
    assert_eq!(house.count("select count(*) from risk_event").await, 1);
    assert_eq!(house.count("select count(*) from risk_review where state = 'refused'").await, 999);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_by_the_same_staff_at_once_are_let_through_as_often_as_they_may() {
    let house = Arc::new(House::open().await);
    make(&house, rule(RiskOperation::Refund, at_most(RiskSubject::Staff, 3), RiskDecision::Review)).await;
    let mut orders = Vec::new();
    for _ in 0..16 {
        orders.push(paid(&house, 100).await);
    }
    let mut calls = JoinSet::new();
    for order in orders {
        let house = Arc::clone(&house);
        calls.spawn(async move {
            refund(&house, &refund_all(&order)).await.map_or_else(|status| refusal(&status).1, |_| String::new())
        });
    }
    assert_eq!(reasons(calls.join_all().await), expected(3, "RISK_HELD", 13));
    assert_eq!(reviews(&house).await.len(), 13);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_review_that_many_resolve_at_once_is_resolved_once() {
    let house = Arc::new(House::open().await);
    make(&house, rule(RiskOperation::Refund, above(0), RiskDecision::Review)).await;
    for _ in 0..5 {
        let order = paid(&house, 100).await;
        let request = refund_all(&order);
        refund(&house, &request).await.expect_err("held");
        let review = reviews(&house).await[0].name.clone();
        house.clock.advance(Duration::from_secs(1));
        let mut calls = JoinSet::new();
        for i in 0..8 {
            let (house, review, request) = (Arc::clone(&house), review.clone(), request.clone());
            calls.spawn(async move {
                // Some of them, while its refund is asked for again.
                let answer = match i % 3 {
                    0 => client(&house)
                        .resolve_review(as_office(resolving(&review, Resolution::Approve)))
                        .await
                        .map(drop),
                    1 => {
                        client(&house).resolve_review(as_office(resolving(&review, Resolution::Reject))).await.map(drop)
                    }
                    _ => {
                        return refund(&house, &request)
                            .await
                            .map_or_else(|status| refusal(&status).1, |_| "DONE".to_owned());
                    }
                };
                answer.map_or_else(|status| refusal(&status).1, |()| String::new())
            });
        }
        let counted = reasons(calls.join_all().await);
        assert_eq!((counted[""], counted["WRONG_STATE"]), (1, 5), "{counted:?}");
        let review =
            client(&house).get_review(as_office(pb::GetReviewRequest { name: review })).await.expect("the review");
        let happened = review.into_inner().state() == pb::risk_review::State::Approved;
        assert_eq!(house.get(&order).await.refunds.len(), usize::from(happened));
    }
}
