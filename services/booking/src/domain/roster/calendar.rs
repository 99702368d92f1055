//! Working calendars: on some days a country does not work as the weekday says. China moves working days to weekends, so
//! that its holidays become weeks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};
use kernel::{Error, Result};

use super::Dates;

/// What a day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nobody works who follows the calendar.
    Holiday,
    /// It is worked to make up for another day.
    MakeUpWorkday {
        /// That day: it is worked as its weekday.
        replaces: Date,
    },
}

/// A day that is not worked as its weekday says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarDay {
    /// The day.
    pub date: Date,
    /// What it is.
    pub kind: Kind,
    /// What people call it.
    pub name: String,
}

/// The days of a calendar that are not worked as their weekday says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar(BTreeMap<Date, Kind>);

impl Calendar {
    /// Of these days.
    pub fn new<'a>(days: impl IntoIterator<Item = &'a CalendarDay>) -> Self {
        Self(days.into_iter().map(|day| (day.date, day.kind)).collect())
    }

    /// The weekday as which `date` is worked; `None` on a public holiday.
    pub fn worked_as(&self, date: Date) -> Option<Weekday> {
        match self.0.get(&date) {
            None => Some(date.weekday()),
            Some(Kind::Holiday) => None,
            Some(Kind::MakeUpWorkday { replaces }) => Some(replaces.weekday()),
        }
    }
}

/// Refuses days outside of `dates` and days that come twice; `days[n]` in errors is the place in the request.
pub fn check(days: &[CalendarDay], dates: Dates) -> Result<()> {
    let mut seen = BTreeSet::new();
    for (index, day) in days.iter().enumerate() {
        let field = || format!("days[{index}].date");
        if !dates.contains(day.date) {
            return Err(Error::invalid(field(), "must be from start_date to end_date"));
        }
        if !seen.insert(day.date) {
            return Err(Error::invalid(field(), "comes twice; leave one out"));
        }
    }
    Ok(())
}
