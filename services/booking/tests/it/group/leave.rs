//! What becomes of a group when one of its guests does not come.

use std::time::Duration;

use booking::{
    peers::Return,
    worker::{expire_bookings, run_tasks},
};
use futures_util::future::join_all;
use kernel::ids::OrderId;
use proto::booking::v1::{self as pb, booking::State, booking_group, group_changed::Change};
use rpc::convert::to_money;
use testkit::with_token;
use tonic::{Code, Status};

use super::{cancel, get, guests, hold, pay, send, told};
use crate::{
    fakes::Asked,
    world::{World, at, cny, id, member, reason},
};

const HOLD: Duration = Duration::from_secs(600);

fn states(group: &pb::BookingGroup) -> Vec<State> {
    group.bookings.iter().map(pb::Booking::state).collect()
}

async fn changes(world: &World, group: &pb::BookingGroup) -> Vec<(Change, String)> {
    told(world, &group.name).await.into_iter().map(|told| (told.change(), told.booking)).collect()
}

#[tokio::test]
async fn one_guest_leaves_and_the_others_stay() {
    let world = World::new(3, 3).await;
    let (_, token) = member();
    let held = send(&world, &token, hold(&world, guests(&world, 3), at(5))).await.expect("held");
    world.cancel(&token, &held.bookings[1].name).await.expect("cancelled");
    let now = get(&world, &token, &held.name).await.expect("a group");
    assert_eq!(states(&now), [State::AwaitingPayment, State::Cancelled, State::AwaitingPayment]);
    assert_eq!((now.state(), now.version), (booking_group::State::Held, 2));
    assert_eq!(now.shares[0].price, Some(to_money(cny(32_000))));
    assert_eq!(world.count("select count(*) from allocation").await, 4);
    world.send_hold(&member().1, world.hold(at(5))).await.expect("his time is free");

    pay(&world, &held.bookings[0]).await;
    assert_eq!(get(&world, &token, &held.name).await.expect("a group").state(), booking_group::State::Held);
    pay(&world, &held.bookings[2]).await;
    let now = get(&world, &token, &held.name).await.expect("a group");
    assert_eq!((now.state(), now.version), (booking_group::State::Confirmed, 3));
    assert_eq!(now.shares[0].due, Some(to_money(cny(0))));
    let expected = [(Change::GuestLeft, &held.bookings[1]), (Change::AllConfirmed, &held.bookings[2])];
    assert_eq!(changes(&world, &held).await, expected.map(|(change, booking)| (change, booking.name.clone())));
}

/// Each visit stands for itself, whoever pays: the deposit of one that is not paid in time costs that one alone.
#[tokio::test]
async fn a_hold_that_runs_out_ends_the_visit_of_one_guest_alone() {
    let world = World::new(3, 3).await;
    let (_, token) = member();
    let held = send(&world, &token, hold(&world, guests(&world, 3), at(5))).await.expect("held");
    pay(&world, &held.bookings[0]).await;
    pay(&world, &held.bookings[2]).await;
    world.clock.advance(HOLD);
    assert_eq!(expire_bookings(&world.app).await.expect("a step"), 1);
    let now = get(&world, &token, &held.name).await.expect("a group");
    assert_eq!(states(&now), [State::Confirmed, State::Expired, State::Confirmed]);
    assert_eq!((now.state(), now.shares[0].orders.len()), (booking_group::State::Confirmed, 2));
    // He pays after all, and his time is still free.
    pay(&world, &held.bookings[1]).await;
    let now = get(&world, &token, &held.name).await.expect("a group");
    assert_eq!(states(&now), [State::Confirmed; 3]);
    let his = held.bookings[1].name.clone();
    assert_eq!(changes(&world, &held).await, [(Change::GuestLeft, his.clone()), (Change::GuestBack, his)]);
    assert_eq!(world.overlaps().await, 0);
}

async fn cancel_for(world: &World, token: &str, name: &str, max_fee: i64) -> Result<pb::BookingGroup, Status> {
    let max_fee = Some(to_money(cny(max_fee)));
    let request = pb::CancelGroupRequest { name: name.to_owned(), max_fee, request_id: id(), ..Default::default() };
    world.groups().cancel_group(with_token(request, token)).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_group_is_given_up_as_a_whole_each_visit_by_its_policy() {
    let world = World::new(3, 3).await;
    let (_, token) = member();
    let held = send(&world, &token, hold(&world, guests(&world, 3), at(5))).await.expect("held");
    pay(&world, &held.bookings[0]).await;
    pay(&world, &held.bookings[1]).await;
    // Too late for getting deposits back; the third was never paid, and is over.
    world.clock.set(crate::world::at_minute(270));
    expire_bookings(&world.app).await.expect("a step");
    let refused = cancel_for(&world, &token, &held.name, 6_399).await.expect_err("dearer");
    assert_eq!((reason(&refused).as_str(), crate::world::fact(&refused, "fee_minor").as_str()), ("FEE_ROSE", "6400"));
    let now = get(&world, &token, &held.name).await.expect("a group");
    assert_eq!(states(&now), [State::Confirmed, State::Confirmed, State::Expired]);

    let ended = cancel_for(&world, &token, &held.name, 6_400).await.expect("given up");
    assert_eq!(states(&ended), [State::Cancelled, State::Cancelled, State::Expired]);
    assert_eq!((ended.state(), ended.shares.len()), (booking_group::State::Ended, 0));
    assert_eq!(world.count("select count(*) from allocation").await, 0);
    let kept = Return::AllBut(cny(3_200));
    let closed = |booking: &pb::Booking| {
        let order = OrderId::parse_name("order", &booking.order).expect("an order");
        world.fake.asked().contains(&Asked::Close(order, kept, "BOOKING_CANCELLED"))
    };
    assert!(closed(&held.bookings[0]) && closed(&held.bookings[1]));
    assert_eq!(reason(&cancel(&world, &token, &held.name).await.expect_err("over")), "WRONG_STATE");
    run_tasks(&world.app).await.expect("done");
    assert_eq!(told(&world, &held.name).await.len(), 3);
}

#[tokio::test]
async fn what_a_guest_has_paid_for_himself_only_he_gives_up() {
    let world = World::new(3, 3).await;
    let ((_, token), (friend, friends)) = (member(), member());
    let mut three = guests(&world, 3);
    three[1].customer = friend.name();
    three[2].customer = friend.name();
    let request = pb::HoldGroupRequest { payer: booking_group::Payer::Split.into(), ..hold(&world, three, at(5)) };
    let held = send(&world, &token, request).await.expect("held");
    pay(&world, &held.bookings[0]).await;
    pay(&world, &held.bookings[1]).await;
    let refused = world.cancel(&token, &held.bookings[1].name).await.expect_err("not his");
    assert_eq!(refused.code(), Code::NotFound);
    let ended = cancel(&world, &token, &held.name).await.expect("given up");
    assert_eq!(states(&ended), [State::Cancelled, State::Confirmed, State::Cancelled]);
    assert_eq!(reason(&cancel(&world, &token, &held.name).await.expect_err("nothing left")), "WRONG_STATE");
    world.cancel(&friends, &held.bookings[1].name).await.expect("his own");
}

#[tokio::test]
async fn whoever_pays_for_a_guest_may_give_his_visit_up_and_so_may_the_guest() {
    let world = World::new(2, 2).await;
    let ((_, token), (friend, friends)) = (member(), member());
    let mut two = guests(&world, 2);
    two[0].customer = friend.name();
    two[1].customer = friend.name();
    let held = send(&world, &token, hold(&world, two, at(5))).await.expect("held");
    world.cancel(&token, &held.bookings[0].name).await.expect("paid by the organiser");
    world.cancel(&friends, &held.bookings[1].name).await.expect("his visit");
    let now = get(&world, &token, &held.name).await.expect("a group");
    assert_eq!(now.state(), booking_group::State::Ended);
}

/// All at once: the group given up, its guests leaving, paid for and run out. Nothing is stuck or told twice.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_group_meets_the_ends_of_its_visits() {
    let world = World::new(4, 4).await;
    for round in 0..20 {
        let (_, token) = member();
        let held = send(&world, &token, hold(&world, guests(&world, 4), at(5))).await.expect("held");
        let leaving = join_all(held.bookings[..2].iter().map(|booking| world.cancel(&token, &booking.name)));
        let paying = async {
            for booking in &held.bookings[1..] {
                pay(&world, booking).await;
            }
        };
        let whole = async {
            let kept = round % 2 == 0;
            if kept { Ok(pb::BookingGroup::default()) } else { cancel(&world, &token, &held.name).await }
        };
        let (left, (), ended) = tokio::join!(leaving, paying, whole);
        for refused in left.into_iter().filter_map(Result::err).chain(ended.err()) {
            assert_eq!(reason(&refused), "WRONG_STATE", "{refused:?}");
        }
        told(&world, &held.name).await;
        let now = get(&world, &token, &held.name).await.expect("a group");
        let kept = now.bookings.iter().filter(|booking| booking.state() == State::Confirmed).count();
        let allocations = "select count(*) from allocation a join booking b on b.id = a.booking_id
                           where b.group_id is not null";
        assert_eq!(world.count(allocations).await, 2 * i64::try_from(kept).expect("few"));
        // Whatever is left makes room for the next round.
        let _ = cancel(&world, &world.admin, &held.name).await;
    }
    assert_eq!(world.overlaps().await, 0);
}
