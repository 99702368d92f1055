//! The times at which a group can come.

use kernel::Timestamp;
use proto::booking::v1 as pb;

use super::{cancel, guests, hold, offsets, search, send};
use crate::world::{World, at, at_minute, member};

fn start(time: &pb::GroupTime) -> Timestamp {
    Timestamp::from_second(time.start_time.expect("a start").seconds).expect("in range")
}

/// Some visits of others, so that there are gaps.
async fn busy(world: &World, minutes: &[i64]) {
    for minute in minutes {
        world.send_hold(&member().1, world.hold(at_minute(*minute))).await.expect("held");
    }
}

/// For every start of half a day: it is offered exactly if it can be held, and then all get what was shown.
pub async fn offered_is_holdable(world: &World, guests: Vec<pb::GroupGuest>, within_minutes: i32) {
    let offered = search(world, guests.clone(), within_minutes, (at(0), at(6)), 1_000).await;
    let mut found = 0;
    for minute in (0..360).step_by(5) {
        let (_, token) = member();
        let shown = offered.iter().find(|time| start(time) == at_minute(minute));
        let request = pb::HoldGroupRequest { within_minutes, ..hold(world, guests.clone(), at_minute(minute)) };
        let held = send(world, &token, request).await;
        assert_eq!(
            held.is_ok(),
            shown.is_some(),
            "{} guests within {within_minutes}, minute {minute}: {held:?}",
            guests.len()
        );
        let (Ok(held), Some(shown)) = (held, shown) else { continue };
        assert_eq!((held.start_time, held.end_time), (shown.start_time, shown.end_time));
        for (booking, slot) in held.bookings.iter().zip(&shown.guests) {
            let kept = (&booking.start_time, &booking.therapist, &booking.list_price);
            assert_eq!(kept, (&slot.start_time, &slot.therapist, &slot.list_price));
            assert_eq!(booking.room, slot.parts[0].room);
            assert!(slot.therapists.contains(&slot.therapist));
        }
        let waited: i64 = offsets(held.start_time, held.bookings.iter().map(|of| of.start_time)).iter().sum();
        assert_eq!(i64::from(shown.waiting_minutes), waited);
        cancel(world, &token, &held.name).await.expect("given up");
        found += 1;
    }
    assert_eq!(found, offered.len());
    assert!((1..72).contains(&found), "some can be had and some not: {found}");
}

#[tokio::test]
async fn every_time_that_is_offered_can_be_held_and_no_other() {
    let world = World::new(3, 5).await;
    busy(&world, &[60, 85, 200, 330]).await;
    offered_is_holdable(&world, guests(&world, 2), 0).await;
    offered_is_holdable(&world, guests(&world, 3), 0).await;
    offered_is_holdable(&world, guests(&world, 3), 30).await;
    offered_is_holdable(&world, guests(&world, 4), 60).await;
}

#[tokio::test]
async fn so_it_is_for_guests_with_wishes() {
    let world = World::new(3, 3).await;
    busy(&world, &[60, 85, 330]).await;
    let mut three = guests(&world, 3);
    three[0].therapist.clone_from(&world.therapists[2]);
    three[2].therapist.clone_from(&world.therapists[0]);
    offered_is_holdable(&world, three.clone(), 0).await;
    offered_is_holdable(&world, three, 45).await;
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    let world = World::new(3, 3).await;
    busy(&world, &[60, 85, 200, 330]).await;
    for within in [0, 20] {
        let all = search(&world, guests(&world, 3), within, (at(0), at(60)), 1_000).await;
        assert!(all.len() > 100, "three days of times: {}", all.len());
        assert!(all.is_sorted_by_key(start));
        assert_eq!(search(&world, guests(&world, 3), within, (at(0), at(60)), 37).await, all);
    }
}

/// Nothing to be found for a month, for many guests who may start in many ways: the pages are empty, but they end.
#[tokio::test]
async fn a_search_in_vain_ends() {
    let world = World::new(3, 3).await;
    let mut many = guests(&world, 12);
    for (guest, therapist) in many.iter_mut().zip(world.therapists.iter().cycle()) {
        guest.therapist.clone_from(therapist);
    }
    assert!(search(&world, many, 60, (at(0), at(24 * 31)), 50).await.is_empty());
}

#[tokio::test]
async fn a_search_that_is_too_wide_is_refused() {
    let world = World::new(1, 1).await;
    let request = pb::SearchGroupTimesRequest {
        store: world.store.clone(),
        guests: guests(&world, 1),
        start_time: Some(rpc::convert::to_timestamp(at(0))),
        end_time: Some(rpc::convert::to_timestamp(at(24 * 3_650))),
        ..pb::SearchGroupTimesRequest::default()
    };
    let refused = world.groups().search_group_times(request).await.expect_err("ten years");
    assert_eq!(crate::world::field(&refused), "end_time");
}
