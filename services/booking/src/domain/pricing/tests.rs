use jiff::civil::date;
use kernel::{Currency, Timestamp, ids::ItemId};
use proptest::prelude::*;

use super::*;

const HERE: StoreId = StoreId::from_uuid(kernel::Uuid::from_u128(1));
const THERE: StoreId = StoreId::from_uuid(kernel::Uuid::from_u128(2));

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn rule(store: Option<StoreId>, grade: Option<i16>, daypart: Option<Daypart>, minor: i64) -> PriceRule {
    PriceRule { store, grade, daypart, price: cny(minor) }
}

fn hours(from: i16, to: i16) -> Option<Daypart> {
    Some(Daypart { days: Vec::new(), start_minute: from * 60, end_minute: to * 60 })
}

fn item(prices: Vec<PriceRule>) -> Item {
    Item {
        id: ItemId::from_uuid(kernel::Uuid::from_u128(9)),
        display_name: String::new(),
        description: String::new(),
        category: String::new(),
        photos: Vec::new(),
        duration_minutes: 60,
        preparation_minutes: 0,
        cleanup_minutes: 0,
        phases: Vec::new(),
        price: cny(100),
        prices,
        skill: "thai".to_owned(),
        certificate: None,
        room_kind: "massage".to_owned(),
        equipment_kind: None,
        add_on_to: Vec::new(),
        version: 1,
        create_time: Timestamp::UNIX_EPOCH,
        retire_time: None,
    }
}

/// Wednesday.
fn at(hour: i8) -> DateTime {
    date(2027, 3, 3).at(hour, 0, 0, 0)
}

fn wrong(prices: Vec<PriceRule>) -> Option<String> {
    check_prices(&item(prices)).err().map(|error| error.violations()[0].field.clone())
}

#[test]
fn the_store_goes_before_the_grade_and_the_grade_before_the_time() {
    let item = item(vec![
        rule(None, None, hours(18, 22), 130),
        rule(None, Some(5), None, 200),
        rule(None, Some(5), hours(18, 22), 230),
        rule(Some(HERE), None, None, 90),
        rule(Some(HERE), None, hours(18, 22), 95),
        rule(Some(HERE), Some(5), None, 180),
    ]);
    assert!(check_prices(&item).is_ok());
    let of = |store, grade, hour| price(&item, store, grade, at(hour)).minor();
    assert_eq!((of(THERE, 3, 12), of(THERE, 3, 18), of(THERE, 3, 22)), (100, 130, 100));
    assert_eq!((of(THERE, 5, 12), of(THERE, 5, 21)), (200, 230));
    assert_eq!((of(HERE, 3, 12), of(HERE, 3, 21)), (90, 95));
    assert_eq!((of(HERE, 5, 12), of(HERE, 5, 21)), (180, 180), "grade goes before time");
}

#[test]
fn a_part_of_the_day_past_midnight_belongs_to_the_day_on_which_it_begins() {
    let night = Daypart { days: vec![7], start_minute: 22 * 60, end_minute: 26 * 60 };
    let item = item(vec![rule(None, None, Some(night), 150)]);
    let on = |day, hour| price(&item, HERE, 1, date(2027, 3, day).at(hour, 30, 0, 0)).minor();
    // The 7th is a Sunday: its night ends on Monday, at the other end of the week.
    assert_eq!((on(7, 21), on(7, 22), on(8, 1), on(8, 2), on(7, 1)), (100, 150, 150, 100, 100));
}

#[test]
fn two_prices_that_fit_equally_well_are_refused() {
    assert_eq!(
        wrong(vec![rule(None, Some(2), None, 1), rule(None, Some(2), None, 2)]).as_deref(),
        Some("item.prices[1]")
    );
    assert_eq!(wrong(vec![rule(None, Some(2), None, 1), rule(None, Some(3), None, 2)]), None);
    let meet = |a, b| wrong(vec![rule(None, None, a, 1), rule(None, None, b, 2)]).is_some();
    assert!(meet(hours(10, 14), hours(13, 15)) && !meet(hours(10, 14), hours(14, 15)));
    let on =
        |day: i16, from: i16, to: i16| Some(Daypart { days: vec![day], start_minute: from * 60, end_minute: to * 60 });
    assert!(!meet(on(1, 10, 14), on(2, 10, 14)) && meet(on(7, 20, 27), on(1, 2, 4)));
}

#[test]
fn a_foreign_or_negative_price_is_refused() {
    let dollars =
        PriceRule { price: Money::new(1, Currency::parse("c", "USD").expect("known")), ..rule(None, None, None, 0) };
    assert_eq!(wrong(vec![dollars]).as_deref(), Some("item.prices[0].price.currency_code"));
    assert_eq!(wrong(vec![rule(None, None, None, -1)]).as_deref(), Some("item.prices[0].price"));
}

#[test]
fn a_package_costs_its_price_or_the_sum_of_its_items() {
    let (one, two) = (item(vec![rule(None, Some(5), None, 200)]), item(Vec::new()));
    let mut package = Package {
        id: kernel::ids::PackageId::from_uuid(kernel::Uuid::from_u128(3)),
        display_name: String::new(),
        description: String::new(),
        photos: Vec::new(),
        items: vec![one.id, two.id],
        gap_limit_minutes: 0,
        one_therapist: true,
        price: None,
        currency: Currency::CNY,
        version: 1,
        create_time: Timestamp::UNIX_EPOCH,
        retire_time: None,
    };
    let items = [(&one, 5, at(12)), (&two, 5, at(13))];
    assert_eq!(package_price(&package, HERE, &items).ok(), Some(cny(300)));
    package.price = Some(cny(250));
    assert_eq!(package_price(&package, HERE, &items).ok(), Some(cny(250)));
}

fn rules() -> impl Strategy<Value = Vec<PriceRule>> {
    let daypart =
        prop::option::of((prop::collection::btree_set(1_i16..=7, 0..3), 0_i16..24, 1_i16..24)).prop_map(|part| {
            part.map(|(days, start, length)| Daypart {
                days: days.into_iter().collect(),
                start_minute: start * 60,
                end_minute: (start + length) * 60,
            })
        });
    let store = prop::option::of(prop::sample::select(vec![HERE, THERE]));
    let one = (store, prop::option::of(1_i16..4), daypart, 0_i64..1_000);
    prop::collection::vec(one.prop_map(|(store, grade, daypart, minor)| rule(store, grade, daypart, minor)), 0..8)
}

proptest! {
    /// Whatever was not refused has one price at every hour of the week, in whatever order it was entered.
    #[test]
    fn the_order_of_the_entries_does_not_matter(prices in rules()) {
        let one = item(prices);
        prop_assume!(check_prices(&one).is_ok());
        let mut other = one.clone();
        other.prices.reverse();
        for day in 1..=7 {
            for hour in 0..24 {
                let start = date(2027, 3, day).at(hour, 0, 0, 0);
                for grade in 1..4 {
                    prop_assert_eq!(price(&one, HERE, grade, start), price(&other, HERE, grade, start));
                }
            }
        }
    }
}
