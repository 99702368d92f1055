//! Where guests are put, and when they start.

use proto::booking::v1 as pb;
use testkit::with_token;
use tonic::Code;

use super::{guests, hold, offsets, send};
use crate::world::{World, at, id, member, reason};

async fn room(world: &World, name: &str, parent: &str, position: i32) -> String {
    let room = pb::Room {
        store: world.store.clone(),
        display_name: name.to_owned(),
        kind: "massage".to_owned(),
        parent: parent.to_owned(),
        position,
        ..pb::Room::default()
    };
    let request = pb::CreateRoomRequest { room: Some(room), request_id: id() };
    world.catalog().create_room(with_token(request, &world.admin)).await.expect("a room").into_inner().name
}

fn rooms(group: &pb::BookingGroup) -> Vec<String> {
    let mut rooms: Vec<String> = group.bookings.iter().map(|booking| booking.room.clone()).collect();
    rooms.sort();
    rooms
}

#[tokio::test]
async fn guests_lie_side_by_side_if_they_can() {
    let world = World::new(4, 0).await;
    let first = room(&world, "a", "", 1).await;
    room(&world, "b", "", 9).await;
    let next_door = room(&world, "c", "", 2).await;
    let (_, token) = member();
    let two = send(&world, &token, hold(&world, guests(&world, 2), at(1))).await.expect("held");
    let mut expected = vec![first, next_door];
    expected.sort();
    assert_eq!(rooms(&two), expected);
    // Two beds of one room are nearer than any two rooms.
    let suite = room(&world, "suite", "", 20).await;
    let mut beds = vec![room(&world, "left", &suite, 1).await, room(&world, "right", &suite, 5).await];
    beds.sort();
    let two = send(&world, &token, hold(&world, guests(&world, 2), at(3))).await.expect("held");
    assert!(rooms(&two) == beds || rooms(&two) == expected, "{:?}", rooms(&two));
}

/// Two therapists serve four guests one pair after the other, if the second may wait for as long as the first takes.
#[tokio::test]
async fn who_may_wait_comes_in_the_second_wave() {
    let world = World::new(2, 4).await;
    let (_, token) = member();
    let four = hold(&world, guests(&world, 4), at(2));
    for within_minutes in [0, 30, 55] {
        let request = pb::HoldGroupRequest { within_minutes, request_id: id(), ..four.clone() };
        let refused = send(&world, &token, request).await.expect_err("too few at once");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "SLOT_TAKEN"));
    }
    let request = pb::HoldGroupRequest { within_minutes: 60, ..four };
    let held = send(&world, &token, request).await.expect("held");
    let starts = held.bookings.iter().map(|booking| booking.start_time);
    assert_eq!(offsets(held.start_time, starts), [0, 0, 60, 60]);
    assert_eq!(world.overlaps().await, 0);
}

#[tokio::test]
async fn who_could_start_at_once_does_not_wait() {
    let world = World::new(4, 4).await;
    let request = pb::HoldGroupRequest { within_minutes: 60, ..hold(&world, guests(&world, 4), at(2)) };
    let held = send(&world, &member().1, request).await.expect("held");
    assert_eq!(offsets(held.start_time, held.bookings.iter().map(|booking| booking.start_time)), [0; 4]);
}

/// One therapist is free a little later than the other: that guest waits for just so long.
#[tokio::test]
async fn nobody_waits_longer_than_he_must() {
    let world = World::new(2, 4).await;
    let (_, token) = member();
    let busy = world.send_hold(&token, world.hold(crate::world::at_minute(75))).await.expect("held");
    let request = pb::HoldGroupRequest { within_minutes: 60, ..hold(&world, guests(&world, 2), at(2)) };
    let held = send(&world, &token, request).await.expect("held");
    assert_eq!(offsets(held.start_time, held.bookings.iter().map(|booking| booking.start_time)), [0, 15]);
    assert_eq!(held.bookings[1].therapist, busy.therapist);
}
