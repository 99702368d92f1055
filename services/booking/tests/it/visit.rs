//! A visit's day, and who sees it.

use prost::Message;
use proto::{
    access::Role,
    booking::v1::{self as pb, booking::State},
};
use testkit::with_token;
use tonic::Code;

use crate::{
    fakes::Asked,
    world::{World, at, at_minute, id, member, reason},
};
use booking::peers::Return;

#[tokio::test]
async fn it_goes_from_confirmed_to_completed_with_its_whole_history() {
    let world = World::new(1, 1).await;
    let booking = world.confirmed(&member().1, at(1)).await;
    let desk = world.staff(Role::FrontDesk);
    let name = booking.name.clone();
    let mut client = world.bookings();
    let early = pb::StartBookingRequest { name: name.clone(), request_id: id() };
    let refused = client.start_booking(with_token(early, &desk)).await.expect_err("not checked in");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "WRONG_STATE"));

    world.clock.set(at(0));
    let check_in = pb::CheckInBookingRequest { name: name.clone(), request_id: id() };
    let first = client.check_in_booking(with_token(check_in.clone(), &desk)).await.expect("checked in").into_inner();
    let again = client.check_in_booking(with_token(check_in, &desk)).await.expect("the same").into_inner();
    assert_eq!(first, again);
    let start = pb::StartBookingRequest { name: name.clone(), request_id: id() };
    client.start_booking(with_token(start, &world.staff(Role::Therapist))).await.expect("started");
    let complete = pb::CompleteBookingRequest { name, request_id: id() };
    let done = client.complete_booking(with_token(complete, &desk)).await.expect("completed").into_inner();
    let states: Vec<_> = done.history.iter().map(|step| step.state()).collect();
    assert_eq!(
        states,
        [State::Held, State::AwaitingPayment, State::Confirmed, State::CheckedIn, State::InService, State::Completed]
    );
    // Each version has one event.
    assert_eq!(world.count("select count(*) from outbox o join booking b on b.id = o.aggregate_id").await, 6);
    let versions = "select count(distinct aggregate_version) from outbox o join booking b on b.id = o.aggregate_id";
    assert_eq!(world.count(versions).await, 6);
    assert_eq!(world.count("select count(*) from audit_entry where action like 'booking.%'").await, 3);
    // Who earns by it learns who gave what.
    let payload: Vec<u8> = sqlx::query_scalar("select payload from outbox where type like '%.BookingCompleted'")
        .fetch_one(world.app.pg.pool())
        .await
        .expect("the event");
    let told = pb::BookingCompleted::decode(payload.as_slice()).expect("its payload");
    let facts = told.booking.expect("what it is about");
    assert_eq!(told.parts.len(), 1, "{:?}", told.parts);
    let part = &told.parts[0];
    assert_eq!((&part.therapist, &part.item), (&facts.therapist, &facts.item));
    assert!((1..=5).contains(&part.grade) && part.minutes == 60 && !part.requested, "{part:?}");
}

#[tokio::test]
async fn cancelled_in_time_all_comes_back_and_the_time_is_free() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(3)).await;
    world.clock.set(at(2));
    let cancelled = world.cancel(&token, &booking.name).await.expect("cancelled");
    assert_eq!(cancelled.state(), State::Cancelled);
    let order = kernel::ids::OrderId::parse_name("order", &booking.order).expect("an order");
    assert_eq!(world.fake.asked().last(), Some(&Asked::Close(order, Return::All, "BOOKING_CANCELLED")));
    world.send_hold(&member().1, world.hold(at(3))).await.expect("free again");
}

#[tokio::test]
async fn cancelled_late_the_deposit_stays() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(3)).await;
    world.clock.set(at_minute(121));
    world.cancel(&token, &booking.name).await.expect("cancelled");
    let kept = Return::AllBut(crate::world::cny(3_200));
    assert!(matches!(world.fake.asked().last(), Some(Asked::Close(_, back, _)) if *back == kept));
    let refused = world.cancel(&token, &booking.name).await.expect_err("twice");
    assert_eq!(reason(&refused), "WRONG_STATE");
}

#[tokio::test]
async fn given_up_by_the_store_all_comes_back_however_late() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(3)).await;
    world.clock.set(at_minute(179));
    let mut request =
        pb::CancelBookingRequest { name: booking.name.clone(), reason: 2, request_id: id(), ..Default::default() };
    let refused = world.bookings().cancel_booking(with_token(request.clone(), &token)).await.expect_err("a member");
    assert_eq!(crate::world::field(&refused), "reason");
    request.request_id = id();
    let desk = world.staff(Role::FrontDesk);
    let done = world.bookings().cancel_booking(with_token(request, &desk)).await.expect("cancelled").into_inner();
    assert_eq!(done.history.last().map(|step| step.reason.as_str()), Some("STORE_REQUEST"));
    assert!(matches!(world.fake.asked().last(), Some(Asked::Close(_, Return::All, _))));
}

#[tokio::test]
async fn a_member_sees_only_his_own_and_staff_only_their_stores() {
    let world = World::new(1, 1).await;
    let (owner, token) = member();
    let booking = world.confirmed(&token, at(1)).await;
    let get = pb::GetBookingRequest { name: booking.name.clone() };
    let stranger = world.bookings().get_booking(with_token(get.clone(), &member().1)).await.expect_err("hidden");
    assert_eq!(stranger.code(), Code::NotFound);
    let elsewhere = kernel::ids::StoreId::new(testkit::START);
    let staff = kernel::ids::StaffId::new(testkit::START);
    let desk = testkit::keys().staff_token(staff, [Role::FrontDesk], Some(elsewhere));
    let refused = world.bookings().get_booking(with_token(get, &desk)).await.expect_err("another store");
    assert_eq!(refused.code(), Code::PermissionDenied);

    let list = pb::ListBookingsRequest::default();
    let own = world.bookings().list_bookings(with_token(list.clone(), &token)).await.expect("a list").into_inner();
    assert_eq!(own.bookings, [booking]);
    let none = world.bookings().list_bookings(with_token(list.clone(), &member().1)).await.expect("a list");
    assert!(none.into_inner().bookings.is_empty());
    let other = pb::ListBookingsRequest { customer: owner.name(), ..list.clone() };
    let refused = world.bookings().list_bookings(with_token(other, &member().1)).await.expect_err("another's");
    assert_eq!(refused.code(), Code::NotFound);
    let desk = world.bookings().list_bookings(with_token(list, &desk)).await.expect("a list").into_inner();
    assert!(desk.bookings.is_empty());
}
