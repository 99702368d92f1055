//! Refunds that wait until somebody has looked at them.

use proto::{
    access::Role,
    payment::v1::{
        self as pb, RiskDecision, RiskOperation, RiskSubject, resolve_review_request::Resolution, risk_review::State,
    },
};
use tonic::Code;
use tonic_types::StatusExt;

use super::{above, as_finance, at_most, client, make, paid, refund, resolve, resolving, reviews, rule};
use crate::{
    checkout::{self, refund_all},
    house::House,
    wire::{amend, cny, fresh, minor, refusal, refused},
};

const HELD: &str = "RISK_HELD";

/// A house in which refunds above 100 yuan wait.
async fn open() -> House {
    let house = House::open().await;
    make(&house, rule(RiskOperation::Refund, above(10_000), RiskDecision::Review)).await;
    house
}

/// Asks for a refund that is held; the name of its review.
async fn hold(house: &House, request: &pb::RefundOrderRequest) -> String {
    let status = refund(house, request).await.expect_err("held");
    assert_eq!(refusal(&status), (Code::FailedPrecondition, HELD.to_owned()));
    status.get_details_error_info().expect("the review").metadata["review"].clone()
}

#[tokio::test]
async fn it_happens_once_when_it_is_approved() {
    let house = open().await;
    let order = paid(&house, 30_000).await;
    let request = refund_all(&order);
    let review = hold(&house, &request).await;
    assert_eq!(hold(&house, &request).await, review, "asked for again");
    assert!(house.get(&order).await.refunds.is_empty());
    let queued = reviews(&house).await;
    assert_eq!(
        (queued.len(), queued[0].state(), queued[0].held, minor(&queued[0].amount)),
        (1, State::Open, true, 30_000)
    );
    assert_eq!(house.count("select count(*) from audit_entry where action = 'risk.hold'").await, 1);

    let own = house.as_staff(resolving(&review, Resolution::Approve), Role::Finance, None);
    assert_eq!(refused(client(&house).resolve_review(own).await).1, "OWN_OPERATION");
    let approve = resolving(&review, Resolution::Approve);
    let approved =
        client(&house).resolve_review(as_finance(approve.clone(), None)).await.expect("approved").into_inner();
    assert_eq!((approved.state(), approved.resolution.as_str()), (State::Approved, "looked at"));
    let again = client(&house).resolve_review(as_finance(approve, None)).await.expect("the same").into_inner();
    assert_eq!(again, approved);
    assert_eq!(refused(resolve(&house, &review, Resolution::Reject).await).1, "WRONG_STATE");
    assert_eq!(house.get(&order).await.refunds.len(), 1);
    assert_eq!(house.balances().await["cash_drawer"], 0);

    // Who has asked for it learns that it is done, and gets the same answer for ever.
    let done = refund(&house, &request).await.expect("done");
    assert_eq!(minor(&done.amount), 30_000);
    assert_eq!(refund(&house, &request).await.expect("the same"), done);
    assert_eq!(house.count("select count(*) from order_return").await, 1);
    assert_eq!(house.count("select count(*) from audit_entry where action = 'risk_review.resolve'").await, 1);
}

#[tokio::test]
async fn it_never_happens_if_it_is_rejected() {
    let house = open().await;
    let order = paid(&house, 30_000).await;
    let request = refund_all(&order);
    let review = hold(&house, &request).await;
    let rejected = resolve(&house, &review, Resolution::Reject).await.expect("rejected");
    assert_eq!(rejected.state(), State::Rejected);
    assert_eq!(refused(refund(&house, &request).await).1, "RISK_REFUSED");
    assert_eq!(house.count("select count(*) from order_return").await, 0);
    // Another request is another question; the id of this one is taken.
    let part = pb::RefundOrderRequest { what: amount(5_000), ..request.clone() };
    assert_eq!(refused(refund(&house, &part).await).1, "REQUEST_ID_REUSED");
    let part = pb::RefundOrderRequest { request_id: fresh().to_string(), ..part };
    refund(&house, &part).await.expect("small enough");
}

fn amount(fen: i64) -> Option<pb::refund_order_request::What> {
    cny(fen).map(pb::refund_order_request::What::Amount)
}

#[tokio::test]
async fn what_is_not_possible_any_more_stays_open() {
    let house = open().await;
    let order = paid(&house, 30_000).await;
    let (all, most) = (refund_all(&order), pb::RefundOrderRequest { what: amount(25_000), ..refund_all(&order) });
    let (all, most) = (hold(&house, &all).await, hold(&house, &most).await);
    house.client.clone().amend_order(house.as_booking(amend(&order, -10_000))).await.expect("cheaper");
    assert_eq!(refused(resolve(&house, &most, Resolution::Approve).await).1, "REFUND_EXCEEDS_CAPTURED");
    assert_eq!(refused(resolve(&house, &all, Resolution::Approve).await).1, "REFUND_CHANGED");
    assert!(reviews(&house).await.iter().all(|review| review.state() == State::Open));
    assert_eq!(house.count("select count(*) from order_return").await, 0);
}

#[tokio::test]
async fn what_was_approved_counts_and_what_is_held_does_not() {
    let house = House::open().await;
    make(&house, rule(RiskOperation::Refund, at_most(RiskSubject::Staff, 1), RiskDecision::Review)).await;
    let orders = [paid(&house, 100).await, paid(&house, 100).await, paid(&house, 100).await];
    refund(&house, &refund_all(&orders[0])).await.expect("the first");
    let review = hold(&house, &refund_all(&orders[1])).await;
    assert_eq!(house.count("select count(*) from risk_event").await, 1);
    resolve(&house, &review, Resolution::Approve).await.expect("approved");
    assert_eq!(house.count("select count(*) from risk_event").await, 2);
    hold(&house, &refund_all(&orders[2])).await;
    let preview = pb::PreviewRefundRequest { name: orders[2].clone(), what: None };
    assert_eq!(refused(checkout::client(&house).preview_refund(house.as_desk(preview)).await).0, Code::InvalidArgument);
}
