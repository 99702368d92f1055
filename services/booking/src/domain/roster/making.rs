//! From weekly hours to the shifts of dates.
//!
//! Hours are those of the clock on the wall. A time that a clock change skips is moved forward by the gap; one that it
//! repeats is the first of the two (as in [`crate::domain::hours`]). So the night shift from 22:00 to 06:00 is seven or
//! nine hours long when the clocks change within it.

use std::collections::{BTreeSet, HashMap};

use jiff::{civil::Date, tz::TimeZone};
use kernel::ids::ShiftPatternId;

use super::{
    Dates,
    calendar::Calendar,
    pattern::{Hours, ShiftPattern},
};
use crate::domain::{
    hours::wall_clock,
    span::{Span, intersect, list, subtract},
};

/// A shift to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The date on which it begins.
    pub date: Date,
    /// When it is worked.
    pub span: Span,
    /// Its breaks, a list.
    pub breaks: Vec<Span>,
    /// What it was made from; `None` if it was entered.
    pub pattern: Option<ShiftPatternId>,
}

/// The shift that `hours` mean on `date`; `None` if a clock change leaves nothing of it.
pub fn shift_on(date: Date, hours: &Hours, zone: &TimeZone, pattern: Option<ShiftPatternId>) -> Option<Wanted> {
    let span = |start, end| {
        let span = Span::new(wall_clock(date, start, zone)?, wall_clock(date, end, zone)?);
        (span.minutes() > 0).then_some(span)
    };
    let whole = span(hours.start_minute, hours.end_minute)?;
    let breaks = list(hours.breaks.iter().filter_map(|&(start, end)| span(start, end)).collect());
    Some(Wanted { date, span: whole, breaks, pattern })
}

/// The shifts that `patterns` (of one therapist) mean on `dates`, but for the dates in `exceptions`.
///
/// What is in `taken`, such as the shift of an exception that reaches past midnight, is left out of them; so is, when a
/// calendar or a clock change moves two shifts into each other, what the earlier one has. A pattern that follows a
/// calendar that is not known follows none.
pub fn make(
    patterns: &[ShiftPattern],
    calendars: &HashMap<String, Calendar>,
    zone: &TimeZone,
    dates: Dates,
    exceptions: &BTreeSet<Date>,
    mut taken: Vec<Span>,
) -> Vec<Wanted> {
    taken = list(taken);
    let mut made = Vec::new();
    for date in dates.iter().filter(|date| !exceptions.contains(date)) {
        let Some(pattern) = patterns.iter().find(|pattern| pattern.dates().contains(date)) else { continue };
        let calendar = pattern.follows_calendar.as_ref().and_then(|name| calendars.get(name));
        let Some(weekday) = calendar.map_or(Some(date.weekday()), |calendar| calendar.worked_as(date)) else {
            continue;
        };
        let day = i16::from(weekday.to_monday_one_offset());
        let mut hours: Vec<&Hours> =
            pattern.shifts.iter().filter(|shift| shift.day == day).map(|shift| &shift.hours).collect();
        hours.sort_by_key(|hours| hours.start_minute);
        for shift in hours.into_iter().filter_map(|hours| shift_on(date, hours, zone, Some(pattern.id))) {
            for span in subtract(&[shift.span], &taken) {
                made.push(Wanted { span, breaks: intersect(&shift.breaks, &[span]), ..shift });
                taken.push(span);
            }
            taken = list(taken);
        }
    }
    made
}

#[cfg(test)]
mod tests;
