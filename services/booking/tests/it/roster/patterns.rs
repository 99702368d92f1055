//! The hours of each week.

use booking::worker::extend_rosters;
use jiff::SignedDuration;
use proto::booking::v1 as pb;
use testkit::with_token;
use tonic::Code;

use super::{MONDAY, day, hours, stranded, weekly};
use crate::world::{World, at, at_minute, daily, field, id, member, reason};

/// The last of 92 days and the day after it, so that it is made wherever the store is.
const AHEAD: i32 = 93;

#[tokio::test]
async fn a_pattern_becomes_shifts_for_all_days_that_can_be_booked() {
    let world = World::new(0, 2).await;
    let (lin, pattern) = world.with_pattern(weekly(1..=5, &hours(600, 1_080, &[(780, 840)]))).await;
    let weekdays = (0..=AHEAD)
        .filter(|after| {
            let date = MONDAY.checked_add(jiff::Span::new().days(*after)).expect("in range");
            date.weekday().to_monday_one_offset() <= 5
        })
        .count();
    assert_eq!(world.count("select count(*) from shift").await, i64::try_from(weekdays).expect("small"));
    let week = world.shifts_of(&lin, at(0), at(7 * 24)).await;
    assert_eq!(week.len(), 5);
    assert!(week.iter().all(|shift| shift.shift_pattern == pattern.name));
    assert_eq!(world.untold().await, 0);

    // A treatment of an hour fits before the break and after it, not into it.
    let starts: Vec<i64> = world
        .search(at(7 * 24), at(7 * 24 + 12))
        .await
        .iter()
        .map(|slot| (slot.start_time.as_ref().expect("a start").seconds - at(7 * 24).as_second()) / 60)
        .collect();
    assert!(starts.contains(&120) && starts.contains(&240) && starts.contains(&420), "{starts:?}");
    assert!(starts.iter().all(|start| *start <= 120 || (240..=420).contains(start)), "{starts:?}");
    let refused = world.send_hold(&member().1, world.hold_with(&lin, at(7 * 24 + 3))).await.expect_err("a break");
    assert_eq!(reason(&refused), "SLOT_TAKEN");
}

#[tokio::test]
async fn the_worker_makes_the_days_that_come_within_reach_and_nothing_twice() {
    let world = World::new(0, 1).await;
    let (lin, _) = world.with_pattern(weekly(1..=7, &hours(600, 1_080, &[]))).await;
    let shifts = "select count(*) from shift";
    let before = world.count(shifts).await;
    assert_eq!(extend_rosters(&world.app).await.expect("a step"), 0);
    world.clock.set(testkit::START + SignedDuration::from_hours(48));
    assert_eq!(extend_rosters(&world.app).await.expect("a step"), 1);
    assert_eq!(extend_rosters(&world.app).await.expect("a step"), 0);
    assert_eq!(world.count(shifts).await, before + 2);
    assert_eq!(world.shifts_of(&lin, at(24 * 90), at(24 * 96)).await.len(), 6);
    assert_eq!(world.untold().await, 0);
}

#[tokio::test]
async fn a_change_keeps_exceptions_and_is_made_at_once() {
    let world = World::new(0, 1).await;
    let (lin, pattern) = world.with_pattern(weekly(1..=7, &hours(600, 1_080, &[]))).await;
    world.set_exception(&lin, 2, Vec::new()).await.expect("off");
    world.set_exception(&lin, 3, vec![hours(720, 900, &[])]).await.expect("other hours");
    let later = pb::ShiftPattern { shifts: weekly(1..=7, &hours(840, 1_320, &[])), ..pattern.clone() };
    let changed = world.update_pattern(later).await.expect("changed");
    assert_ne!(changed.etag, pattern.etag);
    let minutes: Vec<i64> = world
        .shifts_of(&lin, at(0), at(5 * 24))
        .await
        .iter()
        .map(|shift| (shift.start_time.as_ref().expect("a start").seconds - at(0).as_second()) / 60)
        .collect();
    assert_eq!(minutes, [240, 1_440 + 240, 3 * 1_440 + 120, 4 * 1_440 + 240]);
    // Given back, the two dates follow the pattern.
    for after in [2, 3] {
        let request = pb::ClearShiftExceptionRequest { therapist: lin.clone(), date: day(after), request_id: id() };
        world.roster().clear_shift_exception(with_token(request, &world.admin)).await.expect("cleared");
    }
    assert_eq!(world.shifts_of(&lin, at(0), at(5 * 24)).await.len(), 5);
    assert_eq!(world.untold().await, 0);
}

#[tokio::test]
async fn a_change_that_strands_a_visit_names_it_and_changes_nothing() {
    let world = World::new(0, 2).await;
    let (lin, pattern) = world.with_pattern(weekly(1..=7, &hours(600, 1_080, &[]))).await;
    let booking = world.send_hold(&member().1, world.hold_with(&lin, at(49))).await.expect("held");
    let shifts = world.shifts_of(&lin, at(0), at(24 * 60)).await;
    let later = pb::ShiftPattern { shifts: weekly(1..=7, &hours(840, 1_320, &[])), ..pattern.clone() };
    assert_eq!(
        stranded(&world.update_pattern(later).await.expect_err("stranded")),
        std::slice::from_ref(&booking.name)
    );
    let pause = pb::ShiftPattern { shifts: weekly(1..=7, &hours(600, 1_080, &[(690, 720)])), ..pattern.clone() };
    assert_eq!(
        stranded(&world.update_pattern(pause).await.expect_err("stranded")),
        std::slice::from_ref(&booking.name)
    );
    let delete = |etag: &str| pb::DeleteShiftPatternRequest {
        name: pattern.name.clone(),
        etag: etag.to_owned(),
        request_id: id(),
    };
    let refused = world.roster().delete_shift_pattern(with_token(delete(""), &world.admin)).await;
    assert_eq!(stranded(&refused.expect_err("stranded")), [booking.name]);
    assert_eq!(world.shifts_of(&lin, at(0), at(24 * 60)).await, shifts);

    let stale = world.roster().delete_shift_pattern(with_token(delete("7"), &world.admin)).await.expect_err("stale");
    assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
    assert_eq!(world.count("select count(*) from audit_entry where action like 'shift_pattern.%'").await, 1);
    // What is over stays on record when it goes.
    world.clock.set(at(24 * 10));
    let gone = delete(&pattern.etag);
    world.roster().delete_shift_pattern(with_token(gone.clone(), &world.admin)).await.expect("deleted");
    world.roster().delete_shift_pattern(with_token(gone, &world.admin)).await.expect("the same answer");
    assert_eq!(world.shifts_of(&lin, at(0), at(24 * 60)).await.len(), 10);
}

#[tokio::test]
async fn a_therapist_has_one_pattern_at_a_time() {
    let world = World::new(0, 1).await;
    let (lin, pattern) = world.with_pattern(weekly([1], &hours(600, 1_080, &[]))).await;
    let next = pb::ShiftPattern {
        therapist: lin.clone(),
        start_date: day(14),
        shifts: weekly([2], &hours(600, 1_080, &[])),
        ..pb::ShiftPattern::default()
    };
    let refused = world.send_pattern(next.clone()).await.expect_err("overlaps");
    assert_eq!(reason(&refused), "PATTERN_OVERLAPS");
    world.update_pattern(pb::ShiftPattern { end_date: day(13), ..pattern }).await.expect("it ends");
    world.send_pattern(next).await.expect("the next");
    let days: Vec<i64> = world
        .shifts_of(&lin, at(0), at(24 * 28))
        .await
        .iter()
        .map(|shift| (shift.start_time.as_ref().expect("a start").seconds - at(0).as_second()) / 86_400)
        .collect();
    assert_eq!(days, [0, 7, 15, 22]);
    let list = pb::ListShiftPatternsRequest { store: world.store.clone(), page_size: 1, ..Default::default() };
    let first = world.roster().list_shift_patterns(with_token(list.clone(), &world.admin)).await.expect("a page");
    let first = first.into_inner();
    let list = pb::ListShiftPatternsRequest { page_token: first.next_page_token, ..list };
    let second = world.roster().list_shift_patterns(with_token(list, &world.admin)).await.expect("a page").into_inner();
    let starts: Vec<_> = first.shift_patterns.into_iter().chain(second.shift_patterns).map(|p| p.start_date).collect();
    assert_eq!((starts, second.next_page_token.as_str()), (vec![day(0), day(14)], ""));
}

/// From 20:00 to 04:00, with a break at 01:00, in a shop that is open all night.
#[tokio::test]
async fn a_night_shift_serves_the_night() {
    let world = World::new(0, 1).await;
    let (lin, _) = world.with_pattern(weekly(1..=7, &hours(1_200, 240, &[(60, 90)]))).await;
    let shift = world.shifts_of(&lin, at(24), at(48)).await.into_iter().next_back().expect("a shift");
    assert_eq!(shift.start_time.expect("a start").seconds, at(34).as_second());
    assert_eq!(shift.end_time.expect("an end").seconds, at(42).as_second());
    let blocks = pb::ListBlocksRequest {
        store: world.store.clone(),
        start_time: Some(rpc::convert::to_timestamp(at(34))),
        end_time: Some(rpc::convert::to_timestamp(at(42))),
        ..Default::default()
    };
    let blocks = world.roster().list_blocks(with_token(blocks, &world.admin)).await.expect("a list").into_inner();
    let pause = &blocks.blocks[0];
    assert_eq!((blocks.blocks.len(), pause.derived, pause.kind()), (1, true, pb::block::Kind::Break));
    assert_eq!(pause.start_time.as_ref().expect("a start").seconds, at_minute(39 * 60).as_second());
}

/// In Berlin clocks are set forward in the night to 28 March 2027.
#[tokio::test]
async fn the_night_of_a_clock_change_is_an_hour_shorter() {
    let mut world = World::new(0, 0).await;
    world.store = world.create_store(daily(0, 24), "Europe/Berlin").await.expect("a store").name;
    let (lin, _) = world.with_pattern(weekly(1..=7, &hours(1_320, 360, &[]))).await;
    let shifts = world.shifts_of(&lin, at(24 * 20), at(24 * 35)).await;
    let seconds = |at: &Option<prost_types::Timestamp>| at.as_ref().expect("a time").seconds;
    let lengths: Vec<i64> = shifts.iter().map(|it| (seconds(&it.end_time) - seconds(&it.start_time)) / 3_600).collect();
    assert_eq!((lengths.iter().filter(|hours| **hours == 7).count(), lengths.iter().min()), (1, Some(&7)));
    assert!(lengths.iter().all(|hours| (7..=8).contains(hours)), "{lengths:?}");
    let short = shifts.iter().find(|it| seconds(&it.end_time) - seconds(&it.start_time) == 7 * 3_600);
    let night = "2027-03-27T21:00:00Z".parse::<kernel::Timestamp>().expect("a timestamp");
    assert_eq!(seconds(&short.expect("a short night").start_time), night.as_second());
}

#[tokio::test]
async fn patterns_that_cannot_be() {
    let world = World::new(1, 1).await;
    let good = pb::ShiftPattern {
        therapist: world.therapists[0].clone(),
        start_date: day(10),
        shifts: weekly([1], &hours(600, 1_080, &[])),
        ..pb::ShiftPattern::default()
    };
    let with = |hours: pb::WorkingHours| pb::ShiftPattern { shifts: weekly([1], &hours), ..good.clone() };
    let cases = [
        ("shift_pattern.therapist", pb::ShiftPattern { therapist: "lin".to_owned(), ..good.clone() }),
        ("shift_pattern.start_date", pb::ShiftPattern { start_date: None, ..good.clone() }),
        ("shift_pattern.end_date", pb::ShiftPattern { end_date: day(9), ..good.clone() }),
        ("shift_pattern.shifts", pb::ShiftPattern { shifts: Vec::new(), ..good.clone() }),
        (
            "shift_pattern.shifts[1]",
            pb::ShiftPattern { shifts: [good.shifts.clone(), good.shifts.clone()].concat(), ..good.clone() },
        ),
        ("shift_pattern.shifts[0].hours.end_time", with(hours(600, 600, &[]))),
        ("shift_pattern.shifts[0].hours.start_time", with(hours(1_440, 60, &[]))),
        ("shift_pattern.shifts[0].hours.breaks[0]", with(hours(600, 700, &[(690, 710)]))),
        ("shift_pattern.follows_calendar", pb::ShiftPattern { follows_calendar: "CN".to_owned(), ..good.clone() }),
        (
            "shift_pattern.follows_calendar",
            pb::ShiftPattern { follows_calendar: "workingCalendars/XX".to_owned(), ..good.clone() },
        ),
    ];
    for (wrong, pattern) in cases {
        let refused = world.send_pattern(pattern).await.expect_err(wrong);
        assert_eq!((refused.code(), field(&refused).as_str()), (Code::InvalidArgument, wrong), "{refused:?}");
    }
    assert_eq!(world.count("select count(*) from shift_pattern").await, 0);
}
