//! Which times are offered.

use kernel::Timestamp;
use proto::booking::v1 as pb;
use rpc::convert::{timestamp, to_timestamp};

use crate::world::{World, at, at_minute, member};

fn starts(slots: &[pb::Slot]) -> Vec<Timestamp> {
    slots.iter().map(|slot| timestamp("start_time", slot.start_time.as_ref()).expect("a start")).collect()
}

#[tokio::test]
async fn an_idle_day_offers_every_five_minutes_of_it_and_no_more() {
    let world = World::new(2, 2).await;
    let slots = world.search(at(0), at(24)).await;
    let starts = starts(&slots);
    assert_eq!((starts.first(), starts.last()), (Some(&at(0)), Some(&at(11))));
    assert_eq!(starts.len(), 11 * 12 + 1);
    assert!(slots.iter().all(|slot| slot.therapists == world.therapists));
}

#[tokio::test]
async fn what_is_held_is_not_offered_with_its_preparation_and_cleaning() {
    let world = World::new(2, 1).await;
    let (_, token) = member();
    world.send_hold(&token, world.hold(at(2))).await.expect("held");
    let starts = starts(&world.search(at(0), at(24)).await);
    // The one room is taken from 5 minutes before to 10 minutes after: the next may start 75 minutes later.
    assert!(starts.contains(&at_minute(120 - 75)) && !starts.contains(&at_minute(120 - 70)));
    assert!(starts.contains(&at_minute(120 + 75)) && !starts.contains(&at_minute(120 + 70)));
}

#[tokio::test]
async fn the_past_is_not_offered() {
    let world = World::new(1, 1).await;
    world.clock.set(at_minute(182));
    assert_eq!(starts(&world.search(at(0), at(24)).await).first(), Some(&at_minute(185)));
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    let world = World::new(1, 1).await;
    let all = starts(&world.search(at(0), at(48)).await);
    let (mut token, mut seen) = (String::new(), Vec::new());
    loop {
        let request = pb::SearchSlotsRequest {
            store: world.store.clone(),
            item: world.item.clone(),
            start_time: Some(to_timestamp(at(0))),
            end_time: Some(to_timestamp(at(48))),
            page_size: 37,
            page_token: token,
            ..pb::SearchSlotsRequest::default()
        };
        let page = world.bookings().search_slots(request).await.expect("a page").into_inner();
        seen.extend(starts(&page.slots));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, all);
}

/// The same code answers "which times?" and "this time?" through different paths; here they meet at the API.
#[tokio::test]
async fn every_offered_time_can_be_held_and_no_other() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    world.send_hold(&token, world.hold(at(3))).await.expect("held");
    let offered = starts(&world.search(at(1), at(6)).await);
    for minute in (60..360).step_by(25) {
        let start = at_minute(minute);
        let held = world.send_hold(&token, world.hold(start)).await;
        assert_eq!(held.is_ok(), offered.contains(&start), "{start}: {held:?}");
        if let Ok(booking) = held {
            world.cancel(&token, &booking.name).await.expect("cancelled");
        }
    }
}
