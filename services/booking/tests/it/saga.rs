//! Holds that end, deposits that come late, and what payment is asked.

use std::{sync::atomic::Ordering, time::Duration};

use booking::{
    peers::Return,
    worker::{expire_bookings, run_tasks},
};
use proto::booking::v1::booking::State;
use testkit::{eventually, with_token};

use crate::{
    fakes::Asked,
    world::{World, at, member},
};

const HOLD: Duration = Duration::from_secs(600);
const LATE: Duration = Duration::from_secs(15 * 60);
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_hold_ends_when_its_time_is_up_and_not_before() {
    let world = World::new(1, 1).await;
    let held = world.send_hold(&member().1, world.hold(at(5))).await.expect("held");
    world.clock.advance(HOLD - Duration::from_secs(1));
    assert_eq!(expire_bookings(&world.app).await.expect("a step"), 0);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(expire_bookings(&world.app).await.expect("a step"), 1);
    assert_eq!(world.get(&held.name).await.state(), State::Expired);
    assert_eq!(world.count("select count(*) from allocation").await, 0);
    // The order is closed only when no late deposit is expected any more.
    run_tasks(&world.app).await.expect("the waitlist is served");
    assert!(matches!(world.fake.asked()[..], [Asked::Create(_)]));
    world.clock.advance(LATE);
    assert_eq!(run_tasks(&world.app).await.expect("done"), 1);
    assert!(matches!(world.fake.asked().last(), Some(Asked::Close(_, Return::All, "BOOKING_EXPIRED"))));
}

#[tokio::test]
async fn a_late_deposit_brings_the_same_time_back_if_it_is_free() {
    let world = World::new(1, 1).await;
    let held = world.send_hold(&member().1, world.hold(at(5))).await.expect("held");
    world.clock.advance(HOLD);
    expire_bookings(&world.app).await.expect("a step");
    world.paid(&held, 3_200).await;
    let back = world.get(&held.name).await;
    assert_eq!((back.state(), back.start_time), (State::Confirmed, held.start_time));
    assert_eq!(back.history.last().map(|step| step.reason.as_str()), Some("DEPOSIT_PAID_LATE"));
    assert_eq!(world.count("select count(*) from allocation").await, 2);
    world.clock.advance(LATE);
    run_tasks(&world.app).await.expect("the waitlist is served");
    assert_eq!(world.fake.asked().len(), 1, "its order stays open");
}

#[tokio::test]
async fn a_late_deposit_goes_back_by_itself_if_the_time_is_gone() {
    let world = World::new(1, 1).await;
    let held = world.send_hold(&member().1, world.hold(at(5))).await.expect("held");
    world.clock.advance(HOLD);
    expire_bookings(&world.app).await.expect("a step");
    let other = world.send_hold(&member().1, world.hold(at(5))).await.expect("free again");
    world.paid(&held, 3_200).await;
    assert_eq!(world.get(&held.name).await.state(), State::Expired);
    run_tasks(&world.app).await.expect("done");
    let closed: Vec<_> = world.fake.asked().into_iter().filter(|asked| matches!(asked, Asked::Close(..))).collect();
    let order = kernel::ids::OrderId::parse_name("order", &held.order).expect("an order");
    assert_eq!(closed, [Asked::Close(order, Return::All, "BOOKING_EXPIRED")]);
    assert_eq!(world.get(&other.name).await.state(), State::AwaitingPayment);
    assert_eq!(world.overlaps().await, 0);
}

#[tokio::test]
async fn once_its_order_is_being_closed_a_late_deposit_does_not_bring_the_time_back() {
    let world = World::new(1, 1).await;
    let held = world.send_hold(&member().1, world.hold(at(5))).await.expect("held");
    world.clock.advance(HOLD);
    expire_bookings(&world.app).await.expect("a step");
    world.clock.advance(LATE);
    // Payment is away just then: the task has given the booking up, but the order is not closed yet.
    world.fake.payment_down.store(true, Ordering::Relaxed);
    run_tasks(&world.app).await.expect("put off");
    world.paid(&held, 3_200).await;
    assert_eq!(world.get(&held.name).await.state(), State::Expired);
    world.fake.payment_down.store(false, Ordering::Relaxed);
    world.clock.advance(Duration::from_secs(1));
    run_tasks(&world.app).await.expect("done");
    assert!(world.fake.asked().iter().any(|asked| matches!(asked, Asked::Close(_, Return::All, _))));
}

#[tokio::test]
async fn a_deposit_that_comes_before_we_know_of_the_order_confirms_all_the_same() {
    let world = World::new(1, 1).await;
    world.fake.payment_down.store(true, Ordering::Relaxed);
    let held = world.send_hold(&member().1, world.hold(at(5))).await.expect("held");
    world.paid(&held, 3_200).await;
    world.paid(&held, 16_000).await;
    let booking = world.get(&held.name).await;
    assert_eq!((booking.state(), booking.version), (State::Confirmed, 2));
}

#[tokio::test]
async fn a_part_of_the_deposit_confirms_nothing() {
    let world = World::new(1, 1).await;
    let held = world.send_hold(&member().1, world.hold(at(5))).await.expect("held");
    world.paid(&held, 3_199).await;
    assert_eq!(world.get(&held.name).await.state(), State::AwaitingPayment);
}

#[tokio::test]
async fn cancelled_before_its_order_was_made_leaves_no_open_order() {
    let world = World::new(1, 1).await;
    world.fake.payment_down.store(true, Ordering::Relaxed);
    let (_, token) = member();
    let held = world.send_hold(&token, world.hold(at(5))).await.expect("held");
    world.cancel(&token, &held.name).await.expect("cancelled");
    world.fake.payment_down.store(false, Ordering::Relaxed);
    world.clock.advance(Duration::from_secs(60));
    run_tasks(&world.app).await.expect("done");
    assert_eq!(world.fake.open_orders(), []);
    assert_eq!(world.count("select count(*) from task where done_time is null").await, 0);
}

#[tokio::test]
async fn an_order_that_payment_makes_only_after_the_cancellation_is_closed() {
    let world = World::new(1, 1).await;
    world.fake.payment_down.store(true, Ordering::Relaxed);
    let (_, token) = member();
    let held = world.send_hold(&token, world.hold(at(5))).await.expect("held");
    world.fake.payment_down.store(false, Ordering::Relaxed);
    // There is no order to close yet: what was asked of payment is still under way.
    world.cancel(&token, &held.name).await.expect("cancelled");
    world.fake.arrive();
    world.clock.advance(Duration::from_secs(60));
    run_tasks(&world.app).await.expect("done");
    assert_eq!(world.fake.open_orders(), [], "nobody can pay for a visit that was given up");
    assert_eq!(world.count("select count(*) from task where done_time is null").await, 0);
}

#[tokio::test]
async fn a_booking_that_was_over_before_anybody_asked_for_its_order_has_none() {
    let world = World::new(1, 1).await;
    let held = world.send_hold(&member().1, world.hold(at(5))).await.expect("held");
    // As if the process had died right after the commit.
    let undone = "update task set done_time = null, attempt_count = 0, claim_expire_time = null";
    sqlx::query(undone).execute(world.app.pg.pool()).await.expect("undone");
    sqlx::query("update booking set state = 'HELD'").execute(world.app.pg.pool()).await.expect("undone");
    let asked = world.fake.asked().len();
    world.clock.advance(HOLD);
    expire_bookings(&world.app).await.expect("a step");
    run_tasks(&world.app).await.expect("done");
    assert_eq!((world.get(&held.name).await.state(), world.fake.asked().len()), (State::Expired, asked));
}

#[tokio::test]
async fn a_payment_that_takes_its_time_keeps_nobody_from_the_answer() {
    let world = World::new(1, 1).await;
    let busy = world.fake.payment_gate.write().await;
    let held = world.send_hold(&member().1, world.hold(at(5))).await.expect("held");
    assert_eq!(held.state(), State::Held);
    assert_eq!(world.get(&held.name).await.state(), State::Held);
    drop(busy);
    awaits_payment(&world).await;
}

/// Its order is made at once all the same, not only when the lease of its task has run out.
#[tokio::test]
async fn a_caller_who_goes_away_while_payment_is_asked_has_an_order() {
    let world = World::new(1, 1).await;
    let busy = world.fake.payment_gate.write().await;
    let (mut client, request) = (world.bookings(), with_token(world.hold(at(5)), &member().1));
    let call = tokio::spawn(async move { client.hold_slot(request).await });
    eventually(PATIENCE, || async { world.count("select count(*) from task where attempt_count = 1").await == 1 })
        .await;
    call.abort();
    assert!(call.await.expect_err("gone").is_cancelled());
    drop(busy);
    awaits_payment(&world).await;
}

async fn awaits_payment(world: &World) {
    let count = "select count(*) from booking where state = 'AWAITING_PAYMENT'";
    eventually(PATIENCE, || async { world.count(count).await == 1 }).await;
}

/// Takes no longer than the customer can wait, and asks payment no more often than it can bear.
#[tokio::test]
async fn payment_away_for_a_minute_is_asked_seldom_and_soon_after() {
    let world = World::new(1, 1).await;
    world.fake.payment_down.store(true, Ordering::Relaxed);
    let held = world.send_hold(&member().1, world.hold(at(5))).await.expect("held");
    let (step, mut tries) = (Duration::from_millis(500), 1);
    for _ in 0..120 {
        world.clock.advance(step);
        tries += run_tasks(&world.app).await.expect("put off");
    }
    assert_eq!(world.get(&held.name).await.state(), State::Held, "the time is kept meanwhile");
    assert!((8..=14).contains(&tries), "{tries} times in a minute");
    world.fake.payment_down.store(false, Ordering::Relaxed);
    for _ in 0..20 {
        world.clock.advance(step);
        run_tasks(&world.app).await.expect("done");
    }
    assert_eq!(world.get(&held.name).await.state(), State::AwaitingPayment, "ten seconds later");
    assert_eq!(world.fake.asked().len(), 1, "one order");
    world.paid(&world.get(&held.name).await, 3_200).await;
    assert_eq!(world.get(&held.name).await.state(), State::Confirmed);
}
