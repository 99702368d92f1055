//! Holds that are prolonged, and nobody who hoards them.

use std::time::Duration;

use booking::worker::expire_bookings;
use futures_util::future::join_all;
use jiff::SignedDuration;
use kernel::ids::StaffId;
use proto::{
    access::Role,
    booking::v1::{self as pb, booking::State},
};
use rpc::convert::to_timestamp;
use testkit::with_token;
use tonic::{Code, Status};

use crate::world::{World, at, at_minute, id, member, reason};

async fn extend(world: &World, token: &str, name: &str) -> Result<pb::Booking, Status> {
    let request = pb::ExtendHoldRequest { name: name.to_owned(), request_id: id() };
    world.life().extend_hold(with_token(request, token)).await.map(tonic::Response::into_inner)
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

#[tokio::test]
async fn a_hold_is_prolonged_up_to_its_limit() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let held = world.send_hold(&token, world.hold(at(5))).await.expect("held");
    let made = testkit::START;
    let limit = Some(to_timestamp(made + SignedDuration::from_mins(30)));
    assert_eq!(held.hold_limit_time, limit);
    world.clock.advance(minutes(8));
    let longer = extend(&world, &token, &held.name).await.expect("prolonged");
    assert_eq!(longer.hold_expire_time, Some(to_timestamp(made + SignedDuration::from_mins(18))));
    assert_eq!(longer.history.last().map(|step| step.reason.as_str()), Some("HOLD_EXTENDED"));
    world.clock.advance(minutes(9));
    assert_eq!(expire_bookings(&world.app).await.expect("a step"), 0);
    extend(&world, &token, &held.name).await.expect("prolonged");
    world.clock.advance(minutes(9));
    assert_eq!(extend(&world, &token, &held.name).await.expect("prolonged").hold_expire_time, limit);
    let refused = extend(&world, &token, &held.name).await.expect_err("at its limit");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "HOLD_LIMIT"));
    world.clock.advance(minutes(4));
    assert_eq!(reason(&extend(&world, &token, &held.name).await.expect_err("over")), "HOLD_ENDED");
    assert_eq!(expire_bookings(&world.app).await.expect("a step"), 1);
    assert_eq!(reason(&extend(&world, &token, &held.name).await.expect_err("over")), "WRONG_STATE");
    let told = "select count(*) from outbox where type like '%HoldExtended'";
    assert_eq!(world.count(told).await, 3);
}

#[tokio::test]
async fn only_its_owner_prolongs_a_hold() {
    let world = World::new(1, 1).await;
    let (customer, token) = member();
    let desk = world.staff(Role::FrontDesk);
    let request = pb::HoldSlotRequest { customer: customer.name(), ..world.hold(at(5)) };
    let held = world.send_hold(&desk, request).await.expect("held");
    world.clock.advance(minutes(1));
    extend(&world, &desk, &held.name).await.expect("whoever made it");
    world.clock.advance(minutes(1));
    extend(&world, &token, &held.name).await.expect("whose it is");
    let store = kernel::ids::StoreId::parse_name("store", &world.store).expect("a store");
    let colleague =
        testkit::keys().staff_token(StaffId::from_uuid(kernel::Uuid::from_u128(9)), [Role::FrontDesk], Some(store));
    assert_eq!(reason(&extend(&world, &colleague, &held.name).await.expect_err("another")), "NOT_HOLDER");
    assert_eq!(extend(&world, &member().1, &held.name).await.expect_err("hidden").code(), Code::NotFound);
    assert_eq!(world.count("select count(*) from audit_entry where action = 'booking.extend_hold'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_has_five_holds_at_a_time_however_many_he_asks_for_at_once() {
    let world = World::new(12, 12).await;
    let (_, token) = member();
    let attempts = join_all((0..12).map(|n| world.send_hold(&token, world.hold(at_minute(n * 60 % 600))))).await;
    let (won, lost): (Vec<_>, Vec<_>) = attempts.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (5, 7));
    for refused in lost.into_iter().filter_map(Result::err) {
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "TOO_MANY_HOLDS"));
    }
    assert_eq!(world.count("select count(*) from booking").await, 5);
    // One that is paid, and one that is given up, make room; and so does one that has run out, noticed or not.
    let mut won = won.into_iter().filter_map(Result::ok);
    world.paid(&won.next().expect("held"), 3_200).await;
    world.cancel(&token, &won.next().expect("held").name).await.expect("cancelled");
    for hour in [10, 11] {
        world.send_hold(&token, world.hold(at(hour))).await.expect("room for one more");
    }
    assert_eq!(reason(&world.send_hold(&token, world.hold(at(30))).await.expect_err("full")), "TOO_MANY_HOLDS");
    world.clock.advance(minutes(10));
    world.send_hold(&token, world.hold(at(30))).await.expect("the others have run out");
}

#[tokio::test]
async fn what_is_paid_for_something_else_is_passed_over() {
    let world = World::new(1, 1).await;
    let held = world.send_hold(&member().1, world.hold(at(10))).await.expect("held");
    // its order is made by now
    let before = world.get(&held.name).await;
    world.paid(&pb::Booking { name: String::new(), ..held }, 3_200).await;
    assert_eq!(world.get(&before.name).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_and_a_partner_have_limits_of_their_own() {
    let world = World::new(12, 12).await;
    let from = |device: &str, n: i64| pb::HoldSlotRequest { device: device.to_owned(), ..world.hold(at(n)) };
    let attempts = join_all((0..12).map(|n| {
        let request = from("phone", n % 10);
        let world = &world;
        async move { world.send_hold(&member().1, request).await }
    }));
    let won = attempts.await.into_iter().filter(Result::is_ok).count();
    assert_eq!(won, 10);
    world.send_hold(&member().1, from("tablet", 10)).await.expect("another device");
    let mut request = pb::HoldSlotRequest { partner: "dianping".to_owned(), ..world.hold(at(26)) };
    let refused = world.send_hold(&member().1, request.clone()).await.expect_err("through the web");
    assert_eq!(crate::world::field(&refused), "partner");
    request.set_channel(pb::booking::Channel::Partner);
    request.customer = member().0.name();
    let held = world.send_hold(&world.staff(Role::FrontDesk), request).await.expect("held");
    assert_eq!(world.get(&held.name).await.state(), State::AwaitingPayment);
}
