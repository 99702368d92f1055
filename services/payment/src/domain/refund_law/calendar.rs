//! Days off: a period that ends on one ends on the next working day (Civil Code Art. 203).

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};

/// Which days are days off. Weekends are, unless work is done on them in exchange for a longer holiday.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Days off besides weekends, as the State Council announces them each year.
    pub holidays: BTreeSet<Date>,
    /// Saturdays and Sundays that are worked.
    pub working_weekends: BTreeSet<Date>,
}

impl Calendar {
    /// Whether `day` is a day off.
    pub fn is_day_off(&self, day: Date) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        self.holidays.contains(&day) || (weekend && !self.working_weekends.contains(&day))
    }

    /// The last day of a period of `days` that an event on `first` sets off. The day of the event doesn't count
    /// (Civil Code Art. 201), and a last day that is a day off moves to the next working day (Art. 203).
    ///
    /// At the end of the calendar of the world it stops at the last day there is.
    pub fn last_day(&self, first: Date, days: u16) -> Date {
        let mut last = first.saturating_add(jiff::Span::new().days(days));
        while self.is_day_off(last) && last < Date::MAX {
            last = last.tomorrow().unwrap_or(Date::MAX);
        }
        last
    }
}

/// Days from `from` to `to`; below zero if `to` is earlier.
pub(super) fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}
