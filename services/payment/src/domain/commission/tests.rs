//! Rules and shares.

use jiff::civil::date;
use kernel::{
    Currency, Money, Timestamp, Uuid,
    ids::{CommissionRuleId, ItemId, StoreId, TherapistId},
};
use proptest::prelude::*;

use super::*;

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// A rule for every visit.
fn rule(n: u128, points: u32) -> Rule {
    Rule {
        id: CommissionRuleId::from_uuid(id(n)),
        payee: PayeeKind::Therapist,
        item: None,
        store: None,
        partner: None,
        grade: None,
        manner: None,
        rate: Rate::BasisPoints(points),
        start_date: date(2027, 1, 1),
        end_date: None,
        create_time: Timestamp::UNIX_EPOCH,
        retire_time: None,
        version: 1,
    }
}

fn part(minutes: u32) -> Part {
    Part {
        therapist: TherapistId::from_uuid(id(7)),
        item: ItemId::from_uuid(id(1)),
        grade: Some(3),
        manner: Some(Manner::Requested),
        minutes,
    }
}

/// A visit of 300 yuan in March.
fn visit() -> Visit {
    Visit {
        store: StoreId::from_uuid(id(2)),
        date: date(2027, 3, 1),
        price: cny(30_000),
        partner: None,
        parts: vec![part(60)],
    }
}

fn store() -> Option<StoreId> {
    Some(StoreId::from_uuid(id(2)))
}

fn item() -> Option<ItemId> {
    Some(ItemId::from_uuid(id(1)))
}

/// Which rule wins, by its number, and what the first therapist earns.
fn won(rules: &[Rule]) -> (u128, i64) {
    let shares = award(rules, &visit()).expect("shares");
    (shares[0].rule.map_or(0, |rule| rule.uuid().as_u128()), shares[0].amount.minor())
}

#[test]
fn without_a_rule_nothing_is_earned() {
    assert_eq!(won(&[]), (0, 0));
    let share = &award(&[], &visit()).expect("shares")[0];
    assert_eq!(share.explanation, "no rule fits on 2027-03-01");
}

#[test]
fn the_rate_is_a_share_or_so_much() {
    assert_eq!(won(&[rule(1, 3_000)]), (1, 9_000));
    assert_eq!(won(&[Rule { rate: Rate::Fixed(cny(5_000)), ..rule(1, 0) }]), (1, 5_000));
    let yen = Money::new(5_000, Currency::parse("currency", "JPY").expect("known"));
    assert_eq!(won(&[Rule { rate: Rate::Fixed(yen), ..rule(1, 0) }]), (0, 0), "of another currency");
}

#[test]
fn each_condition_must_fit() {
    let other = Some(StoreId::from_uuid(id(9)));
    let unfit = [
        Rule { store: other, ..rule(1, 1) },
        Rule { item: Some(ItemId::from_uuid(id(9))), ..rule(1, 1) },
        Rule { partner: Some("meituan".to_owned()), ..rule(1, 1) },
        Rule { grade: Some(4), ..rule(1, 1) },
        Rule { manner: Some(Manner::Rotation), ..rule(1, 1) },
        Rule { payee: PayeeKind::Partner, ..rule(1, 1) },
        Rule { start_date: date(2027, 3, 2), ..rule(1, 1) },
        Rule { end_date: Some(date(2027, 2, 28)), ..rule(1, 1) },
    ];
    for rule in unfit {
        assert_eq!(won(std::slice::from_ref(&rule)), (0, 0), "{rule:?}");
    }
    let whole_day = Rule { start_date: date(2027, 3, 1), end_date: Some(date(2027, 3, 1)), ..rule(1, 100) };
    assert_eq!(won(&[whole_day]), (1, 300));
}

#[test]
fn the_most_specific_rule_wins_and_says_why() {
    let all = rule(1, 1_000);
    let graded = Rule { grade: Some(3), ..rule(2, 1_100) };
    let of_store = Rule { store: store(), ..rule(3, 1_200) };
    let of_item = Rule { item: item(), ..rule(4, 1_300) };
    let asked = Rule { manner: Some(Manner::Requested), ..rule(5, 1_400) };
    let two = Rule { grade: Some(3), manner: Some(Manner::Requested), ..rule(6, 1_500) };
    let newer = rule(8, 1_700);
    let later = Rule { start_date: date(2027, 2, 1), ..rule(0, 1_600) };
    let cases = [
        (vec![&all, &graded], 2, "it has more conditions"),
        (vec![&graded, &of_store], 3, "it is for the store"),
        (vec![&of_store, &of_item], 4, "it is for the item"),
        (vec![&graded, &asked], 2, "it is for the grade"),
        (vec![&of_item, &two], 6, "it has more conditions"),
        (vec![&all, &later], 0, "it starts later"),
        (vec![&all, &newer], 8, "it was made later"),
    ];
    for (rules, winner, why) in cases {
        let mut rules: Vec<Rule> = rules.into_iter().cloned().collect();
        for _ in 0..2 {
            let share = &award(&rules, &visit()).expect("shares")[0];
            assert_eq!(share.rule.map(|rule| rule.uuid().as_u128()), Some(winner), "{}", share.explanation);
            assert!(share.explanation.ends_with(why), "{}", share.explanation);
            rules.reverse();
        }
    }
}

#[test]
fn an_explanation_tells_rate_base_rule_and_conditions() {
    let rule = Rule { store: store(), grade: Some(3), ..rule(1, 3_050) };
    let expected = format!("30.50 % of 300.00 CNY by {}, which is for store, grade", rule.id);
    assert_eq!(award(&[rule], &visit()).expect("shares")[0].explanation, expected);
}

#[test]
fn a_partner_earns_by_the_whole_and_therapists_by_their_parts() {
    let of_partner = Rule { payee: PayeeKind::Partner, ..rule(2, 1_000) };
    let through = Rule { partner: Some("meituan".to_owned()), ..rule(3, 2_000) };
    let visit = Visit {
        price: cny(100),
        partner: Some("meituan".to_owned()),
        parts: vec![part(60), part(30), part(60)],
        ..visit()
    };
    let shares = award(&[rule(1, 5_000), of_partner, through], &visit).expect("shares");
    let figures: Vec<_> = shares.iter().map(|share| (share.base.minor(), share.amount.minor())).collect();
    assert_eq!(figures, [(40, 8), (20, 4), (40, 8), (100, 10)]);
    assert_eq!(shares[3].payee.name(), "partners/meituan");
    let no_minutes = Visit { parts: vec![part(0), part(0)], partner: None, ..visit };
    let shares = award(&[rule(1, 10_000)], &no_minutes).expect("shares");
    assert_eq!(shares.iter().map(|share| share.base.minor()).collect::<Vec<_>>(), [50, 50]);
}

#[test]
fn what_can_not_be_is_refused() {
    let field = |rule: Rule| rule.validate().expect_err("unfit").violations()[0].field.clone();
    assert_eq!(field(rule(1, 10_001)), "rule.basis_points");
    assert_eq!(field(Rule { rate: Rate::Fixed(cny(-1)), ..rule(1, 0) }), "rule.fixed_amount");
    assert_eq!(field(Rule { grade: Some(6), ..rule(1, 0) }), "rule.grade");
    assert_eq!(field(Rule { end_date: Some(date(2026, 12, 31)), ..rule(1, 0) }), "rule.end_date");
    assert!(rule(1, 10_000).validate().is_ok());
    assert!(award(&[], &Visit { parts: vec![], ..visit() }).is_err());
    assert!(award(&[], &Visit { price: cny(-1), ..visit() }).is_err());
}

#[test]
fn a_rule_is_retired_once_by_who_has_seen_it() {
    let now = Timestamp::UNIX_EPOCH;
    let reason = |result: kernel::Result<Rule>| result.expect_err("refused").reason();
    assert_eq!(reason(rule(1, 0).retire("2", now)), "ETAG_MISMATCH");
    let retired = rule(1, 0).retire("1", now).expect("retired");
    assert_eq!((retired.etag().as_str(), retired.retire_time), ("2", Some(now)));
    assert_eq!(reason(retired.clone().retire("1", now)), "ETAG_MISMATCH");
    assert_eq!(reason(retired.retire("", now)), "RETIRED");
}

#[test]
fn a_payee_reads_back() {
    let therapist = Payee::Therapist(TherapistId::from_uuid(id(7)));
    for payee in [therapist, Payee::Partner("美团".to_owned())] {
        assert_eq!(Payee::parse_name("payee", &payee.name()).ok(), Some(payee));
    }
    for name in ["", "partners/", "members/x", "therapists/x"] {
        assert!(Payee::parse_name("payee", name).is_err(), "{name}");
    }
}

/// A rule by five conditions that may be stated, and a start.
fn any_rule() -> impl Strategy<Value = Rule> {
    (0_u128..50, prop::array::uniform5(any::<bool>()), 1_i8..28, 0_u32..=10_000).prop_map(|(n, states, day, points)| {
        Rule {
            item: states[0].then_some(ItemId::from_uuid(id(1))),
            store: states[1].then_some(StoreId::from_uuid(id(2))),
            partner: states[2].then(|| "meituan".to_owned()),
            grade: states[3].then_some(3),
            manner: states[4].then_some(Manner::Requested),
            start_date: date(2027, 2, day),
            ..rule(n, points)
        }
    })
}

proptest! {
    #[test]
    fn the_order_of_rules_does_not_matter(mut rules in prop::collection::vec(any_rule(), 0..12), turn in 0_usize..12) {
        rules.sort_by_key(|rule| rule.id);
        rules.dedup_by_key(|rule| rule.id);
        let visit = Visit { partner: Some("meituan".to_owned()), ..visit() };
        let before = award(&rules, &visit).expect("shares");
        let turned = if rules.is_empty() { 0 } else { turn % rules.len() };
        rules.rotate_left(turned);
        prop_assert_eq!(&award(&rules, &visit).expect("shares"), &before);
        rules.reverse();
        prop_assert_eq!(award(&rules, &visit).expect("shares"), before);
    }

    #[test]
    fn bases_add_up_and_nobody_earns_more_than_his(
        price in 0_i64..10_000_000,
        minutes in prop::collection::vec(0_u32..300, 1..8),
        points in 0_u32..=10_000,
    ) {
        let visit = Visit { price: cny(price), parts: minutes.into_iter().map(part).collect(), ..visit() };
        let shares = award(&[rule(1, points)], &visit).expect("shares");
        prop_assert_eq!(shares.iter().map(|share| share.base.minor()).sum::<i64>(), price);
        prop_assert!(shares.iter().all(|share| 0 <= share.amount.minor() && share.amount.minor() <= share.base.minor()));
    }
}
