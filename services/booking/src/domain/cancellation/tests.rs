//! The maths of giving up, to the fen.

use kernel::Currency;
use proptest::prelude::*;

use super::*;
use crate::domain::booking::tests::{at, booking};

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn tier(notice_minutes: i64, fee_basis_points: u32) -> CancellationTier {
    CancellationTier { notice_minutes, fee_basis_points }
}

/// What stays if a visit from second 7,200 that costs 160 yuan, all of them paid, is given up at `second`.
fn kept(rule: &Rule, second: i64) -> i64 {
    let terms = Terms::of(&booking(State::Confirmed), Wish::Customer, rule).expect("terms");
    let (kept, back) = terms.settle(at(second), cny(16_000)).expect("settled");
    assert_eq!(kept.minor() + back.minor(), 16_000);
    kept.minor()
}

#[test]
fn the_chains_notice_is_kept_up_to_the_very_second() {
    let rule = Rule::Deposit { notice: SignedDuration::from_hours(1) };
    assert_eq!([3_600, 3_601, 7_200, 9_999].map(|second| kept(&rule, second)), [0, 3_200, 3_200, 3_200]);
    let fee = |state, wish| {
        let terms = Terms::of(&booking(state), wish, &rule).expect("terms");
        (terms.source, terms.at(at(3_601)).map(|term| term.fee.minor()))
    };
    assert_eq!(fee(State::Confirmed, Wish::Store), (Source::StoreRequest, Some(0)));
    assert_eq!(fee(State::AwaitingPayment, Wish::Customer), (Source::NotConfirmed, Some(0)));
}

#[test]
fn the_tier_with_the_greatest_notice_that_is_kept_applies() {
    let rule = Rule::Tiers { own: false, tiers: vec![tier(0, 5_000), tier(60, 2_000), tier(90, 0)] };
    let seconds = [1_800, 1_801, 3_600, 3_601, 7_200, 7_201];
    assert_eq!(seconds.map(|second| kept(&rule, second)), [0, 3_200, 3_200, 8_000, 8_000, 8_000]);
    let terms = Terms::of(&booking(State::Confirmed), Wish::Customer, &rule).expect("terms");
    assert_eq!(
        (terms.source, terms.cheapest_until(), terms.last_fee()),
        (Source::Store, Some(at(1_800)), Some(cny(8_000)))
    );
    assert_eq!(
        [1_800, 1_801, 3_601].map(|second| terms.cheap_until(at(second))),
        [Some(at(1_800)), Some(at(3_600)), None]
    );
}

#[test]
fn no_more_stays_than_was_paid() {
    let rule = Rule::Tiers { own: true, tiers: vec![tier(60, 9_999)] };
    let terms = Terms::of(&booking(State::Confirmed), Wish::Customer, &rule).expect("terms");
    assert_eq!(terms.settle(at(7_199), cny(3_200)).ok(), Some((cny(3_200), cny(0))));
    assert_eq!(terms.settle(at(7_199), cny(0)).ok(), Some((cny(0), cny(0))));
}

#[test]
fn with_one_tier_alone_it_always_costs_the_same() {
    let rule = Rule::Tiers { own: true, tiers: vec![tier(60, 1_000)] };
    let terms = Terms::of(&booking(State::Confirmed), Wish::Customer, &rule).expect("terms");
    assert_eq!((terms.cheapest_until(), terms.cheap_until(at(0))), (None, None));
}

#[test]
fn whoever_moved_late_can_not_give_up_for_less() {
    let rule = Rule::Tiers { own: false, tiers: vec![tier(0, 5_000), tier(60, 2_000), tier(90, 0)] };
    let moved = Booking { least_fee: cny(3_200), ..booking(State::Confirmed) };
    let terms = Terms::of(&moved, Wish::Customer, &rule).expect("terms");
    let fees = [0, 1_800, 3_600, 3_601].map(|second| terms.at(at(second)).map(|term| term.fee.minor()));
    assert_eq!(fees, [Some(3_200), Some(3_200), Some(3_200), Some(8_000)]);
    assert_eq!((terms.cheapest_until(), terms.all()[0].fee_basis_points), (Some(at(3_600)), 0));
    let of_store = Terms::of(&moved, Wish::Store, &rule).expect("terms");
    assert_eq!(of_store.at(at(0)).map(|term| term.fee.minor()), Some(0));
    let cheap = Booking { price: cny(1_000), ..moved };
    let terms = Terms::of(&cheap, Wish::Customer, &rule).expect("terms");
    assert_eq!(terms.at(at(0)).map(|term| term.fee.minor()), Some(1_000), "never more than it costs");
}

fn rule() -> impl Strategy<Value = Rule> {
    let tier = (0_i64..50_000, 0_u32..=10_000).prop_map(|(notice, points)| tier(notice, points));
    prop_oneof![
        (0_i64..50_000).prop_map(|minutes| Rule::Deposit { notice: SignedDuration::from_mins(minutes) }),
        (any::<bool>(), prop::collection::vec(tier, 1..8)).prop_map(|(own, tiers)| Rule::Tiers { own, tiers }),
    ]
}

proptest! {
    /// Fee ≤ paid, fee + refund = paid, and giving up earlier never costs more, whatever tiers there are.
    #[test]
    fn the_maths_are_exact_and_fair(
        rule in rule(),
        price in 0_i64..10_000_000,
        deposit_share in 0_u32..=10_000,
        paid in 0_i64..10_000_000,
        least_fee in 0_i64..10_000_000,
        mut seconds in prop::collection::vec(-4_000_000_i64..100_000, 2..20),
    ) {
        let price = cny(price);
        let deposit = price.share(deposit_share).expect("in range");
        let visit = Booking { price, deposit, least_fee: cny(least_fee), ..booking(State::Confirmed) };
        let terms = Terms::of(&visit, Wish::Customer, &rule).expect("terms");
        seconds.sort_unstable();
        let mut before = 0;
        for second in seconds {
            let now = at(second);
            let (kept, back) = terms.settle(now, cny(paid)).expect("settled");
            prop_assert!(!kept.is_negative() && !back.is_negative());
            prop_assert!(kept.minor() <= paid && kept.minor() <= price.minor());
            prop_assert_eq!(kept.minor() + back.minor(), paid);
            prop_assert!(kept.minor() >= before, "later is never cheaper");
            before = kept.minor();
            if let Some(until) = terms.cheap_until(now) {
                prop_assert!(until >= now);
                prop_assert_eq!(terms.settle(until, cny(paid)).expect("settled").0, kept);
                let fee = |at| terms.at(at).map(|term| term.fee.minor());
                prop_assert!(fee(until + SignedDuration::from_nanos(1)) > fee(now));
            }
        }
        prop_assert_eq!(terms.all().iter().filter(|term| term.end_time.is_none()).count(), 1);
        prop_assert!(terms.last_fee().is_some_and(|last| last.minor() >= before));
    }
}
