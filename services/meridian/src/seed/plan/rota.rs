//! Who works when.

use anyhow::Result;

use super::{Calendar, FUTURE_DAYS, PAST_DAYS, Shift};
use crate::seed::chain::{OPEN, THERAPISTS};

/// Hours of a shift.
const HOURS: i64 = 8;

/// Six days a week, early and late in turn, week by week; every therapist has another day off.
pub(super) fn shifts(calendar: &Calendar) -> Result<Vec<Shift>> {
    let mut shifts = Vec::new();
    for offset in -PAST_DAYS..=FUTURE_DAYS {
        let number = offset + PAST_DAYS;
        for therapist in 0..THERAPISTS {
            let own = therapist as i64;
            if (number + own) % 7 == 0 {
                continue;
            }
            let early = (number / 7 + own) % 2 == 0;
            let start = if early { i64::from(OPEN.0) } else { i64::from(OPEN.1) - HOURS } * 60;
            shifts.push(Shift {
                therapist,
                start: calendar.at(offset, start)?,
                end: calendar.at(offset, start + HOURS * 60)?,
            });
        }
    }
    Ok(shifts)
}
