//! One visit, from registration to points, as a customer and the front desk live it.

use jiff::SignedDuration;
use kernel::{Clock, SystemClock};
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    books,
    client::{Client, minor, text},
    suite::{PATIENCE, Suite},
    world::World,
};

/// A member with what he holds.
pub struct Guest {
    pub phone: String,
    pub client: Client,
}

/// Registers somebody with the code from the mailbox.
pub async fn register(world: &World, phone: &str) -> Guest {
    world.nobody.post("/v1/auth:sendCode", json!({ "phone": phone })).await;
    let code = eventually(PATIENCE, || async {
        messages(world, phone, "KIND_VERIFICATION_CODE").await.first().map(|message| digits(text(message, "body")))
    })
    .await;
    let answer = world
        .nobody
        .post(
            "/v1/auth:register",
            json!({ "phone": phone, "code": code, "display_name": "Li Lei", "terms_version": "2026-01", "store": world.store }),
        )
        .await;
    Guest { phone: phone.to_owned(), client: world.nobody.signed_in(text(&answer, "accessToken")) }
}

/// The messages of one kind in a phone's mailbox.
pub async fn messages(world: &World, phone: &str, kind: &str) -> Vec<Value> {
    let answer = world.nobody.get(&format!("/v1/mailbox/{}/messages", phone.replace('+', "%2B"))).await;
    let all = answer["messages"].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|message| text(message, "kind") == kind).collect()
}

fn digits(text: &str) -> String {
    let mut found = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            found.push(c);
            if found.len() == 6 {
                return found;
            }
        } else {
            found.clear();
        }
    }
    panic!("there are six digits in {text:?}")
}

/// Holds the first time that is offered from tomorrow on, and waits for its order.
pub async fn hold(world: &World, guest: &Guest) -> Value {
    let from = SystemClock.now() + SignedDuration::from_hours(24);
    let to = from + SignedDuration::from_hours(24);
    let search =
        format!("/v1/{}/slots:search?item={}&start_time={from}&end_time={to}&page_size=1", world.store, world.item);
    let slots = world.nobody.get(&search).await;
    let start = text(&slots["slots"][0], "startTime").to_owned();
    let wanted = json!({ "store": world.store, "item": world.item, "start_time": start });
    let held = guest.client.post("/v1/bookings:hold", wanted).await;
    reach(world, text(&held, "name"), "STATE_AWAITING_PAYMENT").await
}

/// Pays the deposit at the sandbox, as the customer's browser would.
pub async fn pay_deposit(guest: &Guest, booking: &Value, fault: &str) -> Value {
    let pay = json!({ "purpose": "PURPOSE_DEPOSIT", "tender": "TENDER_SANDBOX" });
    let payment = guest.client.post(&format!("/v1/{}:pay", text(booking, "order")), pay).await;
    at_the_sandbox(guest, text(&payment, "payUri"), fault).await;
    payment
}

/// The customer's part at the provider.
pub async fn at_the_sandbox(guest: &Guest, pay_uri: &str, fault: &str) {
    let uri = if fault.is_empty() { pay_uri.to_owned() } else { format!("{pay_uri}?fault={fault}") };
    eventually(PATIENCE, || async {
        let provider = guest.client.signed_in("");
        let sent = provider.send(reqwest::Method::POST, &uri, Some(&json!({ "outcome": "succeed" }))).await;
        sent.is_some_and(|(status, _)| status.is_success())
    })
    .await;
}

/// Waits until a booking is in a state.
pub async fn reach(world: &World, booking: &str, state: &str) -> Value {
    eventually(PATIENCE, || async {
        let now = world.admin.get(&format!("/v1/{booking}")).await;
        (text(&now, "state") == state).then_some(now)
    })
    .await
}

/// The day of the visit, and the rest of the money.
pub async fn serve(world: &World, booking: &Value) {
    for verb in ["checkIn", "start", "complete"] {
        world.desk.post(&format!("/v1/{}:{verb}", text(booking, "name")), json!({})).await;
    }
    let rest = json!({ "purpose": "PURPOSE_BALANCE", "tender": "TENDER_CASH" });
    world.desk.post(&format!("/v1/{}:pay", text(booking, "order")), rest).await;
}

/// The whole visit, with what must come of it: 200 yuan less 20 % for the first visit.
pub async fn visit(suite: &Suite, world: &World, phone: &str) -> Guest {
    let guest = register(world, phone).await;
    let booking = hold(world, &guest).await;
    assert_eq!((minor(&booking["listPrice"]), minor(&booking["price"])), (20_000, 16_000));
    pay_deposit(&guest, &booking, "").await;
    reach(world, text(&booking, "name"), "STATE_CONFIRMED").await;
    serve(world, &booking).await;
    check_end(suite, world, &guest, &booking).await;
    guest
}

/// The end state that every completed visit must have, whatever happened on the way.
pub async fn check_end(suite: &Suite, world: &World, guest: &Guest, booking: &Value) {
    let done = world.admin.get(&format!("/v1/{}", text(booking, "name"))).await;
    assert_eq!(text(&done, "state"), "STATE_COMPLETED");
    let order = world.admin.get(&format!("/v1/{}", text(booking, "order"))).await;
    assert_eq!((text(&order, "state"), minor(&order["paid"])), ("STATE_PAID", 16_000));
    let captured = order["payments"].as_array().into_iter().flatten();
    assert_eq!(captured.filter(|payment| text(payment, "state") == "STATE_CAPTURED").count(), 2);
    let member = eventually(PATIENCE, || async {
        let member = guest.client.get("/v1/members/me").await;
        (text(&member, "points") == "16").then_some(member)
    })
    .await;
    assert_eq!((text(&member, "tier"), minor(&member["rollingSpend"])), ("TIER_MEMBER", 16_000));
    let confirmations = eventually(PATIENCE, || async {
        let found = messages(world, &guest.phone, "KIND_BOOKING_CONFIRMED").await;
        (!found.is_empty()).then_some(found)
    })
    .await;
    assert_eq!(confirmations.len(), 1, "one confirmation, not {confirmations:?}");
    let coupons = guest.client.get("/v1/coupons").await;
    assert_eq!(text(&coupons["coupons"][0], "state"), "STATE_REDEEMED");
    books::balance(suite, world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_from_registration_to_points_and_the_stores_figures() {
    let suite = Suite::start().await;
    let world = World::furnish(&suite).await;
    visit(&suite, &world, "+8613800000001").await;
    books::every_event_counted_once(&suite, &world).await;
    let figures = books::figures(&world).await;
    let sum = |name: &str| figures.iter().map(|day| minor(&day[name])).sum::<i64>();
    assert_eq!((sum("captured"), sum("refunded"), sum("revenue")), (16_000, 0, 16_000));
    let count = |name: &str| figures.iter().filter_map(|day| day[name].as_str()?.parse::<i64>().ok()).sum::<i64>();
    assert_eq!((count("newMembers"), count("pointsEarned")), (1, 16));
    let completed =
        figures.iter().filter_map(|day| day["bookingsByState"]["STATE_COMPLETED"].as_str()).collect::<Vec<_>>();
    assert_eq!(completed, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_in_time_everything_goes_back() {
    let suite = Suite::start().await;
    let world = World::furnish(&suite).await;
    let guest = register(&world, "+8613800000002").await;
    let booking = hold(&world, &guest).await;
    pay_deposit(&guest, &booking, "").await;
    reach(&world, text(&booking, "name"), "STATE_CONFIRMED").await;
    guest.client.post(&format!("/v1/{}:cancel", text(&booking, "name")), json!({})).await;
    books::all_refunded(&world, &booking).await;
    eventually(PATIENCE, || async {
        text(&guest.client.get("/v1/coupons").await["coupons"][0], "state") == "STATE_AVAILABLE"
    })
    .await;
    eventually(PATIENCE, || async { !messages(&world, &guest.phone, "KIND_BOOKING_CANCELLED").await.is_empty() }).await;
    let mine = guest.client.get("/v1/messages").await;
    let reminders: Vec<_> = mine["messages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|m| text(m, "kind") == "KIND_BOOKING_REMINDER")
        .collect();
    assert!(reminders.iter().all(|reminder| text(reminder, "state") == "STATE_CANCELLED"), "{reminders:?}");
    books::balance(&suite, &world).await;
    books::every_event_counted_once(&suite, &world).await;
}
