//! Every IANA zone over two years of clock changes, against a clock that is watched minute by minute.

use jiff::{civil::DateTime, tz};

use super::*;
use crate::domain::{
    availability::{GRID, Resource, Supply, offers},
    span::{list, minute},
    visit::{Class, Demand, Visit},
};

const YEARS: [&str; 2] = ["2025-01-01T00:00:00Z", "2027-01-01T00:00:00Z"];

fn zones() -> impl Iterator<Item = TimeZone> {
    let names = tz::db().available().map(|name| name.as_str().to_owned()).collect::<Vec<_>>();
    assert!(names.len() > 400, "all of them: {}", names.len());
    names.into_iter().filter_map(|name| TimeZone::get(&name).ok())
}

fn years() -> Span {
    let [first, last] = YEARS.map(|at| minute(at.parse().expect("a timestamp")));
    Span::new(first, last)
}

/// The minutes at which the clocks of a zone are changed.
fn changes(zone: &TimeZone) -> Vec<Minute> {
    let years = years();
    zone.following(instant(years.start))
        .map(|change| minute(change.timestamp()))
        .take_while(|at| *at < years.end)
        .collect()
}

fn every_day(open_minute: i16, close_minute: i16) -> Vec<OpeningHours> {
    (1..=7).map(|day| OpeningHours { day, open_minute, close_minute }).collect()
}

/// What clocks show, watched every five minutes: all that is needed, since nothing here happens in between.
struct Watched(Vec<(Minute, DateTime)>);

impl Watched {
    fn around(zone: &TimeZone, change: Minute) -> Self {
        let from = change - change.rem_euclid(5) - 60 * 60;
        let minutes = (from..from + 120 * 60).step_by(5);
        Self(minutes.map(|at| (at, instant(at).to_zoned(zone.clone()).datetime())).collect())
    }

    /// The first minute at which the clock shows `time`; if it skips it, as many minutes after the change as it would have
    /// been without one.
    fn first(&self, time: DateTime) -> Minute {
        let shows = self.0.iter().find(|(_, shown)| *shown == time);
        shows.map(|(at, _)| *at).unwrap_or_else(|| {
            let before = self.0.iter().rfind(|(_, shown)| *shown < time).expect("it was earlier once");
            before.0 + time.duration_since(before.1).as_mins()
        })
    }
}

/// Openings at every hour of the day, of half a day and across midnight, around every change of every zone.
#[test]
fn openings_follow_the_clock_on_the_wall_through_every_change() {
    let mut seen = 0;
    for zone in zones() {
        for change in changes(&zone) {
            let watched = Watched::around(&zone, change);
            let today = instant(change).to_zoned(zone.clone()).date();
            for (open, close) in [(0, 1_440), (90, 150), (600, 1_320), (1_230, 1_605), (1_380, 1_560), (135, 165)] {
                let wide = Span::new(change - 50 * 60, change + 50 * 60);
                let found = openings(&every_day(open, close), &[], &zone, wide);
                for date in [today.yesterday().expect("in range"), today] {
                    let at = |minute: i16| {
                        let time = date.at(0, 0, 0, 0).checked_add(i64::from(minute).minutes()).expect("in range");
                        watched.first(time)
                    };
                    let expected = Span::new(at(open), at(close));
                    let is_open = expected.minutes() > 0;
                    assert_eq!(found.contains(&expected), is_open, "{zone:?} {date} {open}–{close}: {found:?}");
                    seen += usize::from(is_open);
                }
            }
        }
    }
    assert!(seen > 5_000, "{seen} openings");
}

/// A shop that closes at midnight to open at midnight never closes, and each opening has the length of its day.
#[test]
fn days_follow_each_other_without_a_gap_in_every_zone() {
    let years = years();
    for zone in zones() {
        let whole = openings(&every_day(0, 1_440), &[], &zone, years);
        assert!((730..=732).contains(&whole.len()), "{zone:?}: {}", whole.len());
        assert!(whole.windows(2).all(|days| days[0].end == days[1].start), "{zone:?}");
        let unlike = whole[1..whole.len() - 1].iter().filter(|day| day.minutes() != 1_440).count();
        assert!(unlike <= changes(&zone).len(), "{zone:?}");
    }
}

/// A night shop with somebody on duty throughout: visits start from its opening on, and the last ends when it closes.
#[test]
fn the_last_visit_of_a_night_ends_at_closing_however_clocks_change() {
    let therapist = Resource { on: vec![Span::ALWAYS], ..Resource::default() };
    let class = Class::Therapist { skills: Vec::new(), certificates: Vec::new() };
    let treatment = Span::new(0, 50);
    let (spans, legs) = (vec![treatment], Vec::new());
    let demand = Demand { class, spans, wish: None, sex: None, min_grade: None, language: None, guest: 0, legs };
    let visits = [Visit { demands: vec![demand], legs: Vec::new(), treatment }];
    for zone in zones() {
        for change in changes(&zone) {
            let window = Span::new(change - 30 * 60, change + 30 * 60);
            let openings = openings(&every_day(1_230, 1_605), &[], &zone, window);
            let supply = Supply {
                open: list(openings.clone()),
                openings,
                therapists: vec![therapist.clone()],
                ..Supply::default()
            };
            let starts: Vec<Minute> =
                offers(&supply, &visits, window, &|_| 0, usize::MAX).into_iter().map(|offer| offer.start).collect();
            let expected = supply.openings.iter().flat_map(|opening| {
                let first = opening.start + (-opening.start).rem_euclid(GRID);
                (first..=opening.end - treatment.end).step_by(5)
            });
            assert!(expected.eq(starts.iter().copied()), "{zone:?}: {:?}, {starts:?}", supply.openings);
        }
    }
}
