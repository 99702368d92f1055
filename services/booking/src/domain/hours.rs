//! Opening hours: wall-clock times of a week in the store's IANA zone.

use jiff::{ToSpan, civil::Date, tz::TimeZone};
use kernel::{Error, Result};

use super::span::{Minute, Span, instant};

/// A span of one weekday in which a store is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpeningHours {
    /// 1 = Monday … 7 = Sunday (ISO 8601).
    pub day: i16,
    /// Minutes after local midnight, 0–1439.
    pub open_minute: i16,
    /// Minutes after the same midnight; past 1440 it reaches into the next day.
    pub close_minute: i16,
}

/// The zone of an IANA name that came in as `field`.
pub fn time_zone(field: &str, name: &str) -> Result<TimeZone> {
    TimeZone::get(name)
        .ok()
        .filter(|zone| zone.iana_name() == Some(name))
        .ok_or_else(|| Error::invalid(field, "must be the IANA name of a time zone, such as Asia/Shanghai"))
}

/// Refuses hours of one week that overlap each other.
pub fn check(hours: &[OpeningHours]) -> Result<()> {
    const WEEK: i64 = 7 * 1_440;
    let mut spans: Vec<(Span, usize)> = Vec::new();
    for (index, hour) in hours.iter().enumerate() {
        let midnight = i64::from(hour.day - 1) * 1_440;
        let span = Span::new(midnight + i64::from(hour.open_minute), midnight + i64::from(hour.close_minute));
        // Sunday night may reach into the Monday of the next week, which is this Monday.
        let again = [-WEEK, 0, WEEK].map(|weeks| Span::new(span.start + weeks, span.end + weeks));
        if let Some((_, other)) = spans.iter().find(|(other, _)| again.iter().any(|span| other.overlaps(*span))) {
            return Err(Error::invalid(
                format!("store.opening_hours[{index}]"),
                format!("overlaps store.opening_hours[{other}]; join the two or move one"),
            ));
        }
        spans.push((span, index));
    }
    Ok(())
}

/// A day with other hours than those of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecialDay {
    /// The local date.
    pub date: Date,
    /// When it is open, as minutes of [`OpeningHours`]; empty if it is closed.
    pub hours: Vec<(i16, i16)>,
    /// Why, for customers.
    pub note: String,
}

/// Puts special days into order.
///
/// Fails with `InvalidArgument` at `store.special_days[…]` if a date comes twice, or if hours of one overlap each other or
/// those of the day before or after.
pub fn order_special_days(week: &[OpeningHours], mut days: Vec<SpecialDay>) -> Result<Vec<SpecialDay>> {
    for (index, day) in days.iter().enumerate() {
        let field = format!("store.special_days[{index}]");
        if let Some(other) = days[..index].iter().position(|other| other.date == day.date) {
            let text = format!("has the date of store.special_days[{other}]; join the two");
            return Err(Error::invalid(format!("{field}.date"), text));
        }
        let on = |offset: i64| {
            let date = day.date.checked_add(offset.days()).ok();
            let hours = date.map(|date| hours_of(week, &days, date)).unwrap_or_default();
            let at = move |minute: i16| offset * 1_440 + i64::from(minute);
            hours.into_iter().map(move |(open, close)| Span::new(at(open), at(close)))
        };
        let mut around: Vec<Span> = (-1..=1).flat_map(on).collect();
        around.sort_unstable();
        if around.windows(2).any(|pair| pair[0].overlaps(pair[1])) {
            let text = "overlap each other or those of the day before or after; join or move them";
            return Err(Error::invalid(format!("{field}.hours"), text));
        }
    }
    days.sort_unstable_by_key(|day| day.date);
    Ok(days)
}

/// When the store opens and closes on a date: the hours of the week, unless it is a special day.
fn hours_of(week: &[OpeningHours], special: &[SpecialDay], date: Date) -> Vec<(i16, i16)> {
    if let Some(day) = special.iter().find(|day| day.date == date) {
        return day.hours.clone();
    }
    let weekday = i16::from(date.weekday().to_monday_one_offset());
    week.iter().filter(|hour| hour.day == weekday).map(|hour| (hour.open_minute, hour.close_minute)).collect()
}

/// The times within `window` at which the store is open, one for each opening, by start: those of the week, on special
/// days the other ones. Wall-clock times that a clock change skips or repeats are read as RFC 5545 does: a skipped time is
/// moved forward by the gap, a repeated one is its first occurrence.
pub fn openings(week: &[OpeningHours], special: &[SpecialDay], zone: &TimeZone, window: Span) -> Vec<Span> {
    let first = instant(window.start).to_zoned(zone.clone()).date();
    let last = instant(window.end).to_zoned(zone.clone()).date();
    // The day before may reach into the window.
    let mut date = first.checked_sub(1.day()).unwrap_or(first);
    let mut spans = Vec::new();
    while date <= last {
        for (open, close) in hours_of(week, special, date) {
            let open = wall_clock(date, open, zone).zip(wall_clock(date, close, zone));
            let open = open.map(|(open, close)| Span::new(open, close).common(window));
            spans.extend(open.filter(|span| span.minutes() > 0));
        }
        match date.tomorrow() {
            Ok(tomorrow) => date = tomorrow,
            Err(_) => break,
        }
    }
    spans.sort_unstable();
    spans
}

/// The minute at which a local clock shows `minute` minutes after the midnight that begins `date`; see [`openings`] for
/// clock changes. `None` outside of the calendar.
pub fn wall_clock(date: Date, minute: i16, zone: &TimeZone) -> Option<Minute> {
    let date = date.checked_add(i64::from(minute / 1_440).days()).ok()?;
    let (hour, minute) = (i8::try_from(minute % 1_440 / 60).ok()?, i8::try_from(minute % 60).ok()?);
    let at = date.at(hour, minute, 0, 0).to_zoned(zone.clone()).ok()?;
    Some(super::span::minute(at.timestamp()))
}

#[cfg(test)]
mod zones;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::span::minute;

    fn zone(name: &str) -> TimeZone {
        time_zone("time_zone", name).expect("known")
    }

    fn at(text: &str) -> Minute {
        minute(text.parse().expect("a timestamp"))
    }

    fn every_day(open_minute: i16, close_minute: i16) -> Vec<OpeningHours> {
        (1..=7).map(|day| OpeningHours { day, open_minute, close_minute }).collect()
    }

    #[test]
    fn hours_are_read_in_the_stores_own_zone() {
        let window = Span::new(at("2026-11-22T00:00:00Z"), at("2026-11-23T00:00:00Z"));
        let open = openings(&every_day(600, 1_320), &[], &zone("Asia/Shanghai"), window);
        assert_eq!(open, [Span::new(at("2026-11-22T02:00:00Z"), at("2026-11-22T14:00:00Z"))]);
    }

    #[test]
    fn a_night_shop_reaches_into_the_next_day() {
        let window = Span::new(at("2026-11-22T00:00:00Z"), at("2026-11-22T12:00:00Z"));
        let open = openings(&every_day(1_200, 1_440 + 180), &[], &zone("UTC"), window);
        assert_eq!(open, [Span::new(at("2026-11-22T00:00:00Z"), at("2026-11-22T03:00:00Z"))]);
    }

    #[test]
    fn a_clock_change_makes_the_night_an_hour_longer_or_shorter() {
        let london = zone("Europe/London");
        let length = |from: &str, to: &str| {
            let open = openings(&every_day(0, 1_440), &[], &london, Span::new(at(from), at(to)));
            open.iter().map(|span| span.minutes()).sum::<i64>()
        };
        assert_eq!(length("2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z"), 23 * 60);
        assert_eq!(length("2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z"), 25 * 60);
    }

    #[test]
    fn a_special_day_has_its_own_hours_and_leaves_the_night_before_alone() {
        let special = |date: &str, hours: &[(i16, i16)]| SpecialDay {
            date: date.parse().expect("a date"),
            hours: hours.to_vec(),
            note: String::new(),
        };
        let days = [special("2026-11-22", &[]), special("2026-11-23", &[(600, 720), (840, 900)])];
        let window = Span::new(at("2026-11-22T00:00:00Z"), at("2026-11-24T00:00:00Z"));
        let open = openings(&every_day(1_200, 1_440 + 180), &days, &zone("UTC"), window);
        let span = |from: &str, to: &str| Span::new(at(from), at(to));
        assert_eq!(
            open,
            [
                span("2026-11-22T00:00:00Z", "2026-11-22T03:00:00Z"),
                span("2026-11-23T10:00:00Z", "2026-11-23T12:00:00Z"),
                span("2026-11-23T14:00:00Z", "2026-11-23T15:00:00Z"),
            ]
        );
    }

    #[test]
    fn special_days_overlap_nothing_and_come_once_a_date() {
        let day = |date: &str, open, close| SpecialDay {
            date: date.parse().expect("a date"),
            hours: vec![(open, close)],
            note: String::new(),
        };
        let field = |days| {
            let nights = every_day(1_200, 1_440 + 180);
            order_special_days(&nights, days).err().map(|error| error.violations()[0].field.clone())
        };
        assert_eq!(field(vec![day("2026-11-23", 180, 720), day("2026-11-22", 300, 600)]), None);
        let twice = vec![day("2026-11-22", 300, 600), day("2026-11-22", 700, 800)];
        assert_eq!(field(twice).as_deref(), Some("store.special_days[1].date"));
        let into_the_night_before = vec![day("2026-11-22", 120, 600)];
        assert_eq!(field(into_the_night_before).as_deref(), Some("store.special_days[0].hours"));
        let into_the_next = vec![day("2026-11-22", 1_000, 2_400), day("2026-11-23", 900, 1_000)];
        assert_eq!(field(into_the_next).as_deref(), Some("store.special_days[0].hours"));
    }

    #[test]
    fn a_zone_that_does_not_exist_is_refused_by_field() {
        // The last two are read by jiff, but mean nothing to other readers of the name, such as Postgres.
        for name in ["Asia/Atlantis", "", "Etc/Unknown", "asia/shanghai"] {
            let error = time_zone("store.time_zone", name).expect_err(name);
            assert_eq!(error.violations()[0].field, "store.time_zone");
        }
        assert!(time_zone("store.time_zone", "UTC").is_ok());
    }

    #[test]
    fn hours_that_overlap_across_midnight_or_the_week_are_refused() {
        let monday = OpeningHours { day: 1, open_minute: 0, close_minute: 600 };
        let sunday = OpeningHours { day: 7, open_minute: 1_200, close_minute: 1_500 };
        assert!(check(&[monday, sunday]).is_err());
        assert!(check(&[sunday, monday]).is_err());
        assert!(check(&[monday, OpeningHours { close_minute: 1_440, ..sunday }]).is_ok());
    }
}
