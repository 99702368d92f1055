//! A visit is completed: what is earned by it is owed, once.

use std::time::Duration;

use kernel::Clock;
use proto::{
    booking::v1 as booking,
    payment::v1::{
        self as pb,
        commission_accrual::State,
        commission_rule::{Manner, Rate},
        payment::Purpose,
    },
};

use super::office::{Office, day, new_rule, rule_with};
use crate::{
    house::House,
    wire::{amend, minor},
};

const DAY: Duration = Duration::from_secs(24 * 3_600);

async fn open() -> (House, Office) {
    let house = House::open().await;
    let office = Office::of(&house).await;
    (house, office)
}

#[tokio::test]
async fn what_is_earned_is_owed_and_becomes_payable() {
    let (house, office) = open().await;
    office.rules(3_000, 1_000).await;
    let order = house.order().await;
    house.cash(&order, Purpose::Balance).await;
    office.complete(&office.visit(&order).await.through("meituan")).await;
    let books = [
        ("cash_drawer", 30_000),
        ("commission_expense", 12_000),
        ("commission_payable", -9_000),
        ("partner_payable", -3_000),
        ("takings", -30_000),
    ];
    assert_eq!(house.books().await, books.map(|(code, minor)| (code.to_owned(), minor)));
    let accruals = office.accruals().await;
    assert_eq!(accruals.len(), 2);
    for accrual in &accruals {
        assert_eq!((accrual.state(), &accrual.order), (State::Pending, &order));
        assert_eq!(accrual.store, office.store.name());
    }
    let parties = "select count(*) from ledger_entry where account = 'partner_payable' and party = 'partners/meituan'";
    assert_eq!(house.count(parties).await, 1);
    house.clock.advance(7 * DAY - Duration::from_secs(1));
    assert_eq!(office.accruals().await[0].state(), State::Pending);
    house.clock.advance(Duration::from_secs(1));
    assert!(office.accruals().await.iter().all(|accrual| accrual.state() == State::Payable));
}

#[tokio::test]
async fn an_event_that_comes_again_earns_nothing_more() {
    let (house, office) = open().await;
    office.rules(3_000, 1_000).await;
    let visit = office.visit(&house.order().await).await;
    office.complete(&visit).await;
    let books = house.books().await;
    let before = office.accruals().await;
    // Not even if the rules are others by then.
    office.rule(rule_with(|rule| rule.store = office.store.name())).await;
    house.clock.advance(DAY);
    office.complete(&visit).await;
    office.complete(&visit.clone().at(99_900)).await;
    assert_eq!((house.books().await, office.accruals().await), (books, before));
}

#[tokio::test]
async fn a_visit_without_a_rule_is_noted_and_earns_nothing_later_either() {
    let (house, office) = open().await;
    let visit = office.visit(&house.order().await).await;
    office.complete(&visit).await;
    assert_eq!(house.books().await, []);
    let share = office.accruals().await[0].share.clone().expect("given");
    assert_eq!((minor(&share.amount), share.rule.as_str()), (0, ""));
    office.rule(new_rule(3_000)).await;
    office.complete(&visit).await;
    assert_eq!(house.books().await, []);
}

#[tokio::test]
async fn each_part_earns_its_therapist_by_the_rules_of_the_day() {
    let (house, office) = open().await;
    office.rule(new_rule(3_000)).await;
    let asked_for = |rule: &mut pb::CommissionRule| {
        rule.manner = Manner::Requested.into();
        rule.rate = Some(Rate::BasisPoints(4_000));
        rule.end_date = day(2027, 3, 1);
    };
    office.rule(rule_with(asked_for)).await;
    let order = house.order().await;
    let mut visit = office.visit(&order).await.and(30).and(60);
    visit.told.parts[1].requested = false;
    // 23:59 in Shanghai on the first of March.
    let at = "2027-03-01T15:59:59Z".parse().expect("an instant");
    office.try_complete(&visit, at).await.expect("applied");
    let mut figures: Vec<_> = office.earned().await.into_iter().map(|(amount, _)| amount).collect();
    figures.sort_unstable();
    assert_eq!(figures, [1_800, 4_800, 4_800]);
    // A second later it is the next day there.
    let next = office.visit(&house.order().await).await;
    office.try_complete(&next, at + Duration::from_secs(1)).await.expect("applied");
    assert_eq!(minor(&office.accruals().await[0].share.clone().expect("given").amount), 9_000);
}

#[tokio::test]
async fn an_event_of_before_tells_the_only_part_that_it_knows() {
    let (house, office) = open().await;
    office.rule(new_rule(3_000)).await;
    office.rule(rule_with(|rule| rule.grade = 3)).await;
    let mut visit = office.visit(&house.order().await).await;
    visit.told.parts.clear();
    office.complete(&visit).await;
    assert_eq!(office.earned().await, [(9_000, 0)], "no rule by grade, as nobody knows it");
    assert_eq!(office.accruals().await[0].share.clone().expect("given").payee, office.therapist.name());
}

#[tokio::test]
async fn what_became_cheaper_before_takes_nothing_back() {
    let (house, office) = open().await;
    office.rule(new_rule(3_000)).await;
    let order = house.order().await;
    house.cash(&order, Purpose::Balance).await;
    house.client.clone().amend_order(house.as_booking(amend(&order, -10_000))).await.expect("cheaper");
    office.complete(&office.visit(&order).await).await;
    assert_eq!(office.earned().await, [(6_000, 0)]);
}

#[tokio::test]
async fn nonsense_is_no_visit() {
    let (house, office) = open().await;
    office.rule(new_rule(3_000)).await;
    let visit = office.visit(&house.order().await).await;
    let now = house.clock.now();
    let facts = |change: &dyn Fn(&mut booking::BookingFacts)| {
        let mut bad = visit.clone();
        bad.told.booking.as_mut().map(change);
        bad
    };
    let mut no_facts = visit.clone();
    no_facts.told.booking = None;
    let bad = [
        no_facts,
        facts(&|facts| facts.price = None),
        facts(&|facts| facts.store.clear()),
        facts(&|facts| facts.order = "orders/x".to_owned()),
        facts(&|facts| facts.time_zone = "Middle/Earth".to_owned()),
        visit.clone().at(-1),
    ];
    for bad in bad {
        assert!(office.try_complete(&bad, now).await.is_err());
    }
    assert_eq!(house.count("select count(*) from commission_visit").await, 0);
    office.complete(&visit).await;
    assert_eq!(office.earned().await, [(9_000, 0)]);
}
