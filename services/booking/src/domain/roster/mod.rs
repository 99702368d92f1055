//! Who works when, and what keeps people and places from being booked.

pub mod block;
pub mod calendar;
pub mod making;
pub mod pattern;
pub mod shift;
pub mod time_off;

use jiff::{ToSpan, civil::Date};

/// Dates from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dates {
    /// The first.
    pub first: Date,
    /// The last; before `first` there are none.
    pub last: Date,
}

impl Dates {
    /// Only this one.
    pub const fn one(date: Date) -> Self {
        Self { first: date, last: date }
    }

    /// Whether `date` is one of them.
    pub fn contains(self, date: Date) -> bool {
        self.first <= date && date <= self.last
    }

    /// Those that are also in `other`.
    #[must_use]
    pub fn common(self, other: Self) -> Self {
        Self { first: self.first.max(other.first), last: self.last.min(other.last) }
    }

    /// With the day before and the day after.
    #[must_use]
    pub fn with_neighbours(self) -> Self {
        Self {
            first: self.first.checked_sub(1.day()).unwrap_or(self.first),
            last: self.last.checked_add(1.day()).unwrap_or(self.last),
        }
    }

    /// How many days the last is after the first.
    pub fn days(self) -> i32 {
        self.first.until(self.last).map_or(i32::MAX, |span| span.get_days())
    }

    /// Each of them, in order.
    pub fn iter(self) -> impl Iterator<Item = Date> {
        self.first.series(1.day()).take_while(move |date| *date <= self.last)
    }
}
