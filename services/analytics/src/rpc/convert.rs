//! Wire ↔ domain.

use jiff::civil::Date;
use kernel::{Error, FieldViolation, Result, ids::StoreId};
use proto::{analytics::v1 as pb, google::r#type::Date as PbDate};
use rpc::convert::{to_money, to_timestamp};

use crate::domain::{DailyFigures, FeedPosition, Period};

/// The days asked for. Everything that is wrong with the two is told at once.
pub fn period(request: &pb::ListDailyFiguresRequest) -> Result<Period> {
    let first = date("start_date", request.start_date.as_ref());
    let last = date("end_date", request.end_date.as_ref());
    match (first, last) {
        (Ok(first), Ok(last)) => Period::try_new(first, last),
        (first, last) => {
            Err(Error::invalid_fields([first.err(), last.err()].into_iter().flatten().collect::<Vec<_>>()))
        }
    }
}

/// A whole date of the calendar.
fn date(field: &str, value: Option<&PbDate>) -> Result<Date, FieldViolation> {
    let whole = value.and_then(|date| {
        let year = i16::try_from(date.year).ok().filter(|year| (1..=9999).contains(year))?;
        Date::new(year, i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?).ok()
    });
    whole.ok_or_else(|| FieldViolation {
        field: field.to_owned(),
        description: "must be a day of the calendar, with year, month and day, such as 2026-02-28".to_owned(),
    })
}

fn to_date(date: Date) -> PbDate {
    PbDate { year: date.year().into(), month: date.month().into(), day: date.day().into() }
}

/// One day for the wire. Fails if its revenue is too large to be told.
pub fn to_daily_figures(store: StoreId, day: &DailyFigures) -> Result<pb::DailyFigures> {
    Ok(pb::DailyFigures {
        store: store.name(),
        date: Some(to_date(day.date)),
        bookings_by_state: day.bookings_by_state.iter().map(|(state, count)| (state.clone(), *count)).collect(),
        revenue: Some(to_money(day.revenue()?)),
        captured: Some(to_money(day.captured)),
        refunded: Some(to_money(day.refunded)),
        new_members: day.new_members,
        points_earned: day.points_earned,
        points_revoked: day.points_revoked,
        no_shows: day.no_shows(),
        rescheduled: day.rescheduled,
        moved: day.moved,
        cancelled: day.cancelled,
    })
}

/// One position for the wire.
pub fn to_feed_position(position: FeedPosition) -> pb::FeedPosition {
    pb::FeedPosition {
        feed: position.feed,
        partition: position.partition.into(),
        event_count: position.event_count,
        last_occur_time: position.last_occur_time.map(to_timestamp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(start: (i32, i32, i32), end: (i32, i32, i32)) -> Vec<String> {
        let date = |(year, month, day)| Some(PbDate { year, month, day });
        let request =
            pb::ListDailyFiguresRequest { store: String::new(), start_date: date(start), end_date: date(end) };
        let violations = period(&request).map_err(|error| error.violations().to_vec());
        violations.err().unwrap_or_default().into_iter().map(|violation| violation.field).collect()
    }

    #[test]
    fn only_days_of_the_calendar_are_days() {
        let good = (2028, 2, 29);
        assert!(refused(good, good).is_empty());
        for bad in [
            (2026, 2, 30),
            (2027, 2, 29),
            (2027, 13, 1),
            (2027, 0, 1),
            (2027, 1, 0),
            (2027, 1, -1),
            (0, 1, 1),
            (-1, 1, 1),
            (10_000, 1, 1),
            (2027, 257, 1),
            (i32::MAX, i32::MAX, i32::MAX),
        ] {
            assert_eq!(refused(bad, good), ["start_date"], "{bad:?}");
            assert_eq!(refused(good, bad), ["end_date"], "{bad:?}");
            assert_eq!(refused(bad, bad), ["start_date", "end_date"], "{bad:?}");
        }
        assert_eq!(refused((2027, 3, 2), (2027, 3, 1)), ["end_date"]);
    }
}
