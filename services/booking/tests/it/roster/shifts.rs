//! Single shifts and the dates about which people decide.

use proto::booking::v1 as pb;
use rpc::convert::to_timestamp;
use testkit::with_token;
use tonic::{Code, Response, Status};

use super::{day, hours, stranded, weekly};
use crate::world::{World, at, field, id, member, reason};

async fn move_shift(world: &World, shift: &pb::Shift, start: i64, end: i64) -> Result<pb::Shift, Status> {
    let shift =
        pb::Shift { start_time: Some(to_timestamp(at(start))), end_time: Some(to_timestamp(at(end))), ..shift.clone() };
    let request = pb::UpdateShiftRequest { shift: Some(shift), update_mask: None, request_id: id() };
    world.roster().update_shift(with_token(request, &world.admin)).await.map(Response::into_inner)
}

#[tokio::test]
async fn a_shift_is_moved_and_its_date_is_left_alone_from_then_on() {
    let world = World::new(0, 1).await;
    let (lin, pattern) = world.with_pattern(weekly(1..=7, &hours(600, 1_080, &[(720, 750), (900, 930)]))).await;
    let first = world.shifts_of(&lin, at(24), at(36)).await.remove(0);
    let moved = move_shift(&world, &first, 28, 34).await.expect("moved");
    assert_ne!(moved.etag, first.etag);
    let breaks = "select count(*) from block join shift on shift.id = shift_id where shift.version = 2";
    assert_eq!(world.count(breaks).await, 1, "one of its breaks lies in it");
    let stale = move_shift(&world, &first, 26, 34).await.expect_err("stale");
    assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
    let long = move_shift(&world, &moved, 24, 41).await.expect_err("17 hours");
    assert_eq!(field(&long), "shift.end_time");
    let onto = move_shift(&world, &moved, 44, 50).await.expect_err("the next day's");
    assert_eq!(reason(&onto), "SHIFT_OVERLAPS");
    let other = pb::ShiftPattern { shifts: weekly(1..=7, &hours(600, 660, &[])), ..pattern };
    world.update_pattern(other).await.expect("changed");
    assert_eq!(world.shifts_of(&lin, at(24), at(36)).await, [moved]);
    assert_eq!((world.untold().await, world.overlaps().await), (0, 0));
}

#[tokio::test]
async fn no_edit_of_a_shift_strands_a_visit() {
    let world = World::new(1, 1).await;
    let lin = world.therapists[0].clone();
    let booking = world.send_hold(&member().1, world.hold(at(25))).await.expect("held");
    let shift = world.shifts_of(&lin, at(24), at(38)).await.remove(0);
    assert_eq!(
        stranded(&world.delete_shift(&shift.name, &shift.etag).await.expect_err("stranded")),
        std::slice::from_ref(&booking.name)
    );
    let shorter = move_shift(&world, &shift, 24, 25).await.expect_err("stranded");
    assert_eq!(stranded(&shorter), std::slice::from_ref(&booking.name));
    let off = world.set_exception(&lin, 1, Vec::new()).await.expect_err("stranded");
    assert_eq!(stranded(&off), std::slice::from_ref(&booking.name));
    assert_eq!(world.shifts_of(&lin, at(24), at(38)).await, std::slice::from_ref(&shift));
    // As long as it is covered, the rest may go.
    let shift = move_shift(&world, &shift, 25, 26).await.expect("it still covers the visit");
    world.cancel(&world.admin, &booking.name).await.expect("cancelled");
    world.delete_shift(&shift.name, &shift.etag).await.expect("nobody is stranded");
    let gone = world.delete_shift(&shift.name, "").await.expect_err("twice");
    assert_eq!(gone.code(), Code::NotFound);
}

#[tokio::test]
async fn a_date_with_other_hours() {
    let world = World::new(0, 1).await;
    let (lin, _) = world.with_pattern(weekly(1..=7, &hours(600, 1_080, &[]))).await;
    let set =
        world.set_exception(&lin, 3, vec![hours(600, 720, &[]), hours(1_200, 120, &[(30, 45)])]).await.expect("set");
    assert_eq!((set.shifts.len(), set.note.as_str(), set.date), (2, "wedding", day(3)));
    // It reaches past midnight, into nobody's shift.
    assert_eq!(set.shifts[1].end_time.as_ref().expect("an end").seconds, at(3 * 24 + 16).as_second());
    let early = world.set_exception(&lin, 4, vec![hours(60, 300, &[])]).await.expect_err("the night before");
    assert_eq!(reason(&early), "SHIFT_OVERLAPS");
    let twice =
        world.set_exception(&lin, 5, vec![hours(600, 720, &[]), hours(700, 800, &[])]).await.expect_err("overlap");
    assert_eq!(field(&twice), "shifts[1]");
    let past = world.set_exception(&lin, -1, Vec::new()).await.expect_err("past");
    assert_eq!(field(&past), "date");
    let list = pb::ListShiftExceptionsRequest { therapist: lin.clone(), start_date: day(0), end_date: day(30) };
    let listed = world.roster().list_shift_exceptions(with_token(list, &world.admin)).await.expect("a list");
    assert_eq!(listed.into_inner().shift_exceptions, [set]);
    let clear = pb::ClearShiftExceptionRequest { therapist: lin, date: day(6), request_id: id() };
    let none = world.roster().clear_shift_exception(with_token(clear, &world.admin)).await.expect_err("none there");
    assert_eq!(none.code(), Code::NotFound);
}
