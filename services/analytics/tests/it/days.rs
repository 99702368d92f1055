//! What a day is.

use analytics::domain::Feed;
use kernel::{Timestamp, ids::BookingId};

use crate::world::{Chain, World, at, day, minor, yuan};

/// Takes one yuan at each of `times` and tells the takings of the days from `start` to `end`, in yuan.
async fn takings(
    world: &World,
    zone: &str,
    times: &[Timestamp],
    start: (i32, i32, i32),
    end: (i32, i32, i32),
) -> Vec<i64> {
    let chain = Chain::new();
    world.apply(Feed::Booking, &chain.store_changed(1, zone, "CNY")).await;
    for time in times {
        world.apply(Feed::Payment, &chain.captured(BookingId::new(*time), 2, *time, yuan(1))).await;
    }
    let days = world.figures(chain.store, day(start.0, start.1, start.2), day(end.0, end.1, end.2)).await;
    days.expect("figures").iter().map(|day| minor(day.captured.as_ref()) / 100).collect()
}

#[tokio::test]
async fn one_moment_is_two_days_in_two_zones() {
    let world = World::new().await;
    // 23:59:59.999999 and 00:00 in Shanghai; both are the day before in Los Angeles.
    let times = [at("2027-03-01T15:59:59.999999Z"), at("2027-03-01T16:00:00Z")];
    let (start, end) = ((2027, 3, 1), (2027, 3, 2));
    assert_eq!(takings(&world, "Asia/Shanghai", &times, start, end).await, [1, 1]);
    assert_eq!(takings(&world, "America/Los_Angeles", &times, start, end).await, [2, 0]);
}

#[tokio::test]
async fn the_ends_of_the_period_hold_in_the_farthest_zones() {
    let world = World::new().await;
    // UTC+14: its 1 March begins on 28 February, 10:00 UTC. UTC-11: its 1 March ends on 2 March, 11:00 UTC.
    let east = [
        at("2027-02-28T09:59:59Z"),
        at("2027-02-28T10:00:00Z"),
        at("2027-03-01T09:59:59Z"),
        at("2027-03-01T10:00:00Z"),
    ];
    let west = [
        at("2027-03-01T10:59:59Z"),
        at("2027-03-01T11:00:00Z"),
        at("2027-03-02T10:59:59Z"),
        at("2027-03-02T11:00:00Z"),
    ];
    let monday = (2027, 3, 1);
    assert_eq!(takings(&world, "Pacific/Kiritimati", &east, monday, monday).await, [2]);
    assert_eq!(takings(&world, "Pacific/Pago_Pago", &west, monday, monday).await, [2]);
}

#[tokio::test]
async fn days_on_which_the_clock_changes_are_shorter_and_longer() {
    let world = World::new().await;
    // Berlin, 28 March 2027: 23 hours, from 23:00 UTC the day before (UTC+1) to 22:00 UTC (UTC+2).
    let spring = [
        at("2027-03-27T22:59:59Z"),
        at("2027-03-27T23:00:00Z"),
        at("2027-03-28T21:59:59Z"),
        at("2027-03-28T22:00:00Z"),
    ];
    assert_eq!(takings(&world, "Europe/Berlin", &spring, (2027, 3, 27), (2027, 3, 29)).await, [1, 2, 1]);
    // 31 October 2027: 25 hours, from 22:00 UTC the day before to 23:00 UTC.
    let autumn = [
        at("2027-10-30T21:59:59Z"),
        at("2027-10-30T22:00:00Z"),
        at("2027-10-31T22:59:59Z"),
        at("2027-10-31T23:00:00Z"),
    ];
    assert_eq!(takings(&world, "Europe/Berlin", &autumn, (2027, 10, 30), (2027, 11, 1)).await, [1, 2, 1]);
}

#[tokio::test]
async fn a_midnight_that_comes_twice_opens_its_day_once() {
    let world = World::new().await;
    // Havana, 7 November 2027: at 05:00 UTC it is 01:00 for the first time and goes back to 00:00.
    let times = [at("2027-11-07T03:59:59Z"), at("2027-11-07T04:00:00Z"), at("2027-11-07T05:00:00Z")];
    assert_eq!(takings(&world, "America/Havana", &times, (2027, 11, 6), (2027, 11, 7)).await, [1, 2]);
    assert_eq!(takings(&world, "America/Havana", &times, (2027, 11, 7), (2027, 11, 7)).await, [2]);
}

#[tokio::test]
async fn every_day_of_a_year_has_its_line() {
    let (world, chain) = (World::new().await, Chain::new());
    world.apply(Feed::Booking, &chain.store_changed(1, "Europe/Berlin", "EUR")).await;
    let days = world.figures(chain.store, day(2028, 1, 1), day(2029, 1, 1)).await.expect("366 days apart");
    assert_eq!(days.len(), 367);
    assert_eq!(days[59].date, Some(day(2028, 2, 29)));
    assert_eq!(days[366].date, Some(day(2029, 1, 1)));
    assert_eq!(days[0].revenue.as_ref().map(|money| money.currency_code.as_str()), Some("EUR"));
}
