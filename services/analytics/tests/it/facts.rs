//! Events into facts and figures.

use analytics::domain::Feed;
use feed::Event;
use kernel::ids::{BookingId, StoreId};
use proto::payment::v1 as payment;
use testkit::START;
use tonic::Code;

use crate::world::{Chain, World, at, day, minor, unknown, yuan};

#[tokio::test]
async fn a_story_becomes_the_figures_of_its_day() {
    let (world, chain) = (World::new().await, Chain::new());
    for (feed, event) in chain.story(START) {
        world.apply(feed, &event).await;
    }
    let monday = day(2027, 3, 1);
    let days = world.figures(chain.store, monday, day(2027, 3, 3)).await.expect("figures");
    assert_eq!(days.len(), 3, "days without an event have a line too");
    let first = &days[0];
    assert_eq!((first.store.clone(), first.date), (chain.store.name(), Some(monday)));
    assert_eq!(first.bookings_by_state, [("STATE_COMPLETED".to_owned(), 1), ("STATE_CANCELLED".to_owned(), 1)].into());
    assert_eq!((first.rescheduled, first.moved, first.cancelled, first.no_shows), (1, 1, 1, 0));
    assert_eq!(minor(first.captured.as_ref()), 30_000);
    assert_eq!(minor(first.refunded.as_ref()), 10_000);
    assert_eq!(minor(first.revenue.as_ref()), 20_000);
    assert_eq!((first.new_members, first.points_earned, first.points_revoked), (1, 30, 10));
    assert_eq!((days[1].rescheduled, days[1].no_shows), (0, 1));
    assert_eq!(days[1].bookings_by_state, [("STATE_NO_SHOW".to_owned(), 1)].into());
    assert!(days[2].bookings_by_state.is_empty());
    for empty in &days[1..] {
        assert_eq!(empty.revenue.as_ref().map(|money| (money.currency_code.as_str(), money.units)), Some(("CNY", 0)));
        assert_eq!((empty.new_members, empty.points_earned, empty.points_revoked), (0, 0, 0));
    }
    for (table, rows) in
        [("fact_points", 3), ("fact_coupon", 2), ("fact_message", 2), ("fact_booking", 3), ("fact_booking_change", 4)]
    {
        assert_eq!(world.rows(table).await, rows, "{table}");
    }
}

#[tokio::test]
async fn whatever_the_order_of_arrival_the_last_version_stays() {
    let (world, chain) = (World::new().await, Chain::new());
    world.apply(Feed::Booking, &chain.store_changed(2, "Asia/Tokyo", "JPY")).await;
    world.apply(Feed::Booking, &chain.store_changed(1, "Asia/Shanghai", "CNY")).await;
    let visit = chain.visit(BookingId::new(START), START);
    for version in [3, 1, 2, 6, 4, 5] {
        world.apply(Feed::Booking, &visit[version - 1]).await;
    }
    let (monday, tuesday) = (day(2027, 3, 1), day(2027, 3, 2));
    let days = world.figures(chain.store, monday, tuesday).await.expect("figures");
    assert_eq!(days[0].bookings_by_state, [("STATE_COMPLETED".to_owned(), 1)].into());
    assert_eq!(days[0].revenue.as_ref().map(|money| money.currency_code.as_str()), Some("JPY"));
    let counted: i64 = world.positions().await.iter().map(|position| position.event_count).sum();
    assert_eq!(counted, 8, "an event that came too late to matter is counted all the same");
}

#[tokio::test]
async fn a_booking_that_moves_to_another_day_leaves_its_old_one() {
    let (world, chain) = (World::new().await, Chain::new());
    world.apply(Feed::Booking, &chain.store_changed(1, "Asia/Shanghai", "CNY")).await;
    let id = BookingId::new(START);
    world.apply(Feed::Booking, &chain.visit(id, START)[0]).await;
    world.apply(Feed::Booking, &chain.visit(id, at("2027-03-02T02:00:00Z"))[2]).await;
    let days = world.figures(chain.store, day(2027, 3, 1), day(2027, 3, 2)).await.expect("figures");
    assert!(days[0].bookings_by_state.is_empty());
    assert_eq!(days[1].bookings_by_state, [("STATE_CONFIRMED".to_owned(), 1)].into());
}

#[tokio::test]
async fn a_refund_counts_on_its_own_day() {
    let (world, chain) = (World::new().await, Chain::new());
    world.apply(Feed::Booking, &chain.store_changed(1, "Asia/Shanghai", "CNY")).await;
    let visit = BookingId::new(START);
    world.apply(Feed::Payment, &chain.captured(visit, 2, START, yuan(60))).await;
    world.apply(Feed::Payment, &chain.refunded(visit, 3, at("2027-03-03T03:00:00Z"), yuan(60))).await;
    let days = world.figures(chain.store, day(2027, 3, 1), day(2027, 3, 3)).await.expect("figures");
    let revenue: Vec<i64> = days.iter().map(|day| minor(day.revenue.as_ref())).collect();
    assert_eq!(revenue, [6_000, 0, -6_000]);
}

#[tokio::test]
async fn currencies_and_stores_are_not_mixed() {
    let (world, chain) = (World::new().await, Chain::new());
    let elsewhere = Chain { store: StoreId::new(START), ..chain };
    world.apply(Feed::Booking, &chain.store_changed(1, "Asia/Shanghai", "CNY")).await;
    let visit = BookingId::new(START);
    let dollars = kernel::Money::new(5_000, kernel::Currency::parse("currency", "USD").expect("known"));
    world.apply(Feed::Payment, &chain.captured(visit, 2, START, yuan(60))).await;
    world.apply(Feed::Payment, &chain.captured(visit, 3, START, dollars)).await;
    world.apply(Feed::Payment, &elsewhere.captured(visit, 4, START, yuan(7))).await;
    let days = world.figures(chain.store, day(2027, 3, 1), day(2027, 3, 1)).await.expect("figures");
    assert_eq!(minor(days[0].captured.as_ref()), 6_000);
    let refusal = world.figures(elsewhere.store, day(2027, 3, 1), day(2027, 3, 1)).await.expect_err("never heard of");
    assert_eq!(refusal.code(), Code::NotFound);
}

#[tokio::test]
async fn what_is_paid_ahead_is_no_turnover_yet() {
    let (world, chain) = (World::new().await, Chain::new());
    world.apply(Feed::Booking, &chain.store_changed(1, "Asia/Shanghai", "CNY")).await;
    let order = chain.paid_ahead(START);
    let captured = payment::PaymentCaptured { order: Some(order.1.clone()), ..Default::default() };
    world.apply(Feed::Payment, &Event::new(order.0.uuid(), 2, START, &captured)).await;
    let refunded = payment::RefundSucceeded { order: Some(order.1), ..Default::default() };
    world.apply(Feed::Payment, &Event::new(order.0.uuid(), 3, START, &refunded)).await;
    let days = world.figures(chain.store, day(2027, 3, 1), day(2027, 3, 1)).await.expect("figures");
    assert_eq!((minor(days[0].captured.as_ref()), minor(days[0].refunded.as_ref())), (0, 0));
}

#[tokio::test]
async fn an_event_that_is_not_known_is_only_counted() {
    let world = World::new().await;
    world.apply(Feed::Booking, &unknown()).await;
    let positions = world.positions().await;
    assert_eq!(positions.len(), 16, "four feeds of four partitions");
    assert_eq!(positions.iter().map(|position| position.event_count).sum::<i64>(), 1);
    let one = positions.iter().find(|position| position.event_count == 1).expect("counted");
    assert_eq!(one.feed, "booking");
    assert_eq!(one.last_occur_time, Some(rpc::convert::to_timestamp(START)));
    assert!(positions.iter().all(|position| position.event_count == 1 || position.last_occur_time.is_none()));
}

#[tokio::test]
async fn an_event_that_can_not_be_read_changes_nothing() {
    let (world, chain) = (World::new().await, Chain::new());
    let mut event = chain.registered(START);
    event.payload = vec![0xff].into();
    assert!(world.try_apply(Feed::Membership, &event).await.is_err());
    assert_eq!(world.positions().await.iter().map(|position| position.event_count).sum::<i64>(), 0);
}
