//! Visits that went otherwise than planned: told apart, and counted once.

use analytics::domain::Feed;
use feed::Event;
use kernel::ids::BookingId;
use testkit::START;

use crate::world::{Chain, World, at, day};

/// Rescheduled, moved, cancelled, and visits that nobody came to, of each day.
async fn counts(world: &World, chain: &Chain) -> Vec<(i64, i64, i64, i64)> {
    let days = world.figures(chain.store, day(2027, 3, 1), day(2027, 3, 3)).await.expect("figures");
    days.iter().map(|day| (day.rescheduled, day.moved, day.cancelled, day.no_shows)).collect()
}

#[tokio::test]
async fn a_visit_rescheduled_is_none_cancelled() {
    let (world, chain) = (World::new().await, Chain::new());
    world.apply(Feed::Booking, &chain.store_changed(1, "Asia/Shanghai", "CNY")).await;
    let (id, tuesday, wednesday) = (BookingId::new(START), at("2027-03-02T02:00:00Z"), at("2027-03-03T02:00:00Z"));
    world.apply(Feed::Booking, &chain.visit(id, START)[2]).await;
    world.apply(Feed::Booking, &chain.rescheduled(id, 4, START, tuesday, START)).await;
    world.apply(Feed::Booking, &chain.moved(id, 5, tuesday, wednesday, tuesday)).await;
    // On the day of the change; the visit itself is on Wednesday now.
    assert_eq!(counts(&world, &chain).await, [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 0)]);
    world.apply(Feed::Booking, &chain.missed(id, 6, wednesday, at("2027-03-03T02:15:00Z"))).await;
    assert_eq!(counts(&world, &chain).await, [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 1)]);
    let other = BookingId::new(START);
    world.apply(Feed::Booking, &chain.cancelled(other, 4, wednesday)).await;
    assert_eq!(counts(&world, &chain).await, [(1, 0, 1, 0), (0, 1, 0, 0), (0, 0, 0, 1)]);
    let befores: Vec<jiff_sqlx::Timestamp> = sqlx::query_scalar(
        "select start_before from fact_booking_change where start_before is not null order by version",
    )
    .fetch_all(world.db.pg.pool())
    .await
    .expect("changes");
    assert_eq!(befores.into_iter().map(jiff_sqlx::Timestamp::to_jiff).collect::<Vec<_>>(), [START, tuesday]);
}

#[tokio::test]
async fn changes_count_once_in_whatever_order_they_come() {
    let (world, chain) = (World::new().await, Chain::new());
    world.apply(Feed::Booking, &chain.store_changed(1, "Asia/Shanghai", "CNY")).await;
    let (id, tuesday) = (BookingId::new(START), at("2027-03-02T02:00:00Z"));
    let missed = chain.missed(id, 6, tuesday, tuesday);
    let rescheduled = chain.rescheduled(id, 4, START, tuesday, START);
    for event in [&missed, &rescheduled, &rescheduled, &missed] {
        world.apply(Feed::Booking, event).await;
    }
    assert_eq!(counts(&world, &chain).await, [(1, 0, 0, 0), (0, 0, 0, 1), (0, 0, 0, 0)]);
}

/// Every event about a visit is read: a sort of event that is new must not be counted without its facts.
#[tokio::test]
async fn every_event_about_a_visit_is_known() {
    let (world, chain) = (World::new().await, Chain::new());
    let types = testkit::events_about("meridian.booking.v1", "BookingFacts");
    assert!(types.len() >= 13, "{types:?}");
    for (count, type_name) in (1..).zip(types) {
        // All of them carry the visit as their first field.
        let held = chain.visit(BookingId::new(START), START).remove(0);
        world.apply(Feed::Booking, &Event { type_name: type_name.clone(), ..held }).await;
        assert_eq!(world.rows("fact_booking").await, count, "{type_name}");
    }
    let counted: i64 = world.positions().await.iter().map(|position| position.event_count).sum();
    assert_eq!(counted, world.rows("fact_booking").await);
}
