//! Booking dies in the middle of what is not a plain visit: changes of time and length, groups, the waitlist, walk-ins.
//! Whoever repeats his request finds it done once, and nothing is left half done.

use jiff::{SignedDuration, Timestamp};
use kernel::{Clock, SystemClock};
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    books,
    client::text,
    story::{Guest, hold, messages, pay_deposit, reach, register},
    suite::{PATIENCE, Suite},
    world::World,
};

/// What `work` comes to while booking dies once at `point`, on the way or after it.
async fn dying<T>(suite: &Suite, point: &str, work: impl Future<Output = T>) -> T {
    println!("booking dies at {point}");
    suite.restart("booking", Some(point)).await;
    let ((), done) = tokio::join!(suite.revive("booking"), work);
    done
}

fn time(value: &Value, name: &str) -> Timestamp {
    text(value, name).parse().unwrap_or_else(|error| panic!("no {name} in {value}: {error}"))
}

/// The first time that is offered tomorrow.
async fn first_start(world: &World) -> Timestamp {
    let from = SystemClock.now() + SignedDuration::from_hours(24);
    let to = from + SignedDuration::from_hours(24);
    let search =
        format!("/v1/{}/slots:search?item={}&start_time={from}&end_time={to}&page_size=1", world.store, world.item);
    time(&world.nobody.get(&search).await["slots"][0], "startTime")
}

/// How many visits somebody has that are not over.
async fn live_visits(world: &World, guest: &Guest) -> usize {
    let me = guest.client.get("/v1/members/me").await;
    let visits = world.admin.get(&format!("/v1/bookings?customer={}", text(&me, "name"))).await;
    let ended = ["STATE_CANCELLED", "STATE_EXPIRED"];
    visits["bookings"].as_array().into_iter().flatten().filter(|visit| !ended.contains(&text(visit, "state"))).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_that_changes() {
    let suite = Suite::start().await;
    let world = World::furnish(&suite).await;
    let guest = register(&world, "+8613900000601").await;
    let held = hold(&world, &guest).await;
    let name = text(&held, "name").to_owned();

    let longer = dying(&suite, "booking.extend_hold.committed", async {
        guest.client.post(&format!("/v1/{name}:extendHold"), json!({})).await
    })
    .await;
    assert!(time(&longer, "holdExpireTime") > time(&held, "holdExpireTime"), "{longer}");
    pay_deposit(&guest, &held, "").await;
    let confirmed = reach(&world, &name, "STATE_CONFIRMED").await;

    let second = time(&confirmed, "startTime") + SignedDuration::from_hours(2);
    let at = |start: Timestamp| json!({ "start_time": start.to_string() });
    let rescheduled = dying(&suite, "booking.reschedule.committed", async {
        guest.client.post(&format!("/v1/{name}:reschedule"), at(second)).await
    })
    .await;
    assert_eq!(time(&rescheduled, "startTime"), second);

    let third = second + SignedDuration::from_hours(1);
    let moved = dying(&suite, "booking.move.committed", async {
        world.desk.post(&format!("/v1/{name}:move"), at(third)).await
    })
    .await;
    assert_eq!(time(&moved, "startTime"), third);

    for verb in ["checkIn", "start"] {
        world.desk.post(&format!("/v1/{name}:{verb}"), json!({})).await;
    }
    let mut price = text(&moved["price"], "units").to_owned();
    for point in ["booking.extend.committed", "booking.amend.called"] {
        let grown = dying(&suite, point, async {
            world.desk.post(&format!("/v1/{name}:extend"), json!({ "minutes": 15 })).await
        })
        .await;
        assert_ne!(text(&grown["price"], "units"), price, "more costs more: {grown}");
        text(&grown["price"], "units").clone_into(&mut price);
    }
    let order = eventually(PATIENCE, || async {
        let order = world.admin.get(&format!("/v1/{}", text(&held, "order"))).await;
        (text(&order["total"], "units") == price).then_some(order)
    })
    .await;
    world.desk.post(&format!("/v1/{name}:complete"), json!({})).await;
    let rest = json!({ "purpose": "PURPOSE_BALANCE", "tender": "TENDER_CASH" });
    world.desk.post(&format!("/v1/{}:pay", text(&order, "name")), rest).await;
    reach(&world, &name, "STATE_COMPLETED").await;
    assert_eq!(live_visits(&world, &guest).await, 1);
    books::balance(&suite, &world).await;
    books::every_event_counted_once(&suite, &world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_that_is_missed() {
    let suite = Suite::start().await;
    let world = World::furnish(&suite).await;
    let guest = register(&world, "+8613900000611").await;
    let held = hold(&world, &guest).await;
    let name = text(&held, "name").to_owned();
    pay_deposit(&guest, &held, "").await;
    reach(&world, &name, "STATE_CONFIRMED").await;
    let pass = "update booking set end_time = now() + (end_time - start_time) - interval '5 minutes',
                                   start_time = now() - interval '5 minutes'";
    suite.execute("booking", pass).await;
    dying(&suite, "booking.no_show.committed", async {
        world.desk.post(&format!("/v1/{name}:markNoShow"), json!({})).await
    })
    .await;
    reach(&world, &name, "STATE_NO_SHOW").await;
    books::balance(&suite, &world).await;
    books::every_event_counted_once(&suite, &world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group() {
    let suite = Suite::start().await;
    let world = World::furnish(&suite).await;
    let guest = register(&world, "+8613900000621").await;
    for point in ["booking.hold_group.quoted", "booking.hold_group.committed"] {
        let start = first_start(&world).await.to_string();
        let wanted = json!({
            "store": world.store, "start_time": start, "payer": "PAYER_ONE",
            "guests": [{ "item": world.item }, { "item": world.item }],
        });
        let group = dying(&suite, point, async { guest.client.post("/v1/bookingGroups:hold", wanted).await }).await;
        assert_eq!(live_visits(&world, &guest).await, 2, "two visits, not four");
        let name = text(&group, "name").to_owned();
        dying(&suite, "booking.cancel_group.committed", async {
            guest.client.post(&format!("/v1/{name}:cancel"), json!({})).await
        })
        .await;
        assert_eq!(live_visits(&world, &guest).await, 0);
    }
    books::no_overlap(&suite).await;
    books::every_event_counted_once(&suite, &world).await;
}

/// Waits until an entry of the waitlist is in a state.
async fn entry_in(world: &World, entry: &str, state: &str) -> Value {
    eventually(PATIENCE, || async {
        let now = world.admin.get(&format!("/v1/{entry}")).await;
        (text(&now, "state") == state).then_some(now)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_people_who_wait_for_one_time() {
    let suite = Suite::start().await;
    let world = World::furnish(&suite).await;
    // The two therapists are taken, and nobody is idle at that time.
    let first = register(&world, "+8613900000631").await;
    let start = first_start(&world).await;
    let both = json!({
        "store": world.store, "start_time": start.to_string(), "payer": "PAYER_ONE",
        "guests": [{ "item": world.item }, { "item": world.item }],
    });
    let group = first.client.post("/v1/bookingGroups:hold", both).await;
    let taken = text(&group["bookings"][0], "name").to_owned();

    let mut line = Vec::new();
    for (number, phone) in ["+8613900000632", "+8613900000633", "+8613900000634"].into_iter().enumerate() {
        let guest = register(&world, phone).await;
        let end = start + SignedDuration::from_mins(5);
        let wanted = json!({
            "store": world.store, "item": world.item, "start_time": start.to_string(), "end_time": end.to_string(),
        });
        let join = async { guest.client.post("/v1/waitlistEntries", wanted).await };
        let entry = if number == 0 { dying(&suite, "booking.waitlist.joined", join).await } else { join.await };
        line.push((text(&entry, "name").to_owned(), guest));
    }
    let [(one, first_in_line), (two, second_in_line), (three, third_in_line)] = &line[..] else {
        unreachable!("three wait")
    };

    // One visit is given up: its time is offered to the first in line.
    dying(&suite, "booking.offer.quoted", async {
        first.client.post(&format!("/v1/{taken}:cancel"), json!({})).await;
    })
    .await;
    let offered = entry_in(&world, one, "STATE_OFFERED").await;
    let visit = world.admin.get(&format!("/v1/{}", text(&offered, "booking"))).await;
    assert_eq!(time(&visit, "startTime"), start);
    eventually(PATIENCE, || async { messages(&world, &first_in_line.phone, "KIND_WAITLIST_OFFER").await.len() == 1 })
        .await;

    // He leaves, and so does the next: the time goes down the line.
    let leave = async |entry: &str, guest: &Guest| {
        guest.client.post(&format!("/v1/{entry}:leave"), json!({})).await;
    };
    dying(&suite, "booking.waitlist.left", leave(one, first_in_line)).await;
    entry_in(&world, one, "STATE_LEFT").await;
    entry_in(&world, two, "STATE_OFFERED").await;
    dying(&suite, "booking.offer.committed", leave(two, second_in_line)).await;
    let offered = entry_in(&world, three, "STATE_OFFERED").await;
    let visit = reach(&world, text(&offered, "booking"), "STATE_AWAITING_PAYMENT").await;
    pay_deposit(third_in_line, &visit, "").await;
    reach(&world, text(&visit, "name"), "STATE_CONFIRMED").await;
    entry_in(&world, three, "STATE_TAKEN").await;
    for (_, guest) in &line[..2] {
        assert_eq!(live_visits(&world, guest).await, 0);
    }
    assert_eq!(live_visits(&world, third_in_line).await, 1, "one time, offered to one");
    books::balance(&suite, &world).await;
    books::every_event_counted_once(&suite, &world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_ins() {
    let suite = Suite::start().await;
    let world = World::furnish(&suite).await;
    let mut guests = Vec::new();
    for phone in ["+8613900000641", "+8613900000642"] {
        let guest = register(&world, phone).await;
        let me = guest.client.get("/v1/members/me").await;
        let wanted = json!({ "store": world.store, "customer": text(&me, "name"), "item": world.item });
        let ticket =
            dying(&suite, "booking.queue.joined", async { world.desk.post("/v1/queueTickets", wanted).await }).await;
        guests.push((text(&ticket, "name").to_owned(), guest));
    }
    let numbers = suite.count("booking", "select count(*) from queue_ticket").await;
    assert_eq!(numbers, 2, "one ticket each");
    for ((ticket, guest), point) in guests.iter().zip(["booking.call.quoted", "booking.call.committed"]) {
        let called = dying(&suite, point, async {
            world.desk.post(&format!("/v1/{}/queue:callNext", world.store), json!({})).await
        })
        .await;
        assert_eq!((text(&called, "name"), text(&called, "state")), (ticket.as_str(), "STATE_CALLED"));
        assert_eq!(live_visits(&world, guest).await, 1);
    }
    books::no_overlap(&suite).await;
    books::every_event_counted_once(&suite, &world).await;
}
