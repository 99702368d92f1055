use kernel::{Currency, Uuid};
use proptest::prelude::*;

use super::*;

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn id(n: usize) -> CouponId {
    CouponId::from_uuid(Uuid::from_u128(n as u128 + 1))
}

fn candidate(n: usize, basis_points: u32, standing: impl Fn(CouponId) -> Standing) -> Candidate {
    Candidate { code: format!("COUPON_{n}"), basis_points, standing: standing(id(n)) }
}

#[test]
fn the_coupon_comes_after_the_tier() {
    let coupons = [candidate(0, 2_000, Standing::Usable)];
    let priced = reckon(cny(29_800), Tier::Silver, 300, &coupons).expect("priced");
    assert_eq!(priced.price, cny(29_800 - 894 - 5_781));
    assert_eq!((priced.coupon, priced.coupon_amount()), (Some(id(0)), cny(5_781)));
    let explanations: Vec<_> = priced.adjustments.iter().map(|adjustment| adjustment.explanation.as_str()).collect();
    assert_eq!(explanations, ["Silver members pay 3 % less.", "The coupon takes 20 % off."]);
}

#[test]
fn what_did_not_apply_says_why() {
    let usable = |basis_points| candidate(0, basis_points, Standing::Usable);
    let coupons = [
        usable(500),
        usable(2_000),
        candidate(1, 9_000, Standing::Kept),
        candidate(2, 9_000, Standing::Used),
        candidate(3, 9_000, Standing::Expired),
        candidate(4, 9_000, |_| Standing::NotFirstVisit),
    ];
    let priced = reckon(cny(10_000), Tier::Member, 0, &coupons).expect("priced");
    assert_eq!(priced.price, cny(8_000));
    let told: Vec<_> = priced.adjustments.iter().map(|of| (of.applied, of.explanation.as_str())).collect();
    assert_eq!(
        told,
        [
            (false, "Members pay the list price."),
            (false, "It takes off less than another coupon."),
            (true, "The coupon takes 20 % off."),
            (false, "The coupon is kept for another visit."),
            (false, "The coupon is used."),
            (false, "The coupon has expired."),
            (false, "It is for the first visit only."),
        ]
    );
}

#[test]
fn a_free_visit_takes_no_coupon() {
    let priced = reckon(cny(0), Tier::Gold, 500, &[candidate(0, 2_000, Standing::Usable)]).expect("priced");
    assert_eq!((priced.price, priced.coupon), (cny(0), None));
    assert!(priced.adjustments.iter().all(|of| !of.applied && of.explanation == "There is nothing to take off."));
}

#[test]
fn a_price_below_zero_is_refused() {
    let error = reckon(cny(-1), Tier::Member, 0, &[]).expect_err("refused");
    assert_eq!(error.violations()[0].field, "list_price");
}

#[test]
fn percents_read_well() {
    assert_eq!([2_000, 250, 5, 10_000].map(percent), ["20 %", "2.5 %", "0.05 %", "100 %"]);
}

fn standings() -> impl Strategy<Value = fn(CouponId) -> Standing> {
    prop_oneof![
        Just(Standing::Usable as fn(CouponId) -> Standing),
        Just(Standing::Kept as fn(CouponId) -> Standing),
        Just(Standing::Used as fn(CouponId) -> Standing),
        Just(Standing::Expired as fn(CouponId) -> Standing),
    ]
}

proptest! {
    #[test]
    fn the_adjustments_explain_the_price_exactly(
        list in 0_i64..=i64::MAX,
        tier in 0_u32..=10_000,
        coupons in prop::collection::vec((0_u32..=10_000, standings()), 0..5),
    ) {
        let coupons: Vec<_> = coupons.into_iter().enumerate().map(|(n, (points, of))| candidate(n, points, of)).collect();
        let priced = reckon(cny(list), Tier::Gold, tier, &coupons).expect("priced");
        prop_assert!(!priced.price.is_negative());
        let sum = Money::try_sum(Currency::CNY, priced.adjustments.iter().map(|of| of.amount)).expect("sum");
        prop_assert_eq!(cny(list).try_sub(sum).expect("difference"), priced.price);
        prop_assert_eq!(priced.adjustments.len(), coupons.len() + 1);
        for of in &priced.adjustments {
            prop_assert_eq!(of.applied, of.amount.minor() > 0);
            prop_assert!(!of.explanation.is_empty());
        }
        let applied: Vec<_> = priced.adjustments[1..].iter().filter(|of| of.applied).collect();
        prop_assert!(applied.len() <= 1);
        prop_assert_eq!(applied.first().and_then(|of| of.coupon), priced.coupon);
        // Nobody does better with another coupon.
        for one in &coupons {
            let alone = reckon(cny(list), Tier::Gold, tier, std::slice::from_ref(one)).expect("priced");
            prop_assert!(priced.price.minor() <= alone.price.minor());
        }
    }
}
