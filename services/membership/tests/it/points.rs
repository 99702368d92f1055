//! Points.

use std::collections::HashMap;

use kernel::ids::{MemberId, OrderId};
use membership::worker::expire_points;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use proto::{
    access::Role,
    membership::v1::{ListPointsEntriesRequest, PointsEarned, PointsExpired, PointsRevoked, points_entry::Kind},
    payment::v1::{OrderCreated, OrderFacts, OrderPaid, RefundSucceeded},
};

use crate::world::*;

/// Earned, open, revoked and expired points of a member, by the lots; and what the entries and events add up to.
async fn reckon(world: &World, member: MemberId) -> [i64; 4] {
    let (earned, open, expired): (i64, i64, i64) = sqlx::query_as(
        "select coalesce(sum(earned), 0)::bigint, coalesce(sum(remaining), 0)::bigint,
                coalesce(sum(expired), 0)::bigint from points_lot where member_id = $1",
    )
    .bind(member.uuid())
    .fetch_one(world.db.pg.pool())
    .await
    .expect("sums");
    let revoked: i64 =
        sqlx::query_scalar("select coalesce(sum(points_revoked), 0)::bigint from purchase where member_id = $1")
            .bind(member.uuid())
            .fetch_one(world.db.pg.pool())
            .await
            .expect("sums");
    let entries: HashMap<String, i64> =
        sqlx::query_as("select kind, sum(points)::bigint from points_entry where member_id = $1 group by kind")
            .bind(member.uuid())
            .fetch_all(world.db.pg.pool())
            .await
            .expect("sums")
            .into_iter()
            .collect();
    let of = |kind: &str| entries.get(kind).copied().unwrap_or(0);
    assert_eq!((of("EARNED"), of("REVOKED"), of("EXPIRED")), (earned, -revoked, -expired), "the entries");
    let told: i64 = world.payloads::<PointsEarned>(member.uuid()).await.iter().map(|event| event.points).sum();
    let back: i64 = world.payloads::<PointsRevoked>(member.uuid()).await.iter().map(|event| event.points).sum();
    let gone: i64 = world.payloads::<PointsExpired>(member.uuid()).await.iter().map(|event| event.points).sum();
    assert_eq!((told, back, gone), (earned, revoked, expired), "the events");
    assert_eq!(earned, open + revoked + expired, "points are conserved");
    [earned, open, revoked, expired]
}

async fn check_versions(world: &World, member: MemberId) {
    let versions: Vec<i64> = world.events(member.uuid()).await.into_iter().map(|(_, version)| version).collect();
    let expected: Vec<i64> = (1..).take(versions.len()).collect();
    assert_eq!(versions, expected, "no gap and nothing twice");
}

#[tokio::test]
async fn what_is_paid_ahead_earns_nothing_yet() {
    let world = world().await;
    let member = world.member(PHONE).await;
    let order = OrderId::new(testkit::START);
    let ahead = OrderFacts { booking: String::new(), ..facts(order, member, 500, 500, 0) };
    world.apply(order, 3, &OrderPaid { order: Some(ahead.clone()) }).await;
    world.apply(order, 4, &RefundSucceeded { order: Some(ahead), ..RefundSucceeded::default() }).await;
    assert_eq!(reckon(&world, member).await, [0, 0, 0, 0]);
    assert_eq!(world.look(member).await.points, 0);
}

#[tokio::test]
async fn an_order_earns_points_once() {
    let world = world().await;
    let member = world.member(PHONE).await;
    let order = OrderId::new(testkit::START);
    world.apply(order, 1, &OrderCreated { order: Some(facts(order, member, 258, 0, 0)) }).await;
    let paid = OrderPaid { order: Some(facts(order, member, 258, 258, 0)) };
    world.apply(order, 3, &paid).await;
    world.apply(order, 3, &paid).await;
    assert_eq!(reckon(&world, member).await, [25, 25, 0, 0]);
    assert_eq!(world.look(member).await.points, 25);
    assert_eq!(world.events(member.uuid()).await.len(), 2);

    let token = world.staff_token(Role::Support, None);
    let request = ListPointsEntriesRequest { member: member.name(), ..ListPointsEntriesRequest::default() };
    let list = world.members().list_points_entries(with(request, &token)).await.expect("lists").into_inner();
    assert_eq!(list.points_entries.len(), 1);
    let entry = &list.points_entries[0];
    assert_eq!((entry.points, entry.kind(), entry.source.clone()), (25, Kind::Earned, order.name()));
    let year = entry.expire_time.expect("an end").seconds - testkit::START.as_second();
    assert_eq!(year, 365 * 86_400);
}

#[tokio::test]
async fn an_order_of_nobody_or_for_nothing_earns_nothing() {
    let world = world().await;
    world.pay(MemberId::new(testkit::START), 1_000).await;
    let member = world.member(PHONE).await;
    world.pay(member, 9).await;
    assert_eq!(reckon(&world, member).await, [0; 4]);
    assert_eq!(world.events(member.uuid()).await.len(), 1);
    assert_eq!(world.look(member).await.rolling_spend.map(|spend| spend.units), Some(9));
}

#[tokio::test]
async fn a_refund_in_parts_takes_its_share() {
    let world = world().await;
    let member = world.member(PHONE).await;
    let order = world.pay(member, 200).await;
    for (version, refunded, open) in [(4, 5, 19), (5, 10, 19), (6, 11, 18), (7, 150, 5), (8, 200, 0)] {
        world.refund(member, order, 200, refunded, version).await;
        assert_eq!(reckon(&world, member).await, [20, open, 20 - open, 0], "{refunded} yuan back");
    }
    assert_eq!(world.look(member).await.rolling_spend.map(|spend| spend.units), Some(0));
    check_versions(&world, member).await;
}

#[tokio::test]
async fn events_that_come_swapped_or_twice_end_the_same() {
    let world = world().await;
    let member = world.member(PHONE).await;
    let order = OrderId::new(testkit::START);
    // The refunds of 50 and 120 yuan, the later one first, and only then the payment.
    world.refund(member, order, 200, 120, 5).await;
    world.refund(member, order, 200, 50, 4).await;
    assert_eq!(reckon(&world, member).await, [0; 4]);
    world.apply(order, 3, &OrderPaid { order: Some(facts(order, member, 200, 200, 0)) }).await;
    assert_eq!(reckon(&world, member).await, [20, 8, 12, 0]);
    world.refund(member, order, 200, 120, 5).await;
    assert_eq!(reckon(&world, member).await, [20, 8, 12, 0]);
    assert_eq!(world.look(member).await.rolling_spend.map(|spend| spend.units), Some(80));
    check_versions(&world, member).await;
}

#[tokio::test]
async fn an_order_that_was_only_given_back_takes_nothing() {
    let world = world().await;
    let member = world.member(PHONE).await;
    world.pay(member, 100).await;
    world.refund(member, OrderId::new(testkit::START), 80, 16, 3).await;
    assert_eq!(reckon(&world, member).await, [10, 10, 0, 0]);
}

#[tokio::test]
async fn points_end_after_a_year_the_oldest_first() {
    let world = world().await;
    let member = world.member(PHONE).await;
    let old = world.pay(member, 100).await;
    world.days(100);
    world.pay(member, 300).await;
    world.days(264);
    assert_eq!(expire_points(&world.app).await.expect("expires"), 0);
    world.days(1);
    assert_eq!(world.look(member).await.points, 30, "they can't be spent even before the worker comes");
    assert_eq!(expire_points(&world.app).await.expect("expires"), 1);
    assert_eq!(expire_points(&world.app).await.expect("is done"), 0);
    assert_eq!(reckon(&world, member).await, [40, 30, 0, 10]);
    world.refund(member, old, 100, 100, 4).await;
    assert_eq!(reckon(&world, member).await, [40, 30, 0, 10], "what has ended is not taken again");
    check_versions(&world, member).await;
}

#[tokio::test]
async fn workers_that_run_at_once_end_points_once() {
    let world = world().await;
    let member = world.member(PHONE).await;
    world.pay(member, 100).await;
    world.days(366);
    let steps: Vec<_> = (0..5)
        .map(|_| {
            let app = world.app.clone();
            tokio::spawn(async move { expire_points(&app).await.expect("expires") })
        })
        .collect();
    for step in steps {
        step.await.expect("ends");
    }
    assert_eq!(reckon(&world, member).await, [10, 0, 0, 10]);
    check_versions(&world, member).await;
}

#[tokio::test]
async fn entries_stay_as_they_are() {
    let world = world().await;
    let member = world.member(PHONE).await;
    world.pay(member, 100).await;
    let change = sqlx::query("update points_entry set points = 1000").execute(world.db.pg.pool()).await;
    assert!(change.is_err_and(|error| error.to_string().contains("append-only")));
}

/// What may happen to a member's orders.
#[derive(Debug, Clone)]
enum Deed {
    Pay(i64),
    /// Of the order at this place, so much in percent goes back in all.
    Refund(usize, i64),
    Days(u64),
    Expire,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => (1_i64..3_000).prop_map(Deed::Pay),
        4 => (any::<prop::sample::Index>(), 0_i64..=100).prop_map(|(order, percent)| Deed::Refund(order.index(1_000), percent)),
        2 => (1_u64..200).prop_map(Deed::Days),
        1 => Just(Deed::Expire),
    ]
}

/// Whatever happens, points are conserved, no lot is below 0, the balance is what the lots hold, and versions have no gaps.
#[test]
fn points_are_conserved() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let world = runtime.block_on(world());
    let next = std::cell::Cell::new(100);
    let config = Config { cases: 24, max_shrink_iters: 50, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&prop::collection::vec(deed(), 1..25), |deeds| {
        next.set(next.get() + 1);
        runtime.block_on(async {
            let member = world.member(&phone(next.get())).await;
            let mut orders: Vec<(OrderId, i64, i64, i64)> = Vec::new();
            for deed in deeds {
                match deed {
                    Deed::Pay(yuan) => orders.push((world.pay(member, yuan).await, yuan, 3, 0)),
                    Deed::Refund(_, _) if orders.is_empty() => {}
                    Deed::Refund(index, percent) => {
                        let place = index % orders.len();
                        let (order, yuan, version, refunded) = &mut orders[place];
                        *version += 1;
                        *refunded = (*refunded).max(*yuan * percent / 100);
                        world.refund(member, *order, *yuan, *refunded, *version).await;
                    }
                    Deed::Days(days) => world.days(days),
                    Deed::Expire => {
                        expire_points(&world.app).await.expect("expires");
                    }
                }
                reckon(&world, member).await;
            }
            expire_points(&world.app).await.expect("expires");
            let [_, open, ..] = reckon(&world, member).await;
            assert_eq!(world.look(member).await.points, open);
            check_versions(&world, member).await;
        });
        Ok(())
    });
    runtime.block_on(async { drop(world) });
    assert!(outcome.is_ok(), "{}", outcome.err().map(|error| error.to_string()).unwrap_or_default());
}
