//! The hours that a therapist works each week.

use jiff::civil::Date;
use kernel::{
    Error, Result, Timestamp,
    ids::{ShiftPatternId, StoreId, TherapistId},
};

use super::Dates;
use crate::domain::span::Span;

/// The longest shift in minutes, by the clock on the wall. On the night on which clocks are set back it is longer.
const LONGEST: i16 = 16 * 60;

/// Minutes of a week.
const WEEK: i64 = 7 * 1_440;

/// The hours of a shift, in minutes after the midnight that begins its date, by the clock on the wall; past 1440 it is
/// the next day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// Start, 0–1439.
    pub start_minute: i16,
    /// End.
    pub end_minute: i16,
    /// Start and end of each break, counted from the same midnight.
    pub breaks: Vec<(i16, i16)>,
}

/// A shift of one weekday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeeklyShift {
    /// 1 = Monday … 7 = Sunday (ISO 8601).
    pub day: i16,
    /// What is worked.
    pub hours: Hours,
}

/// The hours that a therapist works each week, for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShiftPattern {
    /// Its id.
    pub id: ShiftPatternId,
    /// Who works.
    pub therapist: TherapistId,
    /// Where.
    pub store: StoreId,
    /// The first date on which it holds.
    pub start_date: Date,
    /// The last date on which it holds.
    pub end_date: Option<Date>,
    /// The shifts of a week.
    pub shifts: Vec<WeeklyShift>,
    /// The calendar that it follows, such as `CN`.
    pub follows_calendar: Option<String>,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When it was made.
    pub create_time: Timestamp,
}

impl ShiftPattern {
    /// The dates on which it holds.
    pub fn dates(&self) -> Dates {
        Dates { first: self.start_date, last: self.end_date.unwrap_or(Date::MAX) }
    }

    /// Refuses dates in the wrong order, and shifts that can't be; `field` is where the pattern came in.
    pub fn check(&self, field: &str) -> Result<()> {
        if self.end_date.is_some_and(|end| end < self.start_date) {
            return Err(Error::invalid(format!("{field}.end_date"), "must not be before start_date"));
        }
        let mut spans: Vec<Span> = Vec::new();
        for (index, shift) in self.shifts.iter().enumerate() {
            let at = format!("{field}.shifts[{index}]");
            shift.hours.check(&format!("{at}.hours"))?;
            let midnight = i64::from(shift.day - 1) * 1_440;
            let span = shift.hours.span(midnight);
            // Sunday night may reach into the Monday of the next week, which is this Monday.
            let again = [-WEEK, 0, WEEK].map(|weeks| Span::new(span.start + weeks, span.end + weeks));
            if let Some(other) = spans.iter().position(|other| again.iter().any(|span| other.overlaps(*span))) {
                return Err(overlap(at, &format!("{field}.shifts[{other}]")));
            }
            spans.push(span);
        }
        Ok(())
    }
}

impl Hours {
    fn span(&self, midnight: i64) -> Span {
        Span::new(midnight + i64::from(self.start_minute), midnight + i64::from(self.end_minute))
    }

    /// Refuses more than 16 hours, and breaks that overlap or lie outside; `field` is where the hours came in.
    pub fn check(&self, field: &str) -> Result<()> {
        if self.end_minute - self.start_minute > LONGEST {
            let text = "must be at most 16 hours after start_time; make two shifts";
            return Err(Error::invalid(format!("{field}.end_time"), text));
        }
        for (index, &(start, end)) in self.breaks.iter().enumerate() {
            let at = format!("{field}.breaks[{index}]");
            if start < self.start_minute || end > self.end_minute {
                return Err(Error::invalid(at, "must lie within the shift"));
            }
            if let Some(other) = self.breaks.iter().take(index).position(|other| start < other.1 && other.0 < end) {
                return Err(overlap(at, &format!("{field}.breaks[{other}]")));
            }
        }
        Ok(())
    }
}

/// Refuses hours of one date that can't be or overlap; `field` is where the list came in.
pub fn check_day(field: &str, hours: &[Hours]) -> Result<()> {
    for (index, one) in hours.iter().enumerate() {
        let at = format!("{field}[{index}]");
        one.check(&at)?;
        if let Some(other) = hours.iter().take(index).position(|other| other.span(0).overlaps(one.span(0))) {
            return Err(overlap(at, &format!("{field}[{other}]")));
        }
    }
    Ok(())
}

fn overlap(field: String, other: &str) -> Error {
    Error::invalid(field, format!("overlaps {other}; join the two or move one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(shifts: &[(i16, i16, i16)]) -> ShiftPattern {
        let at = Timestamp::UNIX_EPOCH;
        ShiftPattern {
            id: ShiftPatternId::new(at),
            therapist: TherapistId::new(at),
            store: StoreId::new(at),
            start_date: Date::constant(2026, 1, 1),
            end_date: None,
            shifts: shifts
                .iter()
                .map(|&(day, start_minute, end_minute)| WeeklyShift {
                    day,
                    hours: Hours { start_minute, end_minute, breaks: Vec::new() },
                })
                .collect(),
            follows_calendar: None,
            version: 1,
            create_time: at,
        }
    }

    fn field(pattern: &ShiftPattern) -> Option<String> {
        pattern.check("p").err().map(|error| error.violations()[0].field.clone())
    }

    #[test]
    fn shifts_do_not_overlap_also_across_midnight_and_the_week() {
        assert_eq!(field(&pattern(&[(1, 600, 720), (1, 720, 800), (2, 600, 720)])), None);
        assert_eq!(field(&pattern(&[(1, 600, 720), (1, 700, 800)])).as_deref(), Some("p.shifts[1]"));
        assert_eq!(field(&pattern(&[(2, 0, 300), (1, 1_200, 1_500)])).as_deref(), Some("p.shifts[1]"));
        assert_eq!(field(&pattern(&[(1, 0, 300), (7, 1_200, 1_500)])).as_deref(), Some("p.shifts[1]"));
        assert_eq!(field(&pattern(&[(1, 60, 300), (7, 1_200, 1_500)])), None);
    }

    #[test]
    fn a_shift_is_at_most_sixteen_hours_long_and_has_its_breaks_within() {
        assert_eq!(field(&pattern(&[(1, 600, 600 + 960)])), None);
        assert_eq!(field(&pattern(&[(1, 600, 600 + 961)])).as_deref(), Some("p.shifts[0].hours.end_time"));
        let mut with = pattern(&[(1, 600, 1_200)]);
        with.shifts[0].hours.breaks = vec![(700, 730), (720, 740)];
        assert_eq!(field(&with).as_deref(), Some("p.shifts[0].hours.breaks[1]"));
        with.shifts[0].hours.breaks = vec![(590, 620)];
        assert_eq!(field(&with).as_deref(), Some("p.shifts[0].hours.breaks[0]"));
    }

    #[test]
    fn its_last_date_is_not_before_its_first() {
        let mut pattern = pattern(&[(1, 600, 700)]);
        pattern.end_date = Some(Date::constant(2025, 12, 31));
        assert_eq!(field(&pattern).as_deref(), Some("p.end_date"));
    }
}
