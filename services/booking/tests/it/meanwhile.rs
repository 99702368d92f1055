//! What changes between a look and a hold, between a hold and its deposit, between a visit and its move.

use std::time::Duration;

use booking::{
    peers::Return,
    worker::{expire_bookings, run_tasks},
};
use proto::{
    access::Role,
    booking::v1::{
        self as pb,
        booking::{Channel, State},
    },
};
use rpc::convert::{to_money, to_timestamp};
use testkit::with_token;

use crate::{
    fakes::Asked,
    world::{World, at, at_minute, cny, field, id, member, reason},
};

const HOLD: Duration = Duration::from_secs(600);

fn notice(minutes: i32) -> pb::StorePolicy {
    pb::StorePolicy { lead_minutes: Some(minutes), ..pb::StorePolicy::default() }
}

fn to_move(name: &str) -> pb::MoveBookingRequest {
    pb::MoveBookingRequest { name: name.to_owned(), request_id: id(), ..Default::default() }
}

async fn last(world: &World, minutes: i32) {
    let item = pb::Item { name: world.item.clone(), duration_minutes: minutes, ..pb::Item::default() };
    world.update_item(item, &["duration_minutes"]).await.expect("changed");
}

/// A hold that has run out.
async fn expired(world: &World) -> pb::Booking {
    let held = world.send_hold(&member().1, world.hold(at(5))).await.expect("held");
    world.clock.advance(HOLD);
    expire_bookings(&world.app).await.expect("a step");
    held
}

#[tokio::test]
async fn what_the_store_refuses_no_longer_can_be_had_at_once() {
    let world = World::new(1, 1).await;
    let whole = world.seek(at(0), at(24));
    for _ in 0..2 {
        world.set_policy(notice(10_000)).await;
        assert!(world.found(whole.clone()).await.is_empty());
        world.set_policy(notice(0)).await;
        assert!(!world.found(whole.clone()).await.is_empty(), "shown");
        world.set_policy(notice(10_000)).await;
        let why = pb::ExplainSlotsRequest {
            store: world.store.clone(),
            item: world.item.clone(),
            start_time: Some(to_timestamp(at(3))),
            ..Default::default()
        };
        let explain = |why| async { world.bookings().explain_slots(why).await.expect("an answer").into_inner() };
        assert_eq!(explain(why.clone()).await.explanations.len(), 1);
        world.set_policy(notice(0)).await;
        assert!(explain(why).await.explanations.is_empty(), "explained");
        world.set_policy(notice(10_000)).await;
        let (_, token) = member();
        assert_eq!(reason(&world.send_hold(&token, world.hold(at(3))).await.expect_err("too soon")), "LEAD_TIME");
        world.set_policy(notice(0)).await;
        let held = world.send_hold(&token, world.hold(at(3))).await.expect("held");
        world.cancel(&token, &held.name).await.expect("cancelled");
    }
}

#[tokio::test]
async fn what_comes_onto_the_menu_can_be_had_at_once() {
    let world = World::new(1, 1).await;
    let stones = world.create_item("thai", "massage").await.name;
    let add_ons = vec![stones.clone()];
    let hold = pb::HoldSlotRequest { add_ons: add_ons.clone(), ..world.hold(at(2)) };
    let refused = world.send_hold(&member().1, hold.clone()).await.expect_err("alone");
    assert_eq!(reason(&refused), "NOT_AN_ADD_ON");
    let item = pb::Item { name: stones, add_on_to: vec![world.item.clone()], ..pb::Item::default() };
    world.update_item(item, &["add_on_to"]).await.expect("changed");
    world.send_hold(&member().1, hold).await.expect("held");
}

#[tokio::test]
async fn a_late_deposit_for_what_needs_more_by_now_goes_back_and_holds_up_nobody() {
    let world = World::new(1, 1).await;
    let held = expired(&world).await;
    let item = pb::Item { name: world.item.clone(), equipment_kind: "laser".to_owned(), ..pb::Item::default() };
    world.update_item(item, &["equipment_kind"]).await.expect("nobody is stranded");
    world.paid(&held, 3_200).await;
    assert_eq!(world.get(&held.name).await.state(), State::Expired);
    run_tasks(&world.app).await.expect("done");
    assert!(matches!(world.fake.asked().last(), Some(Asked::Close(_, Return::All, "BOOKING_EXPIRED"))));
}

#[tokio::test]
async fn a_late_deposit_brings_back_as_much_time_as_was_booked() {
    for minutes in [30, 90] {
        let world = World::new(1, 1).await;
        let held = expired(&world).await;
        last(&world, minutes).await;
        world.paid(&held, 3_200).await;
        let back = world.get(&held.name).await;
        assert_eq!((back.state(), back.end_time), (State::Confirmed, held.end_time));
        // The therapist for 60 minutes, the room with 5 before and 10 after.
        let kept = "select sum(extract(epoch from end_time - start_time))::bigint / 60 from allocation";
        assert_eq!(world.count(kept).await, 60 + 75, "{minutes}");
    }
}

#[tokio::test]
async fn a_visit_that_is_moved_lasts_as_long_as_it_was_booked_for() {
    let world = World::new(1, 2).await;
    let booking = world.confirmed(&member().1, at(3)).await;
    world.confirmed(&member().1, at_minute(260)).await;
    for (minutes, room) in [(90, 1), (30, 0)] {
        last(&world, minutes).await;
        let request = pb::MoveBookingRequest { room: world.rooms[room].clone(), ..to_move(&booking.name) };
        let moved = world.life().move_booking(with_token(request, &world.staff(Role::FrontDesk))).await;
        let moved = moved.expect("moved").into_inner();
        assert_eq!((moved.end_time, moved.extension_minutes), (booking.end_time, 0), "{minutes}");
    }
}

#[tokio::test]
async fn a_visit_is_not_rescheduled_to_a_time_that_could_not_be_held() {
    let world = World::new(4, 4).await;
    let rules = pb::StorePolicy { partner_quota: Some(1), ..notice(26 * 60) };
    world.clock.set(at(0));
    world.set_policy(rules).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(30)).await;
    let refused = world.reschedule(&token, &booking.name, at(25)).await.expect_err("too soon");
    assert_eq!(reason(&refused), "LEAD_TIME");
    let request = pb::ProposeTimesRequest {
        name: booking.name.clone(),
        start_time: Some(to_timestamp(at(24))),
        end_time: Some(to_timestamp(at(28))),
        page_size: 100,
    };
    let proposals = world.life().propose_times(with_token(request, &token)).await.expect("proposals").into_inner();
    let first = proposals.proposals.iter().filter_map(|proposal| proposal.start_time).map(|start| start.seconds).min();
    assert_eq!(first, Some(at(26).as_second()));
    world.reschedule(&token, &booking.name, at(26)).await.expect("soon enough");
    world.reschedule(&world.staff(Role::FrontDesk), &booking.name, at(25)).await.expect("staff need no notice");
    // Of each day a partner may have one.
    let desk = world.staff(Role::FrontDesk);
    let hold = |hours| pb::HoldSlotRequest {
        customer: member().0.name(),
        channel: Channel::Partner.into(),
        partner: "dianping".to_owned(),
        ..world.hold(at(hours))
    };
    world.send_hold(&desk, hold(30)).await.expect("held");
    let other = world.send_hold(&desk, hold(50)).await.expect("held");
    let refused = world.reschedule(&desk, &other.name, at(31)).await.expect_err("of that day one is booked");
    assert_eq!(reason(&refused), "QUOTA");
    world.reschedule(&desk, &other.name, at(51)).await.expect("on the same day");
    let nameless = pb::HoldSlotRequest { partner: String::new(), ..hold(52) };
    assert_eq!(field(&world.send_hold(&desk, nameless).await.expect_err("whose limits?")), "partner");
}

#[tokio::test]
async fn overbooking_overlaps_only_where_there_is_no_other_way() {
    let world = World::new(1, 2).await;
    let first = world.confirmed(&member().1, at(3)).await;
    let request = pb::HoldSlotRequest {
        customer: member().0.name(),
        overbook_reason: "side by side".to_owned(),
        ..world.hold(at_minute(210))
    };
    let held = world.send_hold(&world.staff(Role::StoreManager), request).await.expect("held");
    assert!(held.overbooked && held.therapist == first.therapist);
    assert_ne!(held.room, first.room);
    assert_eq!(world.count("select count(*) from allocation where overbooked").await, 1);
}

#[tokio::test]
async fn what_is_added_to_a_running_visit_costs_what_it_costs_there() {
    let world = World::new(1, 1).await;
    let prices = vec![pb::ItemPrice {
        store: world.store.clone(),
        price: Some(to_money(cny(9_000))),
        ..pb::ItemPrice::default()
    }];
    let add_on = world.add_item(pb::Item { prices, ..world.get_item().await }).await.expect("an item");
    let running = world.running(&member().1, at(3)).await;
    let by = Some(pb::extend_booking_request::By::AddOn(add_on.name));
    let request = pb::ExtendBookingRequest { name: running.name, by, request_id: id() };
    let longer = world.life().extend_booking(with_token(request, &world.admin)).await.expect("longer").into_inner();
    assert_eq!(longer.list_price, Some(to_money(cny(29_000))));
}

#[tokio::test]
async fn whoever_gives_the_second_part_of_a_package_has_it_in_the_list() {
    let world = World::new(1, 1).await;
    let feet = world.create_therapist("feet", "feet").await.name;
    world.create_shift(&feet, at(0), at(14)).await.expect("a shift");
    let foot = world.create_item("feet", "massage").await.name;
    let package = pb::Package {
        display_name: "Both".to_owned(),
        items: vec![world.item.clone(), foot],
        ..pb::Package::default()
    };
    let request = pb::CreatePackageRequest { package: Some(package), request_id: id() };
    let package = world.packages().create_package(with_token(request, &world.admin)).await.expect("a package");
    let package = package.into_inner().name;
    let hold = pb::HoldSlotRequest { item: String::new(), package, ..world.hold(at(2)) };
    let booking = world.send_hold(&member().1, hold).await.expect("held");
    assert_eq!(booking.parts[0].therapist, feet);
    for therapist in [feet, booking.therapist] {
        let request = pb::ListBookingsRequest { therapist, ..Default::default() };
        let list = world.bookings().list_bookings(with_token(request, &world.admin)).await.expect("a list");
        assert_eq!(list.into_inner().bookings.len(), 1);
    }
}
