//! What visits count for their therapists that come about, or change, in other ways than by a hold.

use std::time::Duration;

use booking::{
    domain::policy::AssignmentPolicy,
    worker::{expire_bookings, follow_shifts, keep_waitlist, run_tasks},
};
use kernel::{
    Uuid,
    ids::{BookingId, StoreId, TherapistId},
};
use proto::booking::v1 as pb;
use testkit::with_token;

use crate::{
    waitlist::{self, wish},
    walk_in,
    world::{World, at, at_minute, id, member},
};

/// A world whose store goes by `policy`, an hour after its first opening.
async fn world(therapists: usize, policy: AssignmentPolicy) -> World {
    let world = World::new(therapists, therapists).await;
    sqlx::query("insert into store_policy (store_id, assignment) values ($1, $2)")
        .bind(StoreId::parse_name("store", &world.store).expect("a store").uuid())
        .bind(policy.as_str())
        .execute(world.app.pg.pool())
        .await
        .expect("a policy");
    world.clock.set(at(1));
    follow_shifts(&world.app).await.expect("followed");
    world
}

/// What a visit counts: for which therapist of the world, and how many minutes.
async fn counted(world: &World, booking: &str) -> Vec<(usize, i32)> {
    let rows: Vec<(Uuid, i32)> = sqlx::query_as(
        "select therapist_id, minutes from assignment_credit where booking_id = $1 and not given_back order by 2",
    )
    .bind(BookingId::parse_name("booking", booking).expect("a booking").uuid())
    .fetch_all(world.app.pg.pool())
    .await
    .expect("credits");
    let place = |therapist| world.therapists.iter().position(|name| *name == TherapistId::from_uuid(therapist).name());
    rows.into_iter().map(|(therapist, minutes)| (place(therapist).expect("of this world"), minutes)).collect()
}

/// Who gets the next visit, given up again.
async fn next(world: &World, hour: i64) -> String {
    let (_, token) = member();
    let held = world.send_hold(&token, world.hold(at(hour))).await.expect("held");
    world.cancel(&token, &held.name).await.expect("given up");
    held.therapist
}

#[tokio::test]
async fn a_longer_visit_counts_for_longer_and_costs_no_second_turn() {
    let world = world(2, AssignmentPolicy::WeightedFairness).await;
    let [first, second] = [world.running(&member().1, at(1)).await, world.confirmed(&member().1, at(4)).await];
    assert_ne!(first.therapist, second.therapist);
    let place = world.therapists.iter().position(|name| *name == first.therapist).expect("one of them");
    assert_eq!(counted(&world, &first.name).await, [(place, 60)]);
    world.extend(&world.admin, &first.name, 30).await.expect("longer");
    assert_eq!(counted(&world, &first.name).await, [(place, 90)]);
    // Whoever worked less comes first, whose name comes last.
    assert_eq!(next(&world, 6).await, second.therapist);
    let again = world.extend(&world.admin, &first.name, 15).await.expect("longer still");
    assert_eq!((counted(&world, &first.name).await, again.extension_minutes), (vec![(place, 105)], 45));

    let world = self::world(2, AssignmentPolicy::Rotation).await;
    let running = world.running(&member().1, at(1)).await;
    let place = world.therapists.iter().position(|name| *name == running.therapist).expect("one of them");
    let turns = "select count(*) from rotation_log where cause = 'TURN'";
    let before = world.count(turns).await;
    world.extend(&world.admin, &running.name, 30).await.expect("longer");
    assert_eq!((world.count(turns).await, counted(&world, &running.name).await.len()), (before, 1));
    assert_ne!(next(&world, 6).await, world.therapists[place]);
}

#[tokio::test]
async fn a_longer_visit_of_somebody_who_was_asked_for_counts_nothing_as_before() {
    let world = world(2, AssignmentPolicy::WeightedFairness).await;
    let hold = pb::HoldSlotRequest { therapist: world.therapists[1].clone(), ..world.hold(at(3)) };
    let booking = world.send_hold(&member().1, hold).await.expect("held");
    world.paid(&booking, 3_200).await;
    world.clock.set(at(3));
    let check_in = pb::CheckInBookingRequest { name: booking.name.clone(), request_id: id() };
    world.bookings().check_in_booking(with_token(check_in, &world.admin)).await.expect("checked in");
    let begin = pb::StartBookingRequest { name: booking.name.clone(), request_id: id() };
    world.bookings().start_booking(with_token(begin, &world.admin)).await.expect("started");
    world.extend(&world.admin, &booking.name, 30).await.expect("longer");
    assert!(counted(&world, &booking.name).await.is_empty());
}

#[tokio::test]
async fn an_offer_counts_while_it_stands_and_not_if_somebody_was_asked_for() {
    let world = world(1, AssignmentPolicy::WeightedFairness).await;
    let (holder, time) = (member().1, at(5));
    let taken = world.confirmed(&holder, time).await;
    assert_eq!(counted(&world, &taken.name).await, [(0, 60)]);
    let asked = pb::JoinWaitlistRequest { therapist: world.therapists[0].clone(), ..wish(&world, time) };
    let asked = waitlist::join(&world, &member().1, asked).await.expect("in line").name;
    world.clock.advance(Duration::from_secs(1));
    let anybody = waitlist::joined(&world, &member().1, time).await;
    world.cancel(&holder, &taken.name).await.expect("cancelled");
    assert!(counted(&world, &taken.name).await.is_empty());
    run_tasks(&world.app).await.expect("served");
    // Whoever asks for somebody takes nobody's turn.
    let offer = waitlist::entry(&world, &asked).await.booking;
    assert!(world.get(&offer).await.requested && counted(&world, &offer).await.is_empty());
    world.clock.advance(Duration::from_secs(15 * 60));
    expire_bookings(&world.app).await.expect("ended");
    run_tasks(&world.app).await.expect("served");
    let offer = waitlist::entry(&world, &anybody).await.booking;
    assert_eq!(counted(&world, &offer).await, [(0, 60)]);
    world.clock.advance(Duration::from_secs(15 * 60));
    expire_bookings(&world.app).await.expect("ended");
    keep_waitlist(&world.app).await.expect("served");
    assert!(counted(&world, &offer).await.is_empty());
}

#[tokio::test]
async fn a_walk_in_counts_as_any_visit_and_not_if_somebody_was_asked_for() {
    let world = world(2, AssignmentPolicy::WeightedFairness).await;
    let first = walk_in::join(&world, 0).await;
    let called = walk_in::call(&world).await.expect("due");
    assert_eq!(called.name, first.name);
    let given = counted(&world, &called.booking).await;
    assert_eq!(given.iter().map(|(_, minutes)| *minutes).collect::<Vec<_>>(), [60]);
    // The other one is asked for: it is her visit, but not her turn, and the next is hers all the same.
    let other = 1 - given[0].0;
    let asked = pb::JoinQueueRequest { therapist: world.therapists[other].clone(), ..walk_in::ask(&world, member().0) };
    walk_in::send(&world, asked).await.expect("a ticket");
    let called = walk_in::call(&world).await.expect("due");
    let visit = world.get(&called.booking).await;
    assert!(visit.requested && visit.therapist == world.therapists[other]);
    assert!(counted(&world, &called.booking).await.is_empty());
    world.clock.set(at_minute(180));
    walk_in::join(&world, 0).await;
    let called = walk_in::call(&world).await.expect("due");
    assert_eq!(counted(&world, &called.booking).await, [(other, 60)]);
}
