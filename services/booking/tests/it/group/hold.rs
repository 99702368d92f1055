//! Keeping the visits of a group: all of them or none.

use std::collections::HashSet;

use futures_util::future::join_all;
use kernel::ids::{MemberId, RoomId, StaffId};
use proto::{
    access::Role,
    booking::v1::{self as pb, booking::State, booking_group},
};
use tonic::Code;

use super::{get, guests, hold, send, told};
use crate::{
    fakes::Asked,
    world::{World, at, cny, field, id, member, reason},
};

/// How many rows there are of all that a hold leaves.
async fn traces(world: &World) -> i64 {
    let all = "select (select count(*) from booking) + (select count(*) from booking_group)
                      + (select count(*) from allocation) + (select count(*) from task)
                      + (select count(*) from outbox where type like '%Held')";
    world.count(all).await
}

fn distinct<'a>(of: impl Iterator<Item = &'a String>) -> usize {
    of.collect::<HashSet<_>>().len()
}

#[tokio::test]
async fn guests_with_different_items_come_side_by_side() {
    let world = World::new(2, 3).await;
    let feet = world.create_item("feet", "massage").await.name;
    let reflexologist = world.create_therapist("reflexologist", "feet").await.name;
    world.create_shift(&reflexologist, at(0), at(14)).await.expect("a shift");
    let mut three = guests(&world, 3);
    three[1].item.clone_from(&feet);
    three[2].therapist.clone_from(&world.therapists[0]);
    let (organiser, token) = member();
    let held = send(&world, &token, hold(&world, three, at(2))).await.expect("held");

    assert_eq!((held.state(), held.version, held.organiser.clone()), (booking_group::State::Held, 1, organiser.name()));
    let items: Vec<_> = held.bookings.iter().map(|booking| booking.item.as_str()).collect();
    assert_eq!(items, [world.item.as_str(), &feet, &world.item]);
    let therapists: Vec<_> = held.bookings.iter().map(|booking| booking.therapist.as_str()).collect();
    assert_eq!(therapists, [world.therapists[1].as_str(), &reflexologist, &world.therapists[0]]);
    assert_eq!(distinct(held.bookings.iter().map(|booking| &booking.room)), 3);
    let requested: Vec<bool> = held.bookings.iter().map(|booking| booking.requested).collect();
    assert_eq!(requested, [false, false, true]);
    assert!(held.bookings.iter().all(|booking| booking.start_time == held.start_time && booking.group == held.name));
    assert!(held.bookings.iter().all(|booking| booking.customer == organiser.name() && booking.history.len() == 1));
    assert_eq!(held.bookings[2].assignment, "asked for by the customer");

    // Each visit has an event and an order of its own; the group has its event.
    assert!(told(&world, &held.name).await.is_empty(), "nothing but that it is held");
    assert_eq!(world.count("select count(*) from outbox where type like '%BookingHeld'").await, 3);
    let orders: Vec<_> = world.fake.asked();
    assert_eq!(orders.len(), 3);
    assert!(orders.iter().all(|asked| matches!(asked, Asked::Create(order) if order.customer == organiser)));
    let now = get(&world, &token, &held.name).await.expect("a group");
    assert!(now.bookings.iter().all(|booking| booking.state() == State::AwaitingPayment));
    assert_eq!(world.overlaps().await, 0);
}

#[tokio::test]
async fn whoever_pays_for_all_has_all_orders_and_whoever_pays_for_himself_has_his_own() {
    let world = World::new(3, 3).await;
    let ((organiser, token), (friend, _)) = (member(), member());
    let mut three = guests(&world, 3);
    three[1].customer = friend.name();
    for (payer, start, expected) in [
        (booking_group::Payer::One, at(1), vec![(organiser, 3)]),
        (booking_group::Payer::Split, at(4), vec![(organiser, 2), (friend, 1)]),
    ] {
        let request = pb::HoldGroupRequest { payer: payer.into(), ..hold(&world, three.clone(), start) };
        let held = send(&world, &token, request).await.expect("held");
        let customers: Vec<_> = held.bookings.iter().map(|booking| booking.customer.clone()).collect();
        assert_eq!(customers, [organiser.name(), friend.name(), organiser.name()]);
        let orders: Vec<MemberId> = world.fake.asked().iter().rev().take(3).map(owner).collect();
        for (payer, count) in &expected {
            assert_eq!(orders.iter().filter(|owner| *owner == payer).count(), *count, "{orders:?}");
        }
        let shares: Vec<_> = held.shares.iter().map(|share| (share.payer.clone(), share.orders.len())).collect();
        assert_eq!(shares, expected.iter().map(|(payer, count)| (payer.name(), *count)).collect::<Vec<_>>());
        let first = &held.shares[0];
        let count = i64::try_from(expected[0].1).expect("few");
        let amounts = [&first.price, &first.deposit, &first.due].map(|amount| amount.as_ref().map(|money| money.units));
        assert_eq!(amounts, [Some(160 * count), Some(32 * count), Some(32 * count)]);
    }
}

fn owner(asked: &Asked) -> MemberId {
    let Asked::Create(order) = asked else { unreachable!("only orders are made: {asked:?}") };
    order.customer
}

#[tokio::test]
async fn what_is_not_enough_for_all_is_kept_for_none() {
    let world = World::new(3, 4).await;
    let refused = send(&world, &member().1, hold(&world, guests(&world, 4), at(2))).await.expect_err("too few");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "SLOT_TAKEN"));
    assert_eq!((traces(&world).await, world.fake.quotes()), (0, 0));
    world.send_hold(&member().1, world.hold(at(2))).await.expect("nothing is kept");
}

#[tokio::test]
async fn if_one_price_cannot_be_had_nothing_is_kept() {
    let world = World::new(4, 4).await;
    *world.fake.most_quotes.lock().expect("not poisoned") = Some(3);
    let request = hold(&world, guests(&world, 4), at(2));
    let (_, token) = member();
    let refused = send(&world, &token, request.clone()).await.expect_err("no price");
    assert_eq!((refused.code(), traces(&world).await), (Code::Unavailable, 0));
    *world.fake.most_quotes.lock().expect("not poisoned") = None;
    send(&world, &token, request).await.expect("the same request may be repeated");
    assert_eq!(world.fake.quotes(), 4, "the quotes that were made are used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_sent_many_times_at_once_has_one_effect_and_one_answer() {
    let world = World::new(4, 4).await;
    let (_, token) = member();
    let request = hold(&world, guests(&world, 4), at(2));
    let replies = join_all((0..20).map(|_| send(&world, &token, request.clone()))).await;
    let answers: HashSet<String> = replies.into_iter().map(|reply| format!("{:?}", reply.expect("held"))).collect();
    assert_eq!(answers.len(), 1);
    assert_eq!(world.count("select count(*) from booking").await, 4);
    assert_eq!((world.count("select count(*) from booking_group").await, world.fake.quotes()), (1, 4));
    let other = pb::HoldGroupRequest { guests: guests(&world, 3), ..request };
    let refused = send(&world, &token, other).await.expect_err("another request");
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn bad_input_is_a_clear_error_and_changes_nothing() {
    let world = World::new(2, 2).await;
    let (_, token) = member();
    let two = || hold(&world, guests(&world, 2), at(2));
    let mut nothing = two();
    nothing.guests[1].item = String::new();
    let mut doubled = two();
    doubled.guests[1].add_ons = vec![RoomId::new(testkit::START).name()];
    let mut nobody = two();
    nobody.guests[0].customer = "members/me".to_owned();
    for (request, wrong) in [
        (hold(&world, Vec::new(), at(2)), "guests"),
        (hold(&world, guests(&world, 21), at(2)), "guests"),
        (hold(&world, guests(&world, 500), at(2)), "guests"),
        (nothing, "guests[1].item"),
        (doubled, "guests[1].add_ons[0]"),
        (nobody, "guests[0].customer"),
        (pb::HoldGroupRequest { within_minutes: 7, ..two() }, "within_minutes"),
        (pb::HoldGroupRequest { within_minutes: 65, ..two() }, "within_minutes"),
        (pb::HoldGroupRequest { payer: 0, ..two() }, "payer"),
        (pb::HoldGroupRequest { channel: 6, ..two() }, "channel"),
        (hold(&world, guests(&world, 2), at(-24 * 7)), "start_time"),
        (hold(&world, guests(&world, 2), at(24 * 200)), "start_time"),
    ] {
        let refused = send(&world, &token, request).await.expect_err(wrong);
        assert_eq!((refused.code(), field(&refused).as_str()), (Code::InvalidArgument, wrong), "{refused:?}");
    }
    let desk = world.staff(Role::FrontDesk);
    assert_eq!(field(&send(&world, &desk, two()).await.expect_err("for whom?")), "organiser");
    let stranger = MemberId::new(testkit::START);
    world.fake.strangers.lock().expect("not poisoned").push(stranger);
    let mut with_stranger = two();
    with_stranger.guests[1].customer = stranger.name();
    assert_eq!(send(&world, &token, with_stranger).await.expect_err("nobody").code(), Code::NotFound);
    assert_eq!(traces(&world).await, 0);
}

/// A group may go beyond the limit, but nothing may follow it; and nobody's limit is used up by others who name him.
#[tokio::test]
async fn a_group_counts_as_so_many_holds_of_whoever_makes_it() {
    let world = World::new(8, 8).await;
    let ((_, token), (friend, friends)) = (member(), member());
    let mut six = guests(&world, 6);
    six[5].customer = friend.name();
    let held = send(&world, &token, hold(&world, six, at(2))).await.expect("held");
    let refused = world.send_hold(&token, world.hold(at(4))).await.expect_err("enough");
    assert_eq!(reason(&refused), "TOO_MANY_HOLDS");
    let refused = send(&world, &token, hold(&world, guests(&world, 2), at(4))).await.expect_err("enough");
    assert_eq!(reason(&refused), "TOO_MANY_HOLDS");
    for hour in 4..9 {
        world.send_hold(&friends, world.hold(at(hour))).await.expect("his own five");
    }
    super::cancel(&world, &token, &held.name).await.expect("given up");
    world.send_hold(&token, world.hold(at(4))).await.expect("may hold again");
}

#[tokio::test]
async fn the_desk_holds_for_a_member_and_it_is_on_record() {
    let world = World::new(2, 2).await;
    let desk = testkit::keys().staff_token(StaffId::new(testkit::START), [Role::FrontDesk], None);
    let (organiser, _) = member();
    let request = pb::HoldGroupRequest {
        organiser: organiser.name(),
        channel: pb::booking::Channel::Telephone.into(),
        request_id: id(),
        ..hold(&world, guests(&world, 2), at(2))
    };
    let held = send(&world, &desk, request).await.expect("held");
    assert_eq!(held.bookings[0].price, Some(rpc::convert::to_money(cny(16_000))));
    let recorded = "select count(*) from audit_entry where action = 'booking.hold_group'";
    assert_eq!(world.count(recorded).await, 1);
}
