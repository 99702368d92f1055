//! Payment late, lost, twice; services away.

use serde_json::json;
use testkit::eventually;

use crate::{
    books,
    client::text,
    story::{self, hold, pay_deposit, reach, register},
    suite::{PATIENCE, Suite},
    world::World,
};

#[tokio::test(flavor = "multi_thread")]
async fn notices_that_come_twice_or_never_or_late_end_the_same() {
    let suite = Suite::start().await;
    let world = World::furnish(&suite).await;
    for (number, fault) in ["twice", "lost", "late", "reordered"].into_iter().enumerate() {
        let guest = register(&world, &format!("+861380000010{number}")).await;
        let booking = hold(&world, &guest).await;
        pay_deposit(&guest, &booking, fault).await;
        reach(&world, text(&booking, "name"), "STATE_CONFIRMED").await;
        story::serve(&world, &booking).await;
        story::check_end(&suite, &world, &guest, &booking).await;
    }
    books::every_event_counted_once(&suite, &world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paid_after_the_hold_ran_out_the_same_time_comes_back_or_the_money_goes_back() {
    let suite = Suite::start().await;
    let world = World::furnish(&suite).await;
    // The time is still free.
    let guest = register(&world, "+8613800000201").await;
    let booking = hold(&world, &guest).await;
    let_the_hold_run_out(&suite, &world, &booking).await;
    pay_deposit(&guest, &booking, "").await;
    let back = reach(&world, text(&booking, "name"), "STATE_CONFIRMED").await;
    assert_eq!(back["startTime"], booking["startTime"]);
    // The time is gone.
    let guest = register(&world, "+8613800000202").await;
    let booking = hold(&world, &guest).await;
    let_the_hold_run_out(&suite, &world, &booking).await;
    let other = register(&world, "+8613800000203").await;
    let taken = json!({
        "store": world.store, "item": world.item, "start_time": booking["startTime"], "therapist": booking["therapist"],
    });
    other.client.post("/v1/bookings:hold", taken).await;
    pay_deposit(&guest, &booking, "").await;
    books::all_refunded(&world, &booking).await;
    reach(&world, text(&booking, "name"), "STATE_EXPIRED").await;
    books::balance(&suite, &world).await;
    books::every_event_counted_once(&suite, &world).await;
}

async fn let_the_hold_run_out(suite: &Suite, world: &World, booking: &serde_json::Value) {
    suite.execute("booking", "update booking set hold_expire_time = now() where state = 'AWAITING_PAYMENT'").await;
    reach(world, text(booking, "name"), "STATE_EXPIRED").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payment_away_holds_go_on_and_their_orders_are_made_when_it_is_back() {
    let suite = Suite::start().await;
    let world = World::furnish(&suite).await;
    let guest = register(&world, "+8613800000301").await;
    suite.kill("payment");
    let from = kernel::Clock::now(&kernel::SystemClock) + jiff::SignedDuration::from_hours(24);
    let search = format!(
        "/v1/{}/slots:search?item={}&start_time={from}&end_time={}&page_size=1",
        world.store,
        world.item,
        from + jiff::SignedDuration::from_hours(2)
    );
    let slots = world.nobody.get(&search).await;
    let wanted = json!({ "store": world.store, "item": world.item, "start_time": slots["slots"][0]["startTime"] });
    let held = guest.client.post("/v1/bookings:hold", wanted).await;
    assert_eq!(text(&held, "state"), "STATE_HELD");
    suite.spawn("payment", None);
    let booking = reach(&world, text(&held, "name"), "STATE_AWAITING_PAYMENT").await;
    pay_deposit(&guest, &booking, "").await;
    reach(&world, text(&booking, "name"), "STATE_CONFIRMED").await;
    story::serve(&world, &booking).await;
    story::check_end(&suite, &world, &guest, &booking).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_can_be_killed_in_the_middle_of_a_visit() {
    let suite = Suite::start().await;
    let world = World::furnish(&suite).await;
    for (number, service) in crate::suite::SERVICES.into_iter().enumerate() {
        let guest = register(&world, &format!("+861380000040{number}")).await;
        suite.restart(service, None).await;
        let booking = hold(&world, &guest).await;
        suite.restart(service, None).await;
        pay_deposit(&guest, &booking, "").await;
        suite.restart(service, None).await;
        reach(&world, text(&booking, "name"), "STATE_CONFIRMED").await;
        story::serve(&world, &booking).await;
        suite.restart(service, None).await;
        story::check_end(&suite, &world, &guest, &booking).await;
    }
    books::every_event_counted_once(&suite, &world).await;
    eventually(PATIENCE, || async {
        suite.count("booking", "select count(*) from task where done_time is null").await == 0
    })
    .await;
}
