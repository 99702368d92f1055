use std::time::Duration;

use kernel::{
    Currency, Money, Timestamp, Uuid,
    ids::{CardId, MemberId, RiskRuleId, StoreId},
};

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const HOUR: Duration = Duration::from_secs(3_600);

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn rule(pattern: Pattern, decision: Decision) -> Rule {
    Rule {
        id: RiskRuleId::from_uuid(Uuid::from_u128(1)),
        display_name: "rule".to_owned(),
        operation: OperationKind::Payment,
        store: None,
        pattern,
        decision,
        enabled: true,
        start_time: NOW,
        end_time: None,
        create_time: NOW,
        version: 1,
    }
}

fn velocity(max_count: Option<u32>, max_amount: Option<Money>) -> Pattern {
    Pattern::Velocity { subject: Subject::Member, window: HOUR, max_count, max_amount }
}

fn just_below(limit: i64, margin: i64, max_count: u32) -> Pattern {
    Pattern::JustBelow { subject: Subject::Store, window: HOUR, limit: cny(limit), margin: cny(margin), max_count }
}

fn operation(minor: i64) -> Operation {
    Operation {
        kind: OperationKind::Payment,
        source: Uuid::from_u128(2),
        target: "orders/x".to_owned(),
        customer: MemberId::from_uuid(Uuid::from_u128(3)),
        store: StoreId::from_uuid(Uuid::from_u128(4)),
        card: None,
        address: None,
        actor: "members/x".to_owned(),
        amount: cny(minor),
    }
}

fn before(count: i64, sum_minor: i64) -> Tally {
    Tally { count, sum_minor }
}

#[test]
fn limits_are_kept_to_the_last_fen_and_the_last_one() {
    let broken = |pattern, minor, tally| rule(pattern, Decision::Refuse).broken(&operation(minor), tally).is_some();
    assert!(!broken(velocity(Some(3), None), 1, before(2, 2)) && broken(velocity(Some(3), None), 1, before(3, 3)));
    assert!(broken(velocity(Some(0), None), 1, before(0, 0)));
    let most = velocity(None, Some(cny(100)));
    assert!(!broken(most.clone(), 60, before(9, 40)) && broken(most.clone(), 61, before(9, 40)));
    assert!(broken(most, i64::MAX, before(1, i64::MAX)), "too much to be added up is too much");
    assert!(
        !broken(just_below(1_000, 50, 2), 999, before(1, 999)) && broken(just_below(1_000, 50, 2), 950, before(2, 0))
    );
}

#[test]
fn a_rule_looks_only_at_what_it_is_about() {
    let looks = |change: &dyn Fn(&mut Rule), minor| {
        let mut of = rule(velocity(Some(1), None), Decision::Refuse);
        change(&mut of);
        of.looks_at(&operation(minor), NOW)
    };
    assert!(looks(&|_| (), 1));
    assert!(!looks(&|of| of.enabled = false, 1));
    assert!(!looks(&|of| of.operation = OperationKind::TopUp, 1));
    assert!(!looks(&|of| of.store = Some(StoreId::from_uuid(Uuid::from_u128(9))), 1));
    assert!(!looks(&|of| of.start_time = NOW + HOUR, 1));
    assert!(!looks(&|of| of.end_time = Some(NOW), 1));
    let yen = Money::new(1, Currency::parse("c", "JPY").expect("known"));
    assert!(!looks(&|of| of.pattern = velocity(None, Some(yen)), 1), "of another currency");
    assert!(
        looks(&|of| of.pattern = Pattern::AmountAbove(cny(10)), 11)
            && !looks(&|of| of.pattern = Pattern::AmountAbove(cny(10)), 10)
    );
    for (minor, looked) in [(949, false), (950, true), (999, true), (1_000, false)] {
        assert_eq!(looks(&|of| of.pattern = just_below(1_000, 50, 0), minor), looked, "{minor}");
    }
    let by_card = Pattern::Velocity { subject: Subject::Card, window: HOUR, max_count: Some(0), max_amount: None };
    assert!(!looks(&|of| of.pattern = by_card.clone(), 1), "there is no card");
    let by_staff = Pattern::Velocity { subject: Subject::Staff, window: HOUR, max_count: Some(0), max_amount: None };
    assert!(!looks(&|of| of.pattern = by_staff.clone(), 1), "a member is no staff");
}

#[test]
fn what_is_counted_is_by_whom_a_rule_looks_back_to_it() {
    let after =
        Rule { operation: OperationKind::Refund, ..rule(Pattern::AfterTopUp { window: HOUR }, Decision::Review) };
    let card = Some(CardId::from_uuid(Uuid::from_u128(5)));
    let top_up = Operation { kind: OperationKind::TopUp, card, ..operation(1) };
    let refund = Operation { kind: OperationKind::Refund, ..operation(1) };
    assert_eq!(after.counts(&top_up, NOW).map(|(subject, _)| subject), Some(Subject::Member));
    assert_eq!(after.counts(&refund, NOW), None);
    assert_eq!(after.measure(&refund).map(|measure| measure.counted), Some(OperationKind::TopUp));
    assert!(after.broken(&refund, before(1, 1)).is_some() && after.broken(&refund, before(0, 0)).is_none());
    let later = Rule { start_time: NOW + HOUR, ..after.clone() };
    assert!(later.counts(&top_up, NOW).is_some(), "so that it knows when it starts");
    assert_eq!(Rule { enabled: false, ..after }.counts(&top_up, NOW), None);
}

#[test]
fn one_that_allows_goes_before_one_that_refuses_and_that_before_one_that_wants_a_review() {
    let [allow, review, refuse] =
        [Decision::Allow, Decision::Review, Decision::Refuse].map(|decision| rule(velocity(Some(0), None), decision));
    let judged = |rules: &[&Rule]| judge(&operation(1), rules.iter().map(|rule| (*rule, Tally::default())));
    assert_eq!(judged(&[]), Verdict::Allow);
    assert_eq!(judged(&[&refuse, &allow, &review]), Verdict::Allow);
    assert!(matches!(judged(&[&review, &refuse]), Verdict::Refuse(reasons) if reasons.len() == 1));
    assert!(matches!(judged(&[&review, &review]), Verdict::Review(reasons) if reasons.len() == 2));
}

#[test]
fn a_review_is_resolved_once_and_by_somebody_else() {
    let open = Review::open(&operation(1), Vec::new(), None, NOW);
    let reason = |result: kernel::Result<Review>| result.err().map(|error| error.reason());
    assert_eq!(reason(open.clone().resolve(true, "members/x", "fine", NOW)), Some("OWN_OPERATION"));
    let resolved = open.resolve(true, "staff/y", "fine", NOW).expect("resolved");
    assert_eq!(reason(resolved.resolve(false, "staff/y", "not fine", NOW)), Some("WRONG_STATE"));
    let refused = Review::refused(&operation(1), Vec::new(), NOW);
    assert_eq!(reason(refused.resolve(true, "staff/y", "fine", NOW)), Some("WRONG_STATE"));
}

#[test]
fn rules_that_make_no_sense_are_none() {
    let field = |pattern| {
        let error = rule(pattern, Decision::Refuse).validate().expect_err("nonsense");
        error.violations()[0].field.clone()
    };
    assert_eq!(field(velocity(None, None)), "rule.velocity.max_count");
    assert_eq!(field(velocity(None, Some(cny(0)))), "rule.velocity.max_amount");
    let long =
        Pattern::Velocity { subject: Subject::Card, window: MAX_WINDOW + HOUR, max_count: Some(1), max_amount: None };
    assert_eq!(field(long), "rule.velocity.window");
    assert_eq!(field(Pattern::AmountAbove(cny(-1))), "rule.amount_above.amount");
    assert_eq!(field(just_below(0, 1, 1)), "rule.just_below.limit");
    assert_eq!(field(just_below(100, 101, 1)), "rule.just_below.margin");
    assert_eq!(field(Pattern::AfterTopUp { window: HOUR }), "rule.operation");
    let over = Rule { end_time: Some(NOW), ..rule(velocity(Some(1), None), Decision::Allow) };
    assert_eq!(over.validate().expect_err("over").violations()[0].field, "rule.end_time");
}
