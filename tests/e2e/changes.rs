//! A visit that goes otherwise than planned: rescheduled, told of at its new time, and missed.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    books,
    client::text,
    story::{Guest, hold, messages, pay_deposit, reach, register},
    suite::{PATIENCE, Suite},
    world::World,
};

/// How long before a visit its customer is reminded.
const LEAD: SignedDuration = SignedDuration::from_hours(1);

fn time(value: &Value, name: &str) -> Timestamp {
    text(value, name).parse().expect("an instant")
}

/// When the reminders of a guest go out that are in this state.
async fn reminders(guest: &Guest, state: &str) -> Vec<Timestamp> {
    let answer = guest.client.get("/v1/messages").await;
    let all = answer["messages"].as_array().into_iter().flatten();
    let of_kind = all.filter(|message| text(message, "kind") == "KIND_BOOKING_REMINDER");
    of_kind.filter(|message| text(message, "state") == state).map(|message| time(message, "sendTime")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rescheduled_reminded_at_the_new_time_and_missed() {
    let suite = Suite::start().await;
    let world = World::furnish(&suite).await;
    let guest = register(&world, "+8613800000071").await;
    let booking = hold(&world, &guest).await;
    let name = text(&booking, "name").to_owned();
    pay_deposit(&guest, &booking, "").await;
    reach(&world, &name, "STATE_CONFIRMED").await;
    let first = time(&booking, "startTime");
    eventually(PATIENCE, || async { reminders(&guest, "STATE_SCHEDULED").await == [first - LEAD] }).await;

    let later = first + SignedDuration::from_hours(2);
    let proposals = guest.client.get(&format!("/v1/{name}:proposeTimes?start_time={later}&page_size=1")).await;
    let second = time(&proposals["proposals"][0], "startTime");
    assert!(second >= later, "{proposals}");
    guest.client.post(&format!("/v1/{name}:reschedule"), json!({ "start_time": second.to_string() })).await;
    eventually(PATIENCE, || async { reminders(&guest, "STATE_SCHEDULED").await == [second - LEAD] }).await;
    assert_eq!(reminders(&guest, "STATE_CANCELLED").await, [first - LEAD]);
    eventually(PATIENCE, || async { !messages(&world, &guest.phone, "KIND_BOOKING_RESCHEDULED").await.is_empty() })
        .await;
    calendars(&world, &guest, &name, second).await;

    missed(&suite, &world, &name).await;
    eventually(PATIENCE, || async { reminders(&guest, "STATE_SCHEDULED").await.is_empty() }).await;
    let coupons = guest.client.get("/v1/coupons").await;
    assert_eq!(text(&coupons["coupons"][0], "state"), "STATE_REDEEMED", "who did not come has used it");
    books::every_event_counted_once(&suite, &world).await;
    let figures = books::figures(&world).await;
    let count = |name: &str| figures.iter().filter_map(|day| day[name].as_str()?.parse::<i64>().ok()).sum::<i64>();
    assert_eq!(["rescheduled", "noShows", "cancelled", "moved"].map(count), [1, 1, 0, 0], "{figures:?}");
    books::balance(&suite, &world).await;
}

/// The customer's calendar has the new time, and so has the store's, whose address needs no token.
async fn calendars(world: &World, guest: &Guest, name: &str, start: Timestamp) {
    let id = name.trim_start_matches("bookings/");
    let lines =
        [format!("UID:{id}"), format!("DTSTART:{}", start.strftime("%Y%m%dT%H%M%SZ")), "STATUS:CONFIRMED".into()];
    let link = world.desk.post("/v1/calendarLinks", json!({ "store": world.store })).await;
    let own = guest.client.get(&format!("/v1/{name}:calendar")).await;
    let feed = world.nobody.get(text(&link, "path")).await;
    for calendar in [own, feed] {
        let calendar = calendar.as_str().expect("no JSON");
        assert!(lines.iter().all(|line| calendar.contains(&format!("\r\n{line}\r\n"))), "{calendar}");
    }
}

/// The time comes, and the customer doesn't.
async fn missed(suite: &Suite, world: &World, name: &str) {
    let pass = "update booking set end_time = now() + (end_time - start_time) - interval '5 minutes',
                                   start_time = now() - interval '5 minutes'";
    suite.execute("booking", pass).await;
    world.desk.post(&format!("/v1/{name}:markNoShow"), json!({})).await;
    reach(world, name, "STATE_NO_SHOW").await;
}
