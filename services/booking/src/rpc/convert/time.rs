//! Dates and times of the day.

use jiff::civil::Date;
use kernel::{Error, Result};
use proto::google::r#type::{Date as PbDate, TimeOfDay};

/// A date of which year, month and day are given.
pub fn date(field: &str, date: Option<&PbDate>) -> Result<Date> {
    let date = date.ok_or_else(|| Error::invalid(field, "must be given"))?;
    let (year, month, day) = (i16::try_from(date.year), i8::try_from(date.month), i8::try_from(date.day));
    match (year, month, day) {
        (Ok(year @ 1..), Ok(month), Ok(day)) => Date::new(year, month, day).ok(),
        _ => None,
    }
    .ok_or_else(|| Error::invalid(field, "must be a date of the calendar, with year, month and day"))
}

/// A date for the wire.
pub fn to_date(date: Date) -> PbDate {
    PbDate { year: i32::from(date.year()), month: i32::from(date.month()), day: i32::from(date.day()) }
}

/// A span of a day in minutes after its midnight: the end may be 24:00, and at or before the start it is the next day's.
pub(super) fn span_of_day(
    (start_field, start): (String, Option<&TimeOfDay>),
    (end_field, end): (String, Option<&TimeOfDay>),
) -> Result<(i16, i16)> {
    let start = minute_of_day(&start_field, start)?;
    let end = minute_of_day(&end_field, end)?;
    if start == 1_440 {
        return Err(Error::invalid(start_field, "must be before 24:00; use 00:00 of the next day"));
    }
    Ok((start, if end <= start { end + 1_440 } else { end }))
}

pub(super) fn minute_of_day(field: &str, time: Option<&TimeOfDay>) -> Result<i16> {
    let time = time.ok_or_else(|| Error::invalid(field, "must be given"))?;
    let minute = time.hours.saturating_mul(60).saturating_add(time.minutes);
    let valid = (0..=24).contains(&time.hours)
        && (0..60).contains(&time.minutes)
        && minute <= 1_440
        && time.seconds == 0
        && time.nanos == 0;
    if !valid {
        return Err(Error::invalid(field, "must be a whole minute from 00:00 to 24:00"));
    }
    Ok(i16::try_from(minute).unwrap_or_default())
}

/// The start of a span of a day for the wire.
pub(super) fn to_time_of_day(minute: i16) -> TimeOfDay {
    TimeOfDay { hours: i32::from(minute / 60), minutes: i32::from(minute % 60), ..TimeOfDay::default() }
}

/// The end of a span of a day for the wire: up to 24:00 it is the same day; past that it is written as the time of the
/// next.
pub(super) fn to_end_of_span(minute: i16) -> TimeOfDay {
    to_time_of_day(if minute > 1_440 { minute - 1_440 } else { minute })
}
