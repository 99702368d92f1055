use jiff::civil::{Weekday, date};
use kernel::{
    Timestamp,
    ids::{StoreId, TherapistId},
};

use super::*;
use crate::domain::{
    hours::time_zone,
    roster::{
        calendar::{CalendarDay, Kind},
        pattern::WeeklyShift,
    },
    span::instant,
};

fn zone(name: &str) -> TimeZone {
    time_zone("zone", name).expect("known")
}

fn hours(start: i16, end: i16) -> Hours {
    Hours { start_minute: start, end_minute: end, breaks: Vec::new() }
}

/// The same hours on these weekdays, from 2020 on.
fn pattern(days: impl IntoIterator<Item = i16>, hours: &Hours) -> ShiftPattern {
    let at = Timestamp::UNIX_EPOCH;
    ShiftPattern {
        id: ShiftPatternId::new(at),
        therapist: TherapistId::new(at),
        store: StoreId::new(at),
        start_date: date(2020, 1, 1),
        end_date: None,
        shifts: days.into_iter().map(|day| WeeklyShift { day, hours: hours.clone() }).collect(),
        follows_calendar: None,
        version: 1,
        create_time: at,
    }
}

fn made(pattern: &ShiftPattern, zone: &TimeZone, first: Date, last: Date) -> Vec<Wanted> {
    let patterns = std::slice::from_ref(pattern);
    make(patterns, &HashMap::new(), zone, Dates { first, last }, &BTreeSet::new(), Vec::new())
}

fn utc(span: Span) -> (String, String) {
    (instant(span.start).to_string(), instant(span.end).to_string())
}

#[test]
fn a_week_is_worked_as_it_says() {
    let made =
        made(&pattern(1..=5, &hours(600, 1_080)), &zone("Asia/Shanghai"), date(2026, 11, 23), date(2026, 11, 29));
    assert_eq!(made.len(), 5);
    assert_eq!(utc(made[0].span), ("2026-11-23T02:00:00Z".to_owned(), "2026-11-23T10:00:00Z".to_owned()));
    assert!(made.iter().all(|one| one.date.weekday() != Weekday::Saturday && one.span.minutes() == 480));
}

#[test]
fn only_within_its_dates() {
    let mut pattern = pattern(1..=7, &hours(600, 660));
    (pattern.start_date, pattern.end_date) = (date(2026, 11, 24), Some(date(2026, 11, 25)));
    let made = made(&pattern, &TimeZone::UTC, date(2026, 11, 20), date(2026, 11, 30));
    assert_eq!(made.iter().map(|one| one.date).collect::<Vec<_>>(), [date(2026, 11, 24), date(2026, 11, 25)]);
}

/// From 22:00 to 06:00 over the night of a clock change, in zones that change by an hour, by half an hour, and never.
#[test]
fn a_night_shift_is_longer_or_shorter_when_clocks_change() {
    let night = hours(1_320, 1_440 + 360);
    let length = |name: &str, day: Date| made(&pattern(1..=7, &night), &zone(name), day, day)[0].span.minutes();
    for (name, day, minutes) in [
        ("Europe/Berlin", date(2026, 3, 28), 420),
        ("Europe/Berlin", date(2026, 10, 24), 540),
        ("America/New_York", date(2026, 3, 7), 420),
        ("America/New_York", date(2026, 10, 31), 540),
        ("Australia/Lord_Howe", date(2026, 4, 4), 510),
        ("Australia/Lord_Howe", date(2026, 10, 3), 450),
        ("Asia/Kathmandu", date(2026, 3, 28), 480),
        ("Asia/Shanghai", date(2026, 10, 24), 480),
    ] {
        assert_eq!(length(name, day), minutes, "{name} {day}");
    }
}

/// A skipped time moves forward by the gap; a repeated one is the first of the two.
#[test]
fn times_that_are_skipped_or_come_twice() {
    let berlin = zone("Europe/Berlin");
    let on = |day: Date, hours: Hours| made(&pattern(1..=7, &hours), &berlin, day, day);
    // 02:00 to 03:00 does not exist on 29 March: 02:30 becomes 03:30.
    let spring = on(date(2026, 3, 29), hours(150, 480));
    assert_eq!(utc(spring[0].span), ("2026-03-29T01:30:00Z".to_owned(), "2026-03-29T06:00:00Z".to_owned()));
    let inside = on(date(2026, 3, 29), hours(120, 180));
    assert!(inside.is_empty(), "nothing is left of it: {inside:?}");
    // 02:00 to 03:00 comes twice on 25 October.
    let autumn = on(date(2026, 10, 25), hours(150, 480));
    assert_eq!(utc(autumn[0].span), ("2026-10-25T00:30:00Z".to_owned(), "2026-10-25T07:00:00Z".to_owned()));
}

/// Samoa had no 30 December 2011: what was to begin on it falls on the 31st, which has shifts of its own.
#[test]
fn a_date_that_does_not_exist_doubles_nothing() {
    let mut pattern = pattern(1..=7, &hours(540, 1_020));
    pattern.start_date = date(2011, 1, 1);
    let made = made(&pattern, &zone("Pacific/Apia"), date(2011, 12, 29), date(2011, 12, 31));
    assert_eq!(made.iter().map(|one| one.span.minutes()).sum::<i64>(), 2 * 480);
    assert!(made.windows(2).all(|pair| !pair[0].span.overlaps(pair[1].span)));
}

#[test]
fn breaks_move_with_the_shift_and_stay_within_it() {
    let night = Hours { start_minute: 1_320, end_minute: 1_800, breaks: vec![(1_500, 1_530), (1_425, 1_455)] };
    let day = date(2026, 11, 23);
    let one = made(&pattern(1..=7, &night), &TimeZone::UTC, day, day).remove(0);
    let breaks: Vec<_> = one.breaks.iter().map(|span| utc(*span).0).collect();
    assert_eq!(breaks, ["2026-11-23T23:45:00Z", "2026-11-24T01:00:00Z"]);
}

#[test]
fn what_is_taken_and_excepted_stays_out() {
    let pattern = pattern(1..=7, &Hours { breaks: vec![(720, 780)], ..hours(600, 1_080) });
    let (first, last) = (date(2026, 11, 23), date(2026, 11, 25));
    let exceptions = BTreeSet::from([date(2026, 11, 24)]);
    let at = |text: &str| crate::domain::span::minute(text.parse().expect("a timestamp"));
    let taken = vec![Span::new(at("2026-11-25T09:00:00Z"), at("2026-11-25T12:30:00Z"))];
    let made = make(&[pattern], &HashMap::new(), &TimeZone::UTC, Dates { first, last }, &exceptions, taken);
    assert_eq!(made.len(), 2);
    assert_eq!((made[1].date, utc(made[1].span).0.as_str()), (last, "2026-11-25T12:30:00Z"));
    assert_eq!(made[1].breaks, [Span::new(at("2026-11-25T12:30:00Z"), at("2026-11-25T13:00:00Z"))]);
}

/// The weeks around the National Day of 2025: holidays are off, Sunday 28 September and Saturday 11 October are worked
/// as the Tuesday and Wednesday that they make up for.
#[test]
fn a_pattern_that_follows_china_works_its_make_up_days() {
    let off = |day| CalendarDay { date: day, kind: Kind::Holiday, name: "National Day".to_owned() };
    let make_up = |day, replaces| CalendarDay {
        date: day,
        kind: Kind::MakeUpWorkday { replaces },
        name: "National Day".to_owned(),
    };
    let mut days: Vec<_> = (1..=8).map(|day| off(date(2025, 10, day))).collect();
    days.push(make_up(date(2025, 9, 28), date(2025, 10, 7)));
    days.push(make_up(date(2025, 10, 11), date(2025, 10, 8)));
    let calendars = HashMap::from([("CN".to_owned(), Calendar::new(&days))]);
    let mut pattern = pattern([1, 3, 5], &hours(600, 1_080));
    pattern.shifts.push(WeeklyShift { day: 2, hours: hours(780, 1_260) });
    pattern.follows_calendar = Some("CN".to_owned());
    let dates = Dates { first: date(2025, 9, 22), last: date(2025, 10, 12) };
    let made = make(&[pattern], &calendars, &zone("Asia/Shanghai"), dates, &BTreeSet::new(), Vec::new());
    let worked: Vec<_> = made.iter().map(|one| (one.date.month(), one.date.day())).collect();
    assert_eq!(worked, [(9, 22), (9, 23), (9, 24), (9, 26), (9, 28), (9, 29), (9, 30), (10, 10), (10, 11)]);
    // As a Tuesday: from 13:00.
    assert_eq!(utc(made[4].span).0, "2025-09-28T05:00:00Z");
    // As a Wednesday: from 10:00.
    assert_eq!(utc(made[8].span).0, "2025-10-11T02:00:00Z");
}
