use kernel::{Timestamp, Uuid};
use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn terms() -> Terms {
    Terms { points: 100, worth: cny(1_000), max_share: 5_000 }
}

fn lot(n: u128, remaining: i64) -> Lot {
    Lot { id: PointsLotId::from_uuid(Uuid::from_u128(n)), remaining, expired: 0 }
}

fn spent(points: i64, worth: i64) -> Redemption {
    Redemption {
        points,
        worth: cny(worth),
        state: State::Committed,
        ..Redemption::void(PointsRedemptionId::new(NOW), MemberId::new(NOW), OrderId::new(NOW), Currency::CNY, NOW)
    }
}

#[test]
fn a_hundred_points_are_worth_ten_yuan_and_no_part_of_them_is_worth_anything() {
    let points = |minor| terms().points_for(cny(minor)).map_err(|error| error.reason());
    assert_eq!([points(1_000), points(25_000)], [Ok(100), Ok(2_500)]);
    for none in [0, -1_000, 1, 999, 1_001, i64::MAX] {
        assert_eq!(points(none), Err("INVALID_ARGUMENT"), "{none}");
    }
    let dear = Terms { worth: cny(1), ..terms() };
    assert_eq!(dear.points_for(cny(i64::MAX)).map_err(|error| error.reason()), Err("INVALID_ARGUMENT"), "overflow");
    let usd = Money::new(1_000, Currency::parse("c", "USD").expect("known"));
    assert_eq!(terms().points_for(usd).map_err(|error| error.reason()), Err("CURRENCY_MISMATCH"));
}

#[test]
fn points_pay_a_share_of_an_order() {
    let check =
        |worth, before, total| terms().check_share(cny(worth), cny(before), cny(total)).map_err(|error| error.reason());
    assert_eq!(check(1_000, 0, 2_000), Ok(()));
    assert_eq!(check(1_000, 0, 1_998), Err("REDEMPTION_SHARE_EXCEEDED"));
    assert_eq!(check(1_000, 1_000, 3_000), Err("REDEMPTION_SHARE_EXCEEDED"));
    assert!(check(1_000, i64::MAX, 3_000).is_err(), "overflow");
}

#[test]
fn they_are_taken_in_order_or_not_at_all() {
    let lots = [lot(1, 30), lot(2, 90), lot(3, 5)];
    assert_eq!(take(&lots, 100).ok(), Some(vec![(lots[0].id, 30), (lots[1].id, 70)]));
    assert_eq!(take(&lots, 126).map_err(|error| error.reason()), Err("INSUFFICIENT_POINTS"));
}

#[test]
fn it_is_decided_once() {
    let mut one = Redemption { state: State::Reserved, ..spent(100, 1_000) };
    assert_eq!((one.commit().ok(), one.commit().ok()), (Some(true), Some(false)));
    assert_eq!(one.free(State::Voided).map_err(|error| error.reason()), Err("REDEMPTION_COMMITTED"));
    let mut other = Redemption { state: State::Reserved, ..spent(100, 1_000) };
    assert_eq!((other.free(State::Expired).ok(), other.free(State::Voided).ok()), (Some(true), Some(false)));
    assert_eq!(other.commit().map_err(|error| error.reason()), Err("REDEMPTION_ENDED"));
    assert_eq!(other.give_back(cny(1)).map_err(|error| error.reason()), Err("REDEMPTION_NOT_COMMITTED"));
}

#[test]
fn no_more_comes_back_than_was_spent() {
    let mut one = spent(100, 1_000);
    assert_eq!(one.give_back(cny(0)).map_err(|error| error.reason()), Err("INVALID_ARGUMENT"));
    // 3 yuan 33 are worth 33.3 points.
    assert_eq!([333, 333, 333, 1].map(|minor| one.give_back(cny(minor)).ok()), [Some(33), Some(33), Some(33), Some(1)]);
    assert_eq!(one.give_back(cny(1)).map_err(|error| error.reason()), Err("RETURN_EXCEEDS_REDEMPTION"));
}

proptest! {
    /// However it comes back in parts, in the end each lot has what came from it.
    #[test]
    fn parts_add_up_lot_by_lot(
        points in prop::collection::vec(1_i64..5_000, 1..6),
        cuts in prop::collection::vec(1_i64..100_000, 1..12),
    ) {
        let whole: i64 = points.iter().sum();
        let mut redemption = spent(whole, whole * 10);
        let share = |(n, points): (u128, i64)| Share {
            lot: PointsLotId::from_uuid(Uuid::from_u128(n)), earned_by: OrderId::new(NOW), points, returned: 0,
        };
        let mut shares: Vec<Share> = (0..).zip(points).map(share).collect();
        let rest = |redemption: &Redemption| redemption.worth.minor() - redemption.returned_worth.minor();
        for cut in cuts.into_iter().chain([i64::MAX]) {
            let amount = cut.min(rest(&redemption));
            if amount == 0 { break; }
            let back = redemption.give_back(cny(amount)).expect("no more than is left");
            let parts = spread(&shares, back).expect("no more than was taken");
            prop_assert_eq!(parts.iter().sum::<i64>(), back);
            for (share, part) in shares.iter_mut().zip(parts) {
                share.returned += part;
                prop_assert!(part >= 0 && share.returned <= share.points);
            }
        }
        prop_assert!(shares.iter().all(|share| share.returned == share.points));
        prop_assert_eq!(redemption.returned, whole);
    }
}
