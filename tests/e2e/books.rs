//! What must be true of the whole suite at any time of rest.

use jiff::{SignedDuration, tz::TimeZone};
use kernel::{Clock, SystemClock};
use serde_json::Value;
use testkit::eventually;

use crate::{
    client::{minor, text},
    suite::{PATIENCE, Suite},
    world::World,
};

/// All that must be true of the money is true, the ledger's accounts add up to nothing, and no time is sold twice.
pub async fn balance(suite: &Suite, world: &World) {
    let (sound, said) = suite.audit();
    assert!(sound, "{said}");
    let accounts = world.admin.get("/v1/ledgerAccounts").await;
    let balances: Vec<i64> =
        accounts["ledgerAccounts"].as_array().into_iter().flatten().map(|account| minor(&account["balance"])).collect();
    assert!(!balances.is_empty());
    assert_eq!(balances.iter().sum::<i64>(), 0, "{accounts}");
    no_overlap(suite).await;
}

/// Nothing is booked twice.
pub async fn no_overlap(suite: &Suite) {
    let overlaps = "select count(*) from allocation a join allocation b
          on a.resource_id = b.resource_id and a.booking_id < b.booking_id
         and tstzrange(a.start_time, a.end_time) && tstzrange(b.start_time, b.end_time)";
    assert_eq!(suite.count("booking", overlaps).await, 0);
}

/// Waits until all that an order took has gone back.
pub async fn all_refunded(world: &World, booking: &Value) {
    eventually(PATIENCE, || async {
        let order = world.admin.get(&format!("/v1/{}", text(booking, "order"))).await;
        text(&order, "state") == "STATE_CLOSED" && minor(&order["paid"]) > 0 && order["paid"] == order["refunded"]
    })
    .await;
}

/// Analytics has counted every event of every service exactly once.
pub async fn every_event_counted_once(suite: &Suite, world: &World) {
    for feed in ["booking", "membership", "payment", "marketing"] {
        eventually(PATIENCE, || async {
            let written = suite.count(feed, "select count(*) from outbox").await;
            let positions = world.admin.get("/v1/feedPositions").await;
            let counted: i64 = positions["feedPositions"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|position| text(position, "feed") == feed)
                .map(|position| text(position, "eventCount").parse().unwrap_or(0))
                .sum();
            assert!(counted <= written, "{feed}: {counted} counted of {written}");
            counted == written && written > 0
        })
        .await;
    }
}

/// The figures of the store around today.
pub async fn figures(world: &World) -> Vec<Value> {
    let day = |offset: i64| {
        let at = SystemClock.now() + SignedDuration::from_hours(24 * offset);
        at.to_zoned(TimeZone::get("Asia/Shanghai").expect("known")).date()
    };
    let (from, to) = (day(-1), day(3));
    let query = format!(
        "/v1/{}/dailyFigures?start_date.year={}&start_date.month={}&start_date.day={}&end_date.year={}&end_date.month={}&end_date.day={}",
        world.store,
        from.year(),
        from.month(),
        from.day(),
        to.year(),
        to.month(),
        to.day(),
    );
    world.admin.get(&query).await["dailyFigures"].as_array().cloned().unwrap_or_default()
}
