//! Visits that are rescheduled, moved and made longer.

use booking::worker::run_tasks;
use proto::{
    access::Role,
    booking::v1::{self as pb, booking::State},
};
use rpc::convert::{money, to_timestamp};
use testkit::with_token;
use tonic::{Code, Status};

use crate::{
    fakes::Asked,
    world::{World, at, at_minute, cny, field, id, member, reason},
};

async fn propose(world: &World, token: &str, name: &str, hours: (i64, i64)) -> Result<Vec<pb::Proposal>, Status> {
    let request = pb::ProposeTimesRequest {
        name: name.to_owned(),
        start_time: Some(to_timestamp(at(hours.0))),
        end_time: Some(to_timestamp(at(hours.1))),
        page_size: 100,
    };
    Ok(world.life().propose_times(with_token(request, token)).await?.into_inner().proposals)
}

fn to_move(name: &str) -> pb::MoveBookingRequest {
    pb::MoveBookingRequest { name: name.to_owned(), request_id: id(), ..Default::default() }
}

async fn send(world: &World, token: &str, request: pb::MoveBookingRequest) -> Result<pb::Booking, Status> {
    world.life().move_booking(with_token(request, token)).await.map(tonic::Response::into_inner)
}

fn fen(amount: &Option<proto::google::r#type::Money>) -> i64 {
    money("amount", amount.as_ref()).expect("an amount").minor()
}

#[tokio::test]
async fn a_visit_goes_to_another_time_and_its_old_one_is_free() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(3)).await;
    let moved = world.reschedule(&token, &booking.name, at(5)).await.expect("rescheduled");
    assert_eq!((moved.start_time, moved.state()), (Some(to_timestamp(at(5))), State::Confirmed));
    assert_eq!((moved.end_time, &moved.price), (Some(to_timestamp(at(6))), &booking.price));
    assert_eq!(moved.history.last().map(|step| step.reason.as_str()), Some("RESCHEDULED"));
    world.send_hold(&member().1, world.hold(at(3))).await.expect("free again");
    assert_eq!(world.get(&booking.name).await, moved);
    let told = "select count(*) from outbox where type like '%BookingRescheduled'";
    assert_eq!(world.count(told).await, 1);
    assert_eq!(world.overlaps().await, 0);
}

#[tokio::test]
async fn by_a_quarter_of_an_hour_it_moves_onto_itself() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(3)).await;
    for start in [195, 180, 165] {
        let moved = world.reschedule(&token, &booking.name, at_minute(start)).await.expect("rescheduled");
        assert_eq!(moved.start_time, Some(to_timestamp(at_minute(start))));
    }
    assert_eq!(world.count("select count(*) from allocation").await, 2);
}

#[tokio::test]
async fn the_old_time_is_kept_if_the_new_one_cannot_be_had() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(3)).await;
    world.confirmed(&member().1, at(5)).await;
    for (start, why) in [(at(5), "SLOT_TAKEN"), (at(12), "OUTSIDE_OPENING_HOURS"), (at(24 * 7), "NOT_ON_SHIFT")] {
        let refused = world.reschedule(&token, &booking.name, start).await.expect_err("can't be had");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, why));
    }
    let past = world.reschedule(&token, &booking.name, at(-24)).await.expect_err("past");
    assert_eq!((past.code(), field(&past).as_str()), (Code::InvalidArgument, "start_time"));
    assert_eq!(world.get(&booking.name).await, booking);
    assert_eq!(reason(&world.send_hold(&member().1, world.hold(at(3))).await.expect_err("kept")), "SLOT_TAKEN");
}

#[tokio::test]
async fn the_same_therapist_comes_first_and_another_only_if_nobody_was_asked_for() {
    let world = World::new(2, 2).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(3)).await;
    let own = booking.therapist.clone();
    let other = world.therapists.iter().find(|name| **name != own).expect("two").clone();
    // At hour 5 the same therapist is busy.
    let busy = pb::HoldSlotRequest { therapist: own.clone(), ..world.hold(at(5)) };
    world.send_hold(&member().1, busy).await.expect("held");
    assert_eq!(world.reschedule(&token, &booking.name, at(4)).await.expect("rescheduled").therapist, own);
    let moved = world.reschedule(&token, &booking.name, at(5)).await.expect("rescheduled");
    assert_eq!((moved.therapist, moved.requested), (other, false));
    let asked = pb::RescheduleBookingRequest {
        name: booking.name.clone(),
        therapist: own.clone(),
        start_time: Some(to_timestamp(at(7))),
        request_id: id(),
        ..Default::default()
    };
    let moved = world.life().reschedule_booking(with_token(asked, &token)).await.expect("rescheduled").into_inner();
    assert_eq!((moved.therapist, moved.requested), (own, true));
    let refused = world.reschedule(&token, &booking.name, at(5)).await.expect_err("only with him");
    assert_eq!(reason(&refused), "SLOT_TAKEN");
    let nothing = pb::RescheduleBookingRequest { name: booking.name.clone(), request_id: id(), ..Default::default() };
    let refused = world.life().reschedule_booking(with_token(nothing, &token)).await.expect_err("nothing to do");
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_hold_keeps_its_end_and_one_that_ended_is_not_moved() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let held = world.send_hold(&token, world.hold(at(3))).await.expect("held");
    world.clock.advance(std::time::Duration::from_secs(300));
    let moved = world.reschedule(&token, &held.name, at(5)).await.expect("rescheduled");
    assert_eq!((moved.state(), moved.hold_expire_time), (State::AwaitingPayment, held.hold_expire_time));
    world.clock.advance(std::time::Duration::from_secs(300));
    assert_eq!(reason(&world.reschedule(&token, &held.name, at(6)).await.expect_err("over")), "HOLD_ENDED");
    // A late deposit brings back the time that it had in the end.
    booking::worker::expire_bookings(&world.app).await.expect("a step");
    world.paid(&held, 3_200).await;
    let back = world.get(&held.name).await;
    assert_eq!((back.state(), back.start_time), (State::Confirmed, Some(to_timestamp(at(5)))));
}

#[tokio::test]
async fn customers_reschedule_up_to_the_notice_period_and_staff_later_too() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(3)).await;
    world.clock.set(at(2));
    world.reschedule(&token, &booking.name, at_minute(185)).await.expect("just in time");
    world.clock.set(at_minute(126));
    let refused = world.reschedule(&token, &booking.name, at(6)).await.expect_err("too late");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "TOO_LATE"));
    let refused = propose(&world, &token, &booking.name, (2, 12)).await.expect_err("too late");
    assert_eq!(reason(&refused), "TOO_LATE");
    let desk = world.staff(Role::FrontDesk);
    assert!(!propose(&world, &desk, &booking.name, (2, 12)).await.expect("proposals").is_empty());
    world.reschedule(&desk, &booking.name, at(6)).await.expect("by staff");
    assert_eq!(world.count("select count(*) from audit_entry where action = 'booking.reschedule'").await, 1);
    let stranger = world.reschedule(&member().1, &booking.name, at(7)).await.expect_err("hidden");
    assert_eq!(stranger.code(), Code::NotFound);
}

#[tokio::test]
async fn every_proposal_can_be_had_and_the_best_come_first() {
    let world = World::new(2, 2).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(3)).await;
    let own = booking.therapist.clone();
    let busy = pb::HoldSlotRequest { therapist: own.clone(), ..world.hold(at(5)) };
    world.send_hold(&member().1, busy).await.expect("held");
    let proposals = propose(&world, &token, &booking.name, (2, 7)).await.expect("proposals");
    let now = at(3).as_second();
    let keys: Vec<_> =
        proposals.iter().map(|p| (!p.same_therapist, (p.start_time.expect("a start").seconds - now).abs())).collect();
    assert!(keys.is_sorted(), "{keys:?}");
    assert!(proposals.iter().all(|p| p.same_therapist == (p.therapist == own)));
    assert!(proposals.iter().any(|p| !p.same_therapist));
    assert!(!proposals.iter().any(|p| p.start_time == booking.start_time));
    // Moved onto itself counts, and each is true.
    assert_eq!(proposals[0].start_time, Some(to_timestamp(at_minute(175))));
    for proposal in proposals.iter().step_by(7) {
        let start = rpc::convert::timestamp("start", proposal.start_time.as_ref()).expect("a start");
        let moved = world.reschedule(&token, &booking.name, start).await.expect("as proposed");
        assert_eq!(moved.end_time, proposal.end_time);
        world.reschedule(&token, &booking.name, at(3)).await.expect("back");
    }
}

#[tokio::test]
async fn staff_move_any_of_it() {
    let world = World::new(2, 2).await;
    let booking = world.confirmed(&member().1, at(3)).await;
    let desk = world.staff(Role::FrontDesk);
    let other = |all: &[String], one: &str| all.iter().find(|name| *name != one).expect("two").clone();
    let (therapist, room) = (other(&world.therapists, &booking.therapist), other(&world.rooms, &booking.room));
    let request = pb::MoveBookingRequest { therapist: therapist.clone(), ..to_move(&booking.name) };
    let moved = send(&world, &desk, request).await.expect("moved");
    assert_eq!((&moved.therapist, &moved.room, moved.requested), (&therapist, &booking.room, false));
    let request = pb::MoveBookingRequest { room: room.clone(), ..to_move(&booking.name) };
    assert_eq!(send(&world, &desk, request).await.expect("moved").room, room);
    let request = pb::MoveBookingRequest {
        start_time: Some(to_timestamp(at(4))),
        end_time: Some(to_timestamp(at_minute(330))),
        reason: "the room is wet".to_owned(),
        ..to_move(&booking.name)
    };
    let moved = send(&world, &desk, request.clone()).await.expect("moved");
    assert_eq!((moved.end_time, moved.extension_minutes), (Some(to_timestamp(at_minute(330))), 30));
    assert_eq!((&moved.price, &moved.therapist), (&booking.price, &therapist));
    assert_eq!(send(&world, &desk, request).await.expect("the same answer"), moved);
    let shorter = pb::MoveBookingRequest { end_time: Some(to_timestamp(at(5))), ..to_move(&booking.name) };
    assert_eq!(send(&world, &desk, shorter).await.expect("moved").extension_minutes, 0);
    assert_eq!(world.count("select count(*) from audit_entry where action = 'booking.move'").await, 4);
    assert_eq!(world.count("select count(*) from outbox where type like '%BookingMoved'").await, 4);
    assert_eq!(world.overlaps().await, 0);
}

#[tokio::test]
async fn what_cannot_be_moved_is_refused_and_nothing_changed() {
    let world = World::new(2, 2).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(3)).await;
    let other = world.confirmed(&member().1, at(3)).await;
    let desk = world.staff(Role::FrontDesk);
    let before = world.get(&booking.name).await;
    let good = to_move(&booking.name);
    let bad = [
        (good.clone(), Code::InvalidArgument),
        (pb::MoveBookingRequest { therapist: other.therapist.clone(), ..good.clone() }, Code::FailedPrecondition),
        (pb::MoveBookingRequest { room: other.room.clone(), ..good.clone() }, Code::FailedPrecondition),
        (pb::MoveBookingRequest { room: format!("rooms/{}", id()), ..good.clone() }, Code::NotFound),
        (pb::MoveBookingRequest { therapist: format!("therapists/{}", id()), ..good.clone() }, Code::NotFound),
        (pb::MoveBookingRequest { equipment: world.rooms[0].clone(), ..good.clone() }, Code::InvalidArgument),
        (
            pb::MoveBookingRequest { end_time: Some(to_timestamp(at_minute(235))), ..good.clone() },
            Code::InvalidArgument,
        ),
        (
            pb::MoveBookingRequest { end_time: Some(to_timestamp(at_minute(241))), ..good.clone() },
            Code::InvalidArgument,
        ),
        (
            pb::MoveBookingRequest { start_time: Some(to_timestamp(at_minute(181))), ..good.clone() },
            Code::InvalidArgument,
        ),
        (pb::MoveBookingRequest { part: 2, room: world.rooms[0].clone(), ..good.clone() }, Code::InvalidArgument),
        (pb::MoveBookingRequest { start_time: Some(to_timestamp(at(12))), ..good.clone() }, Code::FailedPrecondition),
    ];
    for (request, code) in bad {
        let request = pb::MoveBookingRequest { request_id: id(), ..request };
        let shown = format!("{request:?}");
        assert_eq!(send(&world, &desk, request).await.expect_err(&shown).code(), code, "{shown}");
    }
    let by_member = pb::MoveBookingRequest { start_time: Some(to_timestamp(at(5))), ..good };
    assert_eq!(send(&world, &token, by_member).await.expect_err("staff only").code(), Code::PermissionDenied);
    assert_eq!(world.get(&booking.name).await, before);
}

#[tokio::test]
async fn overbooking_needs_somebody_who_may_and_a_reason_on_record() {
    let world = World::new(1, 1).await;
    let booking = world.confirmed(&member().1, at(3)).await;
    let manager = world.staff(Role::StoreManager);
    let (customer, token) = member();
    let mut request = world.hold(at_minute(210));
    request.customer = customer.name();
    request.overbook_reason = "the first always leaves early".to_owned();
    let refused = world.send_hold(&world.staff(Role::FrontDesk), request.clone()).await.expect_err("the desk may not");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "OVERBOOKING_NOT_ALLOWED"));
    assert_eq!(world.send_hold(&token, request.clone()).await.expect_err("a member").code(), Code::PermissionDenied);
    let held = world.send_hold(&manager, request).await.expect("held");
    assert!(held.overbooked && !booking.overbooked);
    assert_eq!(world.overlaps().await, 0, "what is meant to overlap does not count");
    let reason_on_record = "select count(*) from audit_entry
                            where action = 'booking.hold' and detail ->> 'overbook_reason' like 'the first%'";
    assert_eq!(world.count(reason_on_record).await, 1);
    // Nobody else is put beside them.
    let slots = world.search(at(2), at(6)).await;
    let overlapping = |slot: &&pb::Slot| {
        let start = slot.start_time.expect("a start").seconds;
        start < at_minute(270).as_second() && start + 3_600 > at(3).as_second()
    };
    assert_eq!(slots.iter().filter(overlapping).count(), 0);
    // Moved to a free time it is like any other; and beside somebody again only with a reason.
    let to = |start: i64, why: &str| pb::MoveBookingRequest {
        start_time: Some(to_timestamp(at_minute(start))),
        overbook_reason: why.to_owned(),
        ..to_move(&held.name)
    };
    let free = send(&world, &manager, to(360, "not needed there")).await.expect("moved");
    assert!(!free.overbooked);
    assert_eq!(world.count("select count(*) from allocation where overbooked").await, 0);
    assert_eq!(reason(&send(&world, &manager, to(210, "")).await.expect_err("taken")), "SLOT_TAKEN");
    assert!(send(&world, &manager, to(210, "again")).await.expect("moved").overbooked);
    // Whoever is on duty elsewhere can't be overbooked.
    assert_eq!(reason(&send(&world, &manager, to(24 * 7 * 60, "x")).await.expect_err("off duty")), "NOT_ON_SHIFT");
}

#[tokio::test]
async fn a_running_visit_grows_and_so_does_its_order() {
    let world = World::new(1, 1).await;
    let running = world.running(&member().1, at(3)).await;
    world.clock.set(at_minute(230));
    let longer = world.extend(&world.staff(Role::Therapist), &running.name, 15).await.expect("longer");
    assert_eq!((longer.state(), longer.extension_minutes), (State::InService, 15));
    assert_eq!(longer.end_time, Some(to_timestamp(at_minute(255))));
    // A quarter of the list price of 200 yuan.
    assert_eq!((fen(&longer.list_price), fen(&longer.price), fen(&longer.deposit)), (25_000, 21_000, 3_200));
    let order = kernel::ids::OrderId::parse_name("order", &running.order).expect("an order");
    assert_eq!(world.fake.asked().last(), Some(&Asked::Amend(order, cny(5_000))));
    let again = world.extend(&world.admin, &running.name, 20).await.expect("longer still");
    assert_eq!((again.extension_minutes, fen(&again.list_price)), (35, 31_667), "333.33 fen a minute");
    assert_eq!(world.count("select count(*) from outbox where type like '%BookingExtended'").await, 2);
    let refused = world.extend(&world.admin, &running.name, 7).await.expect_err("off the grid");
    assert_eq!(refused.code(), Code::InvalidArgument);
    let confirmed = world.confirmed(&member().1, at(30)).await;
    assert_eq!(reason(&world.extend(&world.admin, &confirmed.name, 15).await.expect_err("not yet")), "WRONG_STATE");
}

#[tokio::test]
async fn it_grows_only_into_free_time_on_duty() {
    let world = World::new(1, 1).await;
    let running = world.running(&member().1, at(3)).await;
    world.confirmed(&member().1, at_minute(275)).await;
    let refused = world.extend(&world.admin, &running.name, 25).await.expect_err("the room must be cleaned");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "SLOT_TAKEN"));
    world.extend(&world.admin, &running.name, 20).await.expect("up to then");
    let last = world.running(&member().1, at(11)).await;
    let refused = world.extend(&world.admin, &last.name, 5).await.expect_err("the store closes");
    assert_eq!(reason(&refused), "OUTSIDE_OPENING_HOURS");
    assert_eq!(world.overlaps().await, 0);
}

#[tokio::test]
async fn an_item_can_be_added_and_payment_being_away_is_no_hindrance() {
    let world = World::new(1, 1).await;
    let running = world.running(&member().1, at(3)).await;
    let add_on = world.create_item("thai", "massage").await;
    world.fake.payment_down.store(true, std::sync::atomic::Ordering::Relaxed);
    let by = Some(pb::extend_booking_request::By::AddOn(add_on.name.clone()));
    let request = pb::ExtendBookingRequest { name: running.name.clone(), by, request_id: id() };
    let longer = world.life().extend_booking(with_token(request.clone(), &world.admin)).await;
    let longer = longer.expect("longer").into_inner();
    assert_eq!((longer.add_ons.clone(), longer.extension_minutes), (vec![add_on.name], 0));
    assert_eq!((longer.end_time, fen(&longer.price)), (Some(to_timestamp(at(5))), 36_000));
    let again = world.life().extend_booking(with_token(request, &world.admin)).await.expect("the same answer");
    assert_eq!(again.into_inner(), longer);
    world.fake.payment_down.store(false, std::sync::atomic::Ordering::Relaxed);
    world.clock.advance(std::time::Duration::from_secs(60));
    run_tasks(&world.app).await.expect("done");
    let amended = world.fake.asked().into_iter().filter(|asked| matches!(asked, Asked::Amend(..))).count();
    assert_eq!(amended, 1);
}
