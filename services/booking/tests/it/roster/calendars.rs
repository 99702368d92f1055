//! Working calendars.

use booking::domain::roster::{Dates, calendar::Calendar};
use jiff::civil::{Date, Weekday};
use proto::{
    booking::v1::{self as pb, calendar_day::Kind},
    google::r#type::Date as PbDate,
};
use testkit::with_token;
use tonic::{Response, Status};

use super::{day, hours, stranded, weekly};
use crate::world::{World, at, field, id, member};

fn in_china(days: Vec<pb::CalendarDay>) -> pb::SetCalendarDaysRequest {
    pb::SetCalendarDaysRequest {
        calendar: "workingCalendars/CN".to_owned(),
        start_date: day(0),
        end_date: day(13),
        days,
        request_id: id(),
    }
}

fn holiday(after: i32) -> pb::CalendarDay {
    let kind = Kind::Holiday.into();
    pb::CalendarDay { date: day(after), kind, display_name: "Founders' Day".to_owned(), replaces: None }
}

fn make_up(after: i32, replaces: Option<PbDate>) -> pb::CalendarDay {
    let kind = Kind::MakeUpWorkday.into();
    pb::CalendarDay { date: day(after), kind, display_name: "Founders' Day".to_owned(), replaces }
}

async fn set(world: &World, days: Vec<pb::CalendarDay>) -> Result<pb::SetCalendarDaysResponse, Status> {
    let request = in_china(days);
    world.roster().set_calendar_days(with_token(request, &world.admin)).await.map(Response::into_inner)
}

/// Every day of ten years, against another's table.
#[tokio::test]
async fn china_works_on_the_days_that_are_known() {
    let world = World::new(0, 0).await;
    let all = Dates { first: Date::constant(2015, 1, 1), last: Date::constant(2026, 12, 31) };
    let mut conn = world.app.pg.conn().await.expect("a connection");
    let days = booking::db::working_calendar::list(&mut conn, "CN", all).await.expect("days");
    let calendar = Calendar::new(&days);
    let is_worked =
        |date| calendar.worked_as(date).is_some_and(|as_if| !matches!(as_if, Weekday::Saturday | Weekday::Sunday));
    let mut checked = 0;
    for line in include_str!("china_workdays.txt").lines().filter(|line| !line.starts_with('#')) {
        let (month, worked) = line.split_once(' ').expect("a month and its days");
        for (digit, number) in worked.chars().zip(1..) {
            let date: Date = format!("{month}-{number:02}").parse().expect("a date");
            assert_eq!(is_worked(date), digit == '1', "{date}");
            checked += 1;
        }
    }
    assert_eq!(checked, 3_653);
    // 2025 has 28 days off and 5 to make up, 2026 has 33 and 6, as announced.
    for (year, off, made_up) in [(2025, 28, 5), (2026, 33, 6)] {
        let of = |worked: bool| days.iter().filter(|d| d.date.year() == year && is_worked(d.date) == worked).count();
        assert_eq!((of(false), of(true)), (off, made_up), "{year}");
    }
}

#[tokio::test]
async fn whoever_follows_it_has_his_shifts_changed() {
    let world = World::new(0, 1).await;
    let lin = world.create_therapist("Lin", "thai").await.name;
    let mut shifts = weekly(1..=4, &hours(600, 1_080, &[]));
    shifts.extend(weekly([5], &hours(840, 1_080, &[])));
    let pattern = pb::ShiftPattern {
        therapist: lin.clone(),
        start_date: day(0),
        shifts,
        follows_calendar: "workingCalendars/CN".to_owned(),
        ..pb::ShiftPattern::default()
    };
    world.send_pattern(pattern).await.expect("a pattern");
    let starts = async || -> Vec<i64> {
        let shifts = world.shifts_of(&lin, at(0), at(24 * 14)).await;
        shifts.iter().map(|it| (it.start_time.as_ref().expect("a start").seconds - at(0).as_second()) / 3_600).collect()
    };
    let ordinary: Vec<i64> =
        [0, 1, 2, 3, 4, 7, 8, 9, 10, 11].iter().map(|d| d * 24 + if d % 7 == 4 { 4 } else { 0 }).collect();
    assert_eq!(starts().await, ordinary);
    // Thursday and Friday are off; Saturday is worked as the Friday.
    let reply = set(&world, vec![holiday(3), holiday(4), make_up(5, day(4))]).await.expect("set");
    assert_eq!(reply.days.len(), 3);
    let moved: Vec<i64> = [0, 24, 48, 5 * 24 + 4, 168, 192, 216, 240, 11 * 24 + 4].to_vec();
    assert_eq!(starts().await, moved);
    assert_eq!(world.untold().await, 0);
    // A visit on the make-up day stands in the way of taking it away again.
    let booking = world.send_hold(&member().1, world.hold(at(5 * 24 + 5))).await.expect("held");
    assert_eq!(stranded(&set(&world, Vec::new()).await.expect_err("stranded")), std::slice::from_ref(&booking.name));
    assert_eq!(starts().await, moved);
    world.cancel(&world.admin, &booking.name).await.expect("cancelled");
    set(&world, Vec::new()).await.expect("set");
    assert_eq!(starts().await, ordinary);
}

#[tokio::test]
async fn days_that_cannot_be() {
    let world = World::new(0, 0).await;
    let cases = [
        ("days[0].date", vec![holiday(14)]),
        ("days[1].date", vec![holiday(3), holiday(3)]),
        ("days[0].replaces", vec![make_up(5, None)]),
        ("days[0].replaces", vec![pb::CalendarDay { replaces: day(1), ..holiday(5) }]),
        ("days[0].kind", vec![pb::CalendarDay { kind: 0, ..holiday(5) }]),
    ];
    for (wrong, days) in cases {
        assert_eq!(field(&set(&world, days).await.expect_err(wrong)), wrong);
    }
    let list = pb::ListCalendarDaysRequest {
        calendar: "workingCalendars/CN".to_owned(),
        start_date: Some(PbDate { year: 2026, month: 2, day: 1 }),
        end_date: Some(PbDate { year: 2026, month: 2, day: 30 }),
    };
    let refused =
        world.roster().list_calendar_days(with_token(list.clone(), &world.admin)).await.expect_err("30 February");
    assert_eq!(field(&refused), "end_date");
    let list = pb::ListCalendarDaysRequest { end_date: Some(PbDate { year: 2026, month: 2, day: 28 }), ..list };
    let days =
        world.roster().list_calendar_days(with_token(list, &world.admin)).await.expect("a list").into_inner().days;
    assert_eq!(
        (days.len(), days[0].kind(), days[0].date.as_ref().map(|date| date.day)),
        (11, Kind::MakeUpWorkday, Some(14))
    );
}
