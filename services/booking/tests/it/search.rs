//! Which times are offered.

use jiff::SignedDuration;
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

/// Also when the whole search is past, or lies beyond what can be booked.
#[tokio::test]
async fn where_nothing_can_be_booked_nothing_is_offered() {
    let world = World::new(1, 1).await;
    assert!(world.search(at(-24 * 20), at(-24 * 10)).await.is_empty());
    assert!(world.search(at(24 * 200), at(24 * 210)).await.is_empty());
    for far in ["0001-01-01T00:00:00Z", "9999-11-01T00:00:00Z"] {
        let from: Timestamp = far.parse().expect("an instant");
        assert!(world.search(from, from + SignedDuration::from_hours(24 * 30)).await.is_empty());
    }
}

/// At the far end too: the last time that is offered can be held, and the next can't.
#[tokio::test]
async fn what_can_be_booked_ends_where_the_offers_end() {
    let world = World::new(1, 1).await;
    world.clock.set(at(2));
    let end = at(2) + world.app.policy.bookable();
    let hour = SignedDuration::from_hours(1);
    world.create_shift(&world.therapists[0], end - hour, end + hour * 4).await.expect("a shift");
    let offered = starts(&world.search(end - hour, end + hour * 2).await);
    let (_, token) = member();
    let next = end + SignedDuration::from_mins(5);
    assert_eq!(offered.contains(&end), world.send_hold(&token, world.hold(end)).await.is_ok());
    assert!(!offered.contains(&next) && world.send_hold(&token, world.hold(next)).await.is_err());
    assert_eq!(offered.last(), Some(&end));
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

/// A wide search looks at few days first and at more as long as the page has room; nobody can tell.
#[tokio::test]
async fn a_wide_search_finds_what_searches_day_by_day_find() {
    let world = World::new(2, 2).await;
    let (_, token) = member();
    for hour in [1, 26, 49] {
        world.send_hold(&token, world.hold(at(hour))).await.expect("held");
    }
    let whole = world.search(at(0), at(24 * 20)).await;
    let mut by_day = Vec::new();
    for day in 0..20 {
        by_day.extend(world.search(at(24 * day), at(24 * (day + 1))).await);
    }
    assert!(whole.len() > 200, "three days of times: {}", whole.len());
    assert_eq!(whole, by_day);
}
