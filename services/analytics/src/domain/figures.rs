//! What is told of a day, and how far it is known.

use std::collections::BTreeMap;

use jiff::civil::Date;
use kernel::{Money, Result, Timestamp};

/// One day of one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyFigures {
    /// The day, in the store's zone.
    pub date: Date,
    /// Visits that start on the day, by the name of their state now.
    pub bookings_by_state: BTreeMap<String, i64>,
    /// Money that came in on the day.
    pub captured: Money,
    /// Money that went back on the day, whenever it had come.
    pub refunded: Money,
    /// People who registered through the store on the day.
    pub new_members: i64,
    /// Points earned at the store on the day.
    pub points_earned: i64,
    /// Points taken back on the day.
    pub points_revoked: i64,
    /// How often visits were rescheduled on the day.
    pub rescheduled: i64,
    /// How often the store moved visits on the day.
    pub moved: i64,
    /// Visits that were cancelled on the day.
    pub cancelled: i64,
}

/// The published name of the state of a visit that nobody came to.
const NO_SHOW: &str = "STATE_NO_SHOW";

impl DailyFigures {
    /// Visits that were to start on the day and that nobody came to.
    pub fn no_shows(&self) -> i64 {
        self.bookings_by_state.get(NO_SHOW).copied().unwrap_or(0)
    }

    /// What came in less what went back; below zero on a day of refunds. Fails beyond an `i64` of minor units.
    pub fn revenue(&self) -> Result<Money> {
        self.captured.try_sub(self.refunded)
    }
}

/// How far one partition of a feed was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPosition {
    /// The service.
    pub feed: String,
    /// The partition.
    pub partition: i16,
    /// Events counted.
    pub event_count: i64,
    /// When the newest of them happened, if there is any.
    pub last_occur_time: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use kernel::Currency;

    use super::*;

    #[test]
    fn revenue_goes_below_zero_on_a_day_of_refunds() {
        let yuan = |minor| Money::new(minor, Currency::CNY);
        let figures = DailyFigures {
            date: Date::constant(2027, 3, 1),
            bookings_by_state: BTreeMap::new(),
            captured: yuan(1_000),
            refunded: yuan(2_500),
            new_members: 0,
            points_earned: 0,
            points_revoked: 0,
            rescheduled: 0,
            moved: 0,
            cancelled: 0,
        };
        assert_eq!(figures.revenue().ok(), Some(yuan(-1_500)));
    }
}
