//! Rules are made and changed; who may, and what makes no sense.

use kernel::ids::StoreId;
use proto::{
    access::Role,
    payment::v1::{
        self as pb, RiskDecision, RiskOperation, RiskSubject,
        payment::{Purpose, Tender},
        resolve_review_request::Resolution,
        risk_rule::{Pattern, Velocity},
    },
};
use tonic::Code;

use super::{
    above, as_finance, as_office, at_most, client, creating, just_below, make, no_more_than, resolving, reviews, rule,
    seconds,
};
use crate::{
    house::House,
    wire::{cny, fresh, pay, refused, usd},
};

fn updating(rule: pb::RiskRule) -> pb::UpdateRiskRuleRequest {
    pb::UpdateRiskRuleRequest { rule: Some(rule), request_id: fresh().to_string() }
}

#[tokio::test]
async fn a_rule_is_made_once_enabled_changed_and_never_lost() {
    let house = House::open().await;
    let request =
        creating(pb::RiskRule { enabled: false, ..rule(RiskOperation::Payment, above(100), RiskDecision::Refuse) });
    let made = client(&house).create_risk_rule(as_office(request.clone())).await.expect("a rule").into_inner();
    assert_eq!(client(&house).create_risk_rule(as_office(request)).await.expect("the same").into_inner(), made);
    let try_it = async || {
        let order = house.order_of(101, 0).await;
        let request = house.as_desk(pay(&order, Purpose::Balance, Tender::Cash));
        house.client.clone().pay_order(request).await.is_ok()
    };
    assert!(try_it().await);
    let enabled = pb::RiskRule { enabled: true, ..made.clone() };
    let enabled = client(&house).update_risk_rule(as_office(updating(enabled))).await.expect("enabled").into_inner();
    assert!(!try_it().await);
    assert_eq!((enabled.etag.as_str(), &enabled.pattern), ("2", &made.pattern));
    let stale = client(&house).update_risk_rule(as_office(updating(made.clone()))).await;
    assert_eq!(refused(stale), (Code::Aborted, "ETAG_MISMATCH".to_owned()));
    let softer = pb::RiskRule { decision: RiskDecision::Review.into(), pattern: None, ..enabled.clone() };
    client(&house).update_risk_rule(as_office(updating(softer))).await.expect("softer");
    assert!(try_it().await);
    let get = pb::GetRiskRuleRequest { name: made.name.clone() };
    let read = client(&house).get_risk_rule(as_office(get)).await.expect("the rule").into_inner();
    assert_eq!((read.decision(), &read.pattern), (RiskDecision::Review, &made.pattern));
    let mut client = client(&house);
    let first = pb::ListRiskRulesRequest { page_size: 3, page_token: String::new() };
    let page = client.list_risk_rules(as_office(first)).await.expect("a page").into_inner();
    assert_eq!((page.rules.len(), &page.rules[0]), (3, &read));
    let rest = pb::ListRiskRulesRequest { page_size: 100, page_token: page.next_page_token };
    let rest = client.list_risk_rules(as_office(rest)).await.expect("a page").into_inner();
    assert_eq!((rest.rules.len(), rest.next_page_token.as_str()), (5, ""));
    assert_eq!(house.count("select count(*) from audit_entry where action like 'risk_rule.%'").await, 3);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_nothing_is_stored() {
    let house = House::open().await;
    let before = house.count("select count(*) from risk_rule").await;
    let good = || rule(RiskOperation::Payment, above(100), RiskDecision::Refuse);
    let velocity = |window: i64, nanos: i32, max_count: Option<i32>| {
        let window = Some(prost_types::Duration { seconds: window, nanos });
        Pattern::Velocity(Velocity { subject: RiskSubject::Member.into(), window, max_count, max_amount: None })
    };
    let with = |pattern| pb::RiskRule { pattern: Some(pattern), ..good() };
    let bad = [
        pb::RiskRule { display_name: String::new(), ..good() },
        pb::RiskRule { operation: 0, ..good() },
        pb::RiskRule { operation: 9, ..good() },
        pb::RiskRule { decision: 0, ..good() },
        pb::RiskRule { pattern: None, ..good() },
        pb::RiskRule { store: "stores/x".to_owned(), ..good() },
        pb::RiskRule { end_time: Some(prost_types::Timestamp::default()), ..good() },
        with(above(-1)),
        with(velocity(60, 0, None)),
        with(velocity(60, 0, Some(-1))),
        with(velocity(0, 0, Some(1))),
        with(velocity(-60, 0, Some(1))),
        with(velocity(60, 1, Some(1))),
        with(velocity(31 * 86_400 + 1, 0, Some(1))),
        with(at_most(RiskSubject::Unspecified, 1)),
        with(no_more_than(RiskSubject::Member, 0)),
        with(just_below(100, 101, 1)),
        with(just_below(0, 0, 1)),
        with(super::after_top_up()),
        with(Pattern::JustBelow(pb::risk_rule::JustBelow {
            subject: RiskSubject::Member.into(),
            window: seconds(60),
            limit: cny(100),
            margin: usd(10),
            max_count: 1,
        })),
    ];
    for rule in bad {
        let answer = client(&house).create_risk_rule(as_office(creating(rule.clone()))).await;
        assert_eq!(refused(answer).0, Code::InvalidArgument, "{rule:?}");
    }
    let mut resolve = resolving(&format!("riskReviews/{}", fresh()), Resolution::Approve);
    assert_eq!(refused(client(&house).resolve_review(as_office(resolve.clone())).await).0, Code::NotFound);
    resolve.reason = String::new();
    assert_eq!(refused(client(&house).resolve_review(as_office(resolve)).await).0, Code::InvalidArgument);
    assert_eq!(house.count("select count(*) from risk_rule").await, before);
}

#[tokio::test]
async fn staff_of_a_store_make_no_rules_and_see_their_own_reviews() {
    let house = House::open().await;
    let made = make(&house, rule(RiskOperation::Payment, above(100), RiskDecision::Review)).await;
    let order = house.order_of(101, 0).await;
    house.cash(&order, Purpose::Balance).await;
    let review = reviews(&house).await[0].name.clone();
    let mut client = client(&house);
    let elsewhere = Some(StoreId::from_uuid(fresh()));
    let new = creating(rule(RiskOperation::Payment, above(1), RiskDecision::Refuse));
    assert_eq!(refused(client.create_risk_rule(as_finance(new, elsewhere)).await).0, Code::PermissionDenied);
    assert_eq!(refused(client.update_risk_rule(as_finance(updating(made), elsewhere)).await).0, Code::PermissionDenied);
    let get = pb::GetReviewRequest { name: review.clone() };
    assert_eq!(refused(client.get_review(as_finance(get.clone(), elsewhere)).await).1, "OTHER_STORE");
    let approve = resolving(&review, Resolution::Approve);
    assert_eq!(refused(client.resolve_review(as_finance(approve, elsewhere)).await).1, "OTHER_STORE");
    let list = pb::ListReviewsRequest::default();
    assert!(
        client.list_reviews(as_finance(list.clone(), elsewhere)).await.expect("a page").into_inner().reviews.is_empty()
    );
    let own = client.list_reviews(as_finance(list, Some(house.store))).await.expect("a page").into_inner().reviews;
    assert_eq!(own.len(), 1);
    let open = pb::ListReviewsRequest { state: pb::risk_review::State::Refused.into(), ..Default::default() };
    assert!(client.list_reviews(as_office(open)).await.expect("a page").into_inner().reviews.is_empty());
    client.get_review(as_finance(get, Some(house.store))).await.expect("the review");
    let auditor = house.as_staff(resolving(&review, Resolution::Approve), Role::Auditor, None);
    assert_eq!(refused(client.resolve_review(auditor).await).0, Code::PermissionDenied);
}
