//! Which payments, refunds and top-ups are let through.

mod held;
mod judged;
mod races;
mod ruled;

use std::time::Duration;

use kernel::{
    Uuid,
    ids::{StaffId, StoreId},
};
use proto::{
    access::Role,
    payment::v1::{
        self as pb, RiskDecision, RiskOperation, RiskSubject,
        payment::Purpose,
        resolve_review_request::Resolution,
        risk_rule::{AfterTopUp, AmountAbove, JustBelow, Pattern, Velocity},
        risk_service_client::RiskServiceClient,
    },
};
use testkit::with_token;
use tonic::{Request, Status, transport::Channel};

use crate::{
    checkout,
    house::House,
    roles::{reason, sent},
    wire::{cny, fresh},
};

const HOUR: i64 = 3_600;

pub fn client(house: &House) -> RiskServiceClient<Channel> {
    RiskServiceClient::new(house.channel.clone())
}

/// Sent by somebody of the head office who does nothing else.
pub fn as_office<T>(message: T) -> Request<T> {
    as_finance(message, None)
}

/// Sent by somebody of finance, perhaps bound to a store.
fn as_finance<T>(message: T, store: Option<StoreId>) -> Request<T> {
    let id = StaffId::from_uuid(Uuid::from_u128(99));
    with_token(message, &testkit::keys().staff_token(id, [Role::Finance], store))
}

/// A rule that is enabled and has no end.
pub fn rule(operation: RiskOperation, pattern: Pattern, decision: RiskDecision) -> pb::RiskRule {
    pb::RiskRule {
        display_name: "A rule".to_owned(),
        operation: operation.into(),
        pattern: Some(pattern),
        decision: decision.into(),
        enabled: true,
        ..pb::RiskRule::default()
    }
}

fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

/// So many in an hour.
pub fn at_most(subject: RiskSubject, max_count: i32) -> Pattern {
    let window = seconds(HOUR);
    Pattern::Velocity(Velocity { subject: subject.into(), window, max_count: Some(max_count), max_amount: None })
}

/// So much in an hour.
fn no_more_than(subject: RiskSubject, fen: i64) -> Pattern {
    let window = seconds(HOUR);
    Pattern::Velocity(Velocity { subject: subject.into(), window, max_count: None, max_amount: cny(fen) })
}

fn above(fen: i64) -> Pattern {
    Pattern::AmountAbove(AmountAbove { amount: cny(fen) })
}

fn just_below(limit: i64, margin: i64, max_count: i32) -> Pattern {
    let (subject, window) = (RiskSubject::Member.into(), seconds(HOUR));
    Pattern::JustBelow(JustBelow { subject, window, limit: cny(limit), margin: cny(margin), max_count })
}

fn after_top_up() -> Pattern {
    Pattern::AfterTopUp(AfterTopUp { window: seconds(HOUR) })
}

pub fn creating(rule: pb::RiskRule) -> pb::CreateRiskRuleRequest {
    pb::CreateRiskRuleRequest { rule: Some(rule), request_id: fresh().to_string() }
}

/// Makes a rule.
pub async fn make(house: &House, rule: pb::RiskRule) -> pb::RiskRule {
    client(house).create_risk_rule(as_office(creating(rule))).await.expect("a rule").into_inner()
}

/// All reviews, the newest first.
async fn reviews(house: &House) -> Vec<pb::RiskReview> {
    let request = as_office(pb::ListReviewsRequest::default());
    client(house).list_reviews(request).await.expect("a page").into_inner().reviews
}

pub fn resolving(name: &str, resolution: Resolution) -> pb::ResolveReviewRequest {
    pb::ResolveReviewRequest {
        name: name.to_owned(),
        resolution: resolution.into(),
        reason: "looked at".to_owned(),
        request_id: fresh().to_string(),
    }
}

async fn resolve(house: &House, name: &str, resolution: Resolution) -> Result<pb::RiskReview, Status> {
    Ok(client(house).resolve_review(as_office(resolving(name, resolution))).await?.into_inner())
}

/// A refund that was approved, one that was rejected, and one that still waits. No rule is left in force.
pub async fn eventful(house: &House) {
    let made = make(house, rule(RiskOperation::Refund, above(0), RiskDecision::Review)).await;
    for resolution in [Some(Resolution::Approve), Some(Resolution::Reject), None] {
        let order = paid(house, 700).await;
        refund(house, &checkout::refund_all(&order)).await.expect_err("held");
        let review = reviews(house).await[0].name.clone();
        if let Some(resolution) = resolution {
            resolve(house, &review, resolution).await.expect("resolved");
        }
        house.clock.advance(Duration::from_secs(1));
    }
    let request = pb::UpdateRiskRuleRequest {
        rule: Some(pb::RiskRule { enabled: false, ..made }),
        request_id: fresh().to_string(),
    };
    client(house).update_risk_rule(as_office(request)).await.expect("disabled");
}

/// A call of each RPC, for whoever tries all roles on it. Those who may learn that there is no such review.
pub async fn call(house: &House, rpc: &str, token: Option<&str>) -> String {
    let mut client = client(house);
    let new = || pb::RiskRule { enabled: false, ..rule(RiskOperation::Payment, above(100), RiskDecision::Refuse) };
    let review = format!("riskReviews/{}", fresh());
    match rpc {
        "CreateRiskRule" => reason(client.create_risk_rule(sent(creating(new()), token)).await),
        "UpdateRiskRule" => {
            let request =
                pb::UpdateRiskRuleRequest { rule: Some(make(house, new()).await), request_id: fresh().to_string() };
            reason(client.update_risk_rule(sent(request, token)).await)
        }
        "GetRiskRule" => {
            let request = pb::GetRiskRuleRequest { name: make(house, new()).await.name };
            reason(client.get_risk_rule(sent(request, token)).await)
        }
        "ListRiskRules" => reason(client.list_risk_rules(sent(pb::ListRiskRulesRequest::default(), token)).await),
        "ListReviews" => reason(client.list_reviews(sent(pb::ListReviewsRequest::default(), token)).await),
        "GetReview" => reason(client.get_review(sent(pb::GetReviewRequest { name: review }, token)).await),
        other => {
            assert_eq!(other, "ResolveReview", "no call of it is known");
            reason(client.resolve_review(sent(resolving(&review, Resolution::Approve), token)).await)
        }
    }
}

/// An order of so much that is paid.
pub async fn paid(house: &House, fen: i64) -> String {
    let order = house.order_of(fen, 0).await;
    house.cash(&order, Purpose::Balance).await;
    order
}

/// A store's manager gives all of an order back.
pub async fn refund(house: &House, request: &pb::RefundOrderRequest) -> Result<pb::OrderReturn, Status> {
    let request = house.as_staff(request.clone(), Role::StoreManager, Some(house.store));
    Ok(checkout::client(house).refund_order(request).await?.into_inner())
}
