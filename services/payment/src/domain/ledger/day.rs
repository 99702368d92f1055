//! Days of a store, by which its books are closed.
//!
//! A store's days are those of its own time zone and follow each other without a gap: a day begins where the one before
//! ends. Where clocks are set, or the store's zone is changed, a day is shorter or longer; a date that would have no time
//! left is passed over.

use jiff::{civil::Date, tz::TimeZone};
use kernel::{Timestamp, Uuid};

/// A day of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Its date.
    pub date: Date,
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

impl Day {
    /// The day of `zone` in which `at` lies, as the calendar has it. `None` at the end of time.
    pub fn of(at: Timestamp, zone: &TimeZone) -> Option<Self> {
        Self::on(zone.to_datetime(at).date(), zone)
    }

    /// The day of that date, as the calendar has it. `None` at the end of time.
    pub fn on(date: Date, zone: &TimeZone) -> Option<Self> {
        let midnight = |date: Date| date.to_zoned(zone.clone()).ok().map(|at| at.timestamp());
        Some(Self { date, start: midnight(date)?, end: midnight(date.tomorrow().ok()?)? })
    }

    /// The day that begins where this one ends; `zone` may have changed. `None` at the end of time.
    pub fn next(&self, zone: &TimeZone) -> Option<Self> {
        let mut date = self.date.tomorrow().ok()?;
        loop {
            let day = Self::on(date, zone)?;
            if day.end > self.end {
                return Some(Self { start: self.end, ..day });
            }
            date = date.tomorrow().ok()?;
        }
    }
}

/// The least id that a transaction of `at` or later can have: ids begin with the milliseconds of their time. Whoever asks
/// by it asks to the millisecond.
pub fn first_id(at: Timestamp) -> Uuid {
    Uuid::from_u128(u128::try_from(at.as_millisecond()).unwrap_or(0) << 80)
}

#[cfg(test)]
mod tests {
    use jiff::{civil::date, tz};
    use kernel::ids::LedgerTransactionId;
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("known")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn a_day_is_that_of_the_store() {
        let day = Day::of(at("2026-11-22T16:00:00Z"), &zone("Asia/Shanghai")).expect("in time");
        assert_eq!(
            day,
            Day { date: date(2026, 11, 23), start: at("2026-11-22T16:00:00Z"), end: at("2026-11-23T16:00:00Z") }
        );
        let before = Day::of(at("2026-11-22T15:59:59.999999Z"), &zone("Asia/Shanghai")).expect("in time");
        assert_eq!(before.next(&zone("Asia/Shanghai")), Some(day));
    }

    #[test]
    fn days_are_as_long_as_clocks_make_them() {
        let berlin = zone("Europe/Berlin");
        let hours = |day: Day| (day.end.as_second() - day.start.as_second()) / 3_600;
        let spring = Day::on(date(2026, 3, 29), &berlin).expect("in time");
        let autumn = Day::on(date(2026, 10, 25), &berlin).expect("in time");
        assert_eq!((hours(spring), hours(autumn)), (23, 25));
    }

    #[test]
    fn a_store_that_changes_its_zone_misses_no_moment() {
        let day = Day::on(date(2026, 5, 1), &zone("Asia/Tokyo")).expect("in time");
        let west = day.next(&zone("America/Los_Angeles")).expect("in time");
        assert_eq!((west.date, west.start), (date(2026, 5, 2), day.end));
        assert_eq!(west.end, at("2026-05-03T07:00:00Z"));
        let east = west.next(&zone("Pacific/Kiritimati")).expect("in time");
        assert_eq!((east.date, east.start), (date(2026, 5, 3), west.end), "a few hours are left of it");
        let far = TimeZone::fixed(tz::offset(14));
        let near = TimeZone::fixed(tz::offset(-12));
        let late = Day::on(date(2026, 5, 1), &near).expect("in time");
        assert_eq!(late.next(&far).map(|day| day.date), Some(date(2026, 5, 3)), "nothing is left of the second");
    }

    #[test]
    fn ids_are_in_the_order_of_their_times() {
        let noon = at("2026-11-22T12:00:00Z");
        let before = at("2026-11-22T11:59:59.999999Z");
        assert!(LedgerTransactionId::new(before).uuid() < first_id(noon));
        assert!(LedgerTransactionId::new(noon).uuid() >= first_id(noon));
        assert_eq!(first_id(Timestamp::MIN), Uuid::nil());
    }

    proptest! {
        #[test]
        fn days_follow_each_other(second in 0_i64..4_000_000_000, zones in prop::collection::vec(-12_i8..=14, 1..12)) {
            let zones: Vec<TimeZone> = zones.into_iter().map(|hours| TimeZone::fixed(tz::offset(hours))).collect();
            let mut day = Day::of(Timestamp::from_second(second).expect("in range"), &zones[0]).expect("in time");
            prop_assert!(day.start.as_second() <= second && second < day.end.as_second());
            for zone in &zones {
                let next = day.next(zone).expect("in time");
                prop_assert!(next.start == day.end && next.end > next.start && next.date > day.date);
                day = next;
            }
        }
    }
}
