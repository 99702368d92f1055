//! When a therapist works.

use jiff::{SignedDuration, civil::Date};
use kernel::{
    Error, Result, Timestamp,
    ids::{ShiftId, ShiftPatternId, StoreId, TherapistId},
};

use crate::domain::span::{Span, is_whole_minute, minute, minute_after};

/// A span of time in which a therapist works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Its id.
    pub id: ShiftId,
    /// Who works.
    pub therapist: TherapistId,
    /// Where.
    pub store: StoreId,
    /// From when.
    pub start_time: Timestamp,
    /// Until when.
    pub end_time: Timestamp,
    /// The date on which it begins at its store.
    pub date: Date,
    /// What it was made from; `None` if it was entered.
    pub pattern: Option<ShiftPatternId>,
    /// Its breaks, a list.
    pub breaks: Vec<Span>,
    /// Counts the changes, from 1.
    pub version: i64,
}

impl Shift {
    /// The minutes that are worked.
    pub fn span(&self) -> Span {
        Span::new(minute(self.start_time), minute_after(self.end_time))
    }
}

/// The longest shift that can be entered; the law's limits on work are far below.
const LONGEST_SHIFT: SignedDuration = SignedDuration::from_hours(16);

/// Refuses a shift that ends before it starts, is longer than 16 hours or does not keep to whole minutes.
pub fn check_shift(start_time: Timestamp, end_time: Timestamp) -> Result<()> {
    for (field, at) in [("shift.start_time", start_time), ("shift.end_time", end_time)] {
        if !is_whole_minute(at) {
            return Err(Error::invalid(field, "must be a whole minute; leave out seconds"));
        }
    }
    let length = end_time.duration_since(start_time);
    if length <= SignedDuration::ZERO {
        return Err(Error::invalid("shift.end_time", "must be later than shift.start_time"));
    }
    if length > LONGEST_SHIFT {
        return Err(Error::invalid(
            "shift.end_time",
            "must be at most 16 hours after shift.start_time; make two shifts",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_must_be_a_plausible_span_of_whole_minutes() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a timestamp");
        let field = |start, end| check_shift(at(start), at(end)).err().map(|e| e.violations()[0].field.clone());
        assert_eq!(field("2026-11-22T22:00:00Z", "2026-11-23T06:00:00Z"), None);
        assert_eq!(field("2026-11-22T22:00:00Z", "2026-11-22T22:00:00Z").as_deref(), Some("shift.end_time"));
        assert_eq!(field("2026-11-22T00:00:00Z", "2026-11-22T16:01:00Z").as_deref(), Some("shift.end_time"));
        assert_eq!(field("2026-11-22T00:00:30Z", "2026-11-22T08:00:00Z").as_deref(), Some("shift.start_time"));
    }
}
