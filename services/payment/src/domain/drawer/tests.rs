use kernel::Uuid;
use proptest::prelude::*;

use super::*;

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn opening(counted: i64, carried: Option<i64>, loose: i64) -> Opening {
    Opening {
        id: DrawerId::from_uuid(Uuid::from_u128(1)),
        store: StoreId::from_uuid(Uuid::from_u128(2)),
        till: " front ".to_owned(),
        by: "staff/a".to_owned(),
        counted: cny(counted),
        last: carried.map(|minor| (7, cny(minor))),
        loose: cny(loose),
    }
}

fn count(moved: i64, counted: i64, carried: Option<i64>, reason: &str) -> Count {
    Count {
        moved: cny(moved),
        counted: cny(counted),
        carried: carried.map(cny),
        reason: reason.to_owned(),
        by: "staff/b".to_owned(),
    }
}

fn opened(counted: i64) -> Drawer {
    Drawer::open(opening(counted, None, 0), Timestamp::UNIX_EPOCH).expect("opened").0
}

fn told(movements: &[Movement]) -> Vec<(MovementKind, i64)> {
    movements.iter().map(|of| (of.kind, of.amount.minor())).collect()
}

#[test]
fn the_first_float_is_brought_and_later_differences_are_over_or_short() {
    use MovementKind::{Float, OpeningDifference};
    for (counted, carried, loose, expected) in [
        (500, None, 0, vec![(Float, 500)]),
        (560, None, 60, vec![(Float, 500)]),
        (0, None, 0, vec![]),
        (40, None, 60, vec![(OpeningDifference, -20)]),
        (500, Some(500), 0, vec![]),
        (560, Some(500), 60, vec![]),
        (470, Some(500), -20, vec![(OpeningDifference, -10)]),
        (510, Some(500), 0, vec![(OpeningDifference, 10)]),
    ] {
        let (drawer, movements) =
            Drawer::open(opening(counted, carried, loose), Timestamp::UNIX_EPOCH).expect("opened");
        assert_eq!((told(&movements), drawer.till.as_str()), (expected, "front"));
        assert_eq!(drawer.number, if carried.is_some() { 8 } else { 1 });
    }
}

#[test]
fn what_is_missing_is_booked_and_what_stays_is_carried() {
    use MovementKind::{Banked, Difference};
    for (moved, counted, carried, expected, reason) in [
        (100, 600, None, vec![], ""),
        (100, 600, Some(500), vec![(Banked, -100)], ""),
        (100, 590, Some(500), vec![(Difference, -10), (Banked, -90)], "UNEXPLAINED"),
        (-20, 481, None, vec![(Difference, 1)], "UNEXPLAINED"),
    ] {
        let (closed, movements) =
            opened(500).close(count(moved, counted, carried, ""), Timestamp::UNIX_EPOCH).expect("closed");
        let State::Closed(closing) = closed.state else { panic!("closed") };
        assert_eq!((told(&movements), closing.reason.as_str()), (expected, reason));
        assert_eq!(closing.carried.minor(), carried.unwrap_or(counted));
    }
}

#[test]
fn a_reason_is_kept_only_if_there_is_a_difference() {
    let reason = |counted| {
        let (closed, _) =
            opened(500).close(count(0, counted, None, "MISCOUNT"), Timestamp::UNIX_EPOCH).expect("closed");
        match closed.state {
            State::Closed(closing) => closing.reason,
            State::Open => panic!("closed"),
        }
    };
    assert_eq!((reason(500).as_str(), reason(499).as_str()), ("", "MISCOUNT"));
}

#[test]
fn what_cant_be_is_refused() {
    let refused = |result: Result<(Drawer, Vec<Movement>)>| {
        let error = result.expect_err("refused");
        (error.reason().to_owned(), error.violations().first().map(|violation| violation.field.clone()))
    };
    let named = |field: &str| Some(field.to_owned());
    let invalid = |field| ("INVALID_ARGUMENT".to_owned(), named(field));
    let now = Timestamp::UNIX_EPOCH;
    assert_eq!(refused(Drawer::open(opening(-1, None, 0), now)), invalid("opening_float"));
    assert_eq!(refused(Drawer::open(Opening { till: "  ".to_owned(), ..opening(1, None, 0) }, now)), invalid("till"));
    assert_eq!(refused(opened(500).close(count(0, -1, None, ""), now)), invalid("counted"));
    assert_eq!(refused(opened(500).close(count(0, 500, Some(501), ""), now)), invalid("carried"));
    assert_eq!(refused(opened(500).close(count(0, 500, Some(-1), ""), now)), invalid("carried"));
    let dollars = Money::new(500, Currency::parse("currency", "USD").expect("known"));
    let in_dollars = Count { counted: dollars, ..count(0, 500, None, "") };
    assert_eq!(refused(opened(500).close(in_dollars, now)), ("CURRENCY_MISMATCH".to_owned(), named("counted")));
    let (closed, _) = opened(500).close(count(0, 500, None, ""), now).expect("closed");
    assert_eq!(refused(closed.close(count(0, 500, None, ""), now)).0, "DRAWER_CLOSED");
}

#[test]
fn words_read_back() {
    for kind in MovementKind::ALL {
        assert_eq!(MovementKind::from_stored(kind.as_str()), Some(kind));
    }
    assert_eq!(MovementKind::from_stored("stolen"), None);
}

proptest! {
    /// However it was opened and closed: what the ledger got is what was counted, less what had been there before.
    #[test]
    fn a_till_holds_what_was_counted(
        float in 0_i64..1_000, carried in prop::option::of(0_i64..1_000), loose in -500_i64..500,
        moved in -500_i64..500, counted in 0_i64..2_000, keep in 0_i64..2_000,
    ) {
        let now = Timestamp::UNIX_EPOCH;
        let (drawer, first) = Drawer::open(opening(float, carried, loose), now)?;
        let booked: i64 = first.iter().map(|of| of.amount.minor()).sum();
        prop_assert_eq!(carried.unwrap_or(0) + loose + booked, float);
        let (closed, last) = drawer.close(count(moved, counted, Some(keep.min(counted)), ""), now)?;
        let booked: i64 = last.iter().map(|of| of.amount.minor()).sum();
        prop_assert_eq!(float + moved + booked, keep.min(counted));
        for movement in first.iter().chain(&last) {
            prop_assert!(movement.booking(closed.store, movement.counterpart()).is_ok());
        }
    }
}
