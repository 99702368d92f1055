//! Days.

use jiff::civil::Date;
use kernel::{Error, Result};
use proto::google::r#type::Date as PbDate;

/// A day of which year, month and day are given.
pub fn date(field: &str, date: Option<&PbDate>) -> Result<Date> {
    optional_date(field, date)?.ok_or_else(|| Error::invalid(field, "must be given"))
}

/// A day that may be missing.
pub fn optional_date(field: &str, date: Option<&PbDate>) -> Result<Option<Date>> {
    let Some(date) = date else { return Ok(None) };
    let read = match (i16::try_from(date.year), i8::try_from(date.month), i8::try_from(date.day)) {
        (Ok(year @ 1..), Ok(month), Ok(day)) => Date::new(year, month, day).ok(),
        _ => None,
    };
    let unfit = || Error::invalid(field, "must be a date of the calendar, with year, month and day");
    read.map(Some).ok_or_else(unfit)
}

/// A day for the wire.
pub fn to_date(date: Date) -> PbDate {
    PbDate { year: date.year().into(), month: date.month().into(), day: date.day().into() }
}
