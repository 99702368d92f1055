//! The days that figures are asked for.

use jiff::{SignedDuration, civil::Date};
use kernel::{Error, Result};

/// How far apart the first and the last day may be.
const LONGEST_DAYS: i64 = 366;

/// Some days in a row, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    first: Date,
    last: Date,
}

impl Period {
    /// From `first` to `last`. Fails with `InvalidArgument` on `end_date` when they are swapped or more than 366 days
    /// apart.
    pub fn try_new(first: Date, last: Date) -> Result<Self> {
        if last < first {
            return Err(Error::invalid("end_date", "must not be before start_date"));
        }
        if last.duration_since(first) > SignedDuration::from_hours(LONGEST_DAYS * 24) {
            return Err(Error::invalid("end_date", format!("must be at most {LONGEST_DAYS} days after start_date")));
        }
        Ok(Self { first, last })
    }

    /// The first day.
    pub const fn first(self) -> Date {
        self.first
    }

    /// The last day.
    pub const fn last(self) -> Date {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn refusal(first: Date, last: Date) -> Option<String> {
        Period::try_new(first, last).err().map(|error| error.violations()[0].field.clone())
    }

    #[test]
    fn a_period_is_ordered_and_no_longer_than_a_leap_year() {
        assert_eq!(refusal(date(2027, 3, 1), date(2027, 3, 1)), None);
        assert_eq!(refusal(date(2028, 1, 1), date(2029, 1, 1)), None, "2028 has 366 days");
        assert_eq!(refusal(date(2028, 1, 1), date(2029, 1, 2)).as_deref(), Some("end_date"));
        assert_eq!(refusal(date(2027, 3, 2), date(2027, 3, 1)).as_deref(), Some("end_date"));
        assert_eq!(refusal(date(1, 1, 1), date(9999, 12, 31)).as_deref(), Some("end_date"));
    }
}
