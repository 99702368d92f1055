//! The waitlist: who is offered a time that gets free, and what becomes of the offer.

use std::time::Duration;

use booking::{
    App, Policy,
    worker::{expire_bookings, keep_waitlist, run_tasks},
};
use jiff::SignedDuration;
use kernel::Timestamp;
use proto::booking::v1::{self as pb, booking::State as BookingState, waitlist_entry::State};
use rpc::convert::to_timestamp;
use slotlock::SlotLock;
use testkit::with_token;
use tonic::{Code, Status};

use crate::world::{World, at, field, id, member, reason};

/// A wish for exactly this start.
pub fn wish(world: &World, start: Timestamp) -> pb::JoinWaitlistRequest {
    pb::JoinWaitlistRequest {
        store: world.store.clone(),
        item: world.item.clone(),
        start_time: Some(to_timestamp(start)),
        end_time: Some(to_timestamp(start + SignedDuration::from_mins(5))),
        request_id: id(),
        ..pb::JoinWaitlistRequest::default()
    }
}

pub async fn join(world: &World, token: &str, request: pb::JoinWaitlistRequest) -> Result<pb::WaitlistEntry, Status> {
    world.waitlist().join_waitlist(with_token(request, token)).await.map(tonic::Response::into_inner)
}

pub async fn joined(world: &World, token: &str, start: Timestamp) -> String {
    let entry = join(world, token, wish(world, start)).await.expect("in line");
    // The next one comes later.
    world.clock.advance(Duration::from_secs(1));
    entry.name
}

pub async fn entry(world: &World, name: &str) -> pb::WaitlistEntry {
    let request = pb::GetWaitlistEntryRequest { name: name.to_owned() };
    world.waitlist().get_waitlist_entry(with_token(request, &world.admin)).await.expect("an entry").into_inner()
}

async fn leave(world: &World, token: &str, name: &str) -> Result<pb::WaitlistEntry, Status> {
    let request = pb::LeaveWaitlistRequest { name: name.to_owned(), request_id: id() };
    world.waitlist().leave_waitlist(with_token(request, token)).await.map(tonic::Response::into_inner)
}

async fn accept(world: &World, token: &str, name: &str) -> Result<pb::WaitlistEntry, Status> {
    let request = pb::AcceptOfferRequest { name: name.to_owned(), request_id: id() };
    world.waitlist().accept_offer(with_token(request, token)).await.map(tonic::Response::into_inner)
}

/// What the worker does.
async fn serve(world: &World) {
    run_tasks(&world.app).await.expect("tasks");
    keep_waitlist(&world.app).await.expect("served");
    run_tasks(&world.app).await.expect("tasks");
}

async fn run_out(world: &World) {
    world.clock.advance(Duration::from_secs(15 * 60));
    expire_bookings(&world.app).await.expect("ended");
    serve(world).await;
}

/// Every version of an entry has its event, and no entry has two offers.
async fn check(world: &World) {
    assert_eq!(world.overlaps().await, 0);
    let versions = "select count(*) from waitlist_entry e
                    where version <> (select count(*) from outbox o where o.aggregate_id = e.id)";
    assert_eq!(world.count(versions).await, 0);
    let offers = "select count(*) from waitlist_entry e
                  where (state = 'OFFERED') <> exists (select from waitlist_offer o join booking b on b.id = o.booking_id
                        where o.entry_id = e.id and o.outcome is null and b.state in ('HELD', 'AWAITING_PAYMENT'))";
    assert_eq!(world.count(offers).await, 0);
}

/// A second process over the same database.
fn another(world: &World, policy: Policy) -> std::sync::Arc<App> {
    let locks = SlotLock::new(None, String::new());
    App::new(world.app.pg.clone(), locks, world.clock.clone(), policy, world.app.links.clone(), world.fake.peers())
}

#[tokio::test]
async fn a_freed_time_goes_to_the_first_in_line_and_then_to_the_next() {
    let world = World::new(1, 1).await;
    let (holder, time) = (member().1, at(3));
    let booking = world.confirmed(&holder, time).await;
    let [a, b, c] = [member().1, member().1, member().1];
    let mut line = Vec::new();
    for token in [&a, &b, &c] {
        line.push(joined(&world, token, time).await);
    }
    serve(&world).await;
    for (name, ahead) in line.iter().zip(0..) {
        let entry = entry(&world, name).await;
        assert_eq!((entry.state(), entry.ahead_count), (State::Waiting, ahead));
    }
    world.cancel(&holder, &booking.name).await.expect("cancelled");
    serve(&world).await;
    let first = entry(&world, &line[0]).await;
    assert_eq!((first.state(), entry(&world, &line[1]).await.state()), (State::Offered, State::Waiting));
    let held = world.get(&first.booking).await;
    assert_eq!((held.state(), held.start_time), (BookingState::AwaitingPayment, Some(to_timestamp(time))));
    assert_eq!(held.hold_expire_time, first.offer_expire_time);
    // Nobody else is shown it, and it can't be prolonged.
    assert!(world.search(time, time + SignedDuration::from_mins(5)).await.is_empty());
    let request = pb::ExtendHoldRequest { name: held.name.clone(), request_id: id() };
    let refused = world.life().extend_hold(with_token(request, &a)).await.expect_err("the next waits");
    assert_eq!(reason(&refused), "HOLD_LIMIT");
    check(&world).await;

    run_out(&world).await;
    let (first, second) = (entry(&world, &line[0]).await, entry(&world, &line[1]).await);
    assert_eq!((first.state(), first.passed_count, second.state()), (State::Waiting, 1, State::Offered));
    world.paid(&world.get(&second.booking).await, 3_200).await;
    assert_eq!(entry(&world, &line[1]).await.state(), State::Taken);
    assert_eq!(world.get(&second.booking).await.state(), BookingState::Confirmed);
    run_out(&world).await;
    assert_eq!(entry(&world, &line[2]).await.state(), State::Waiting);
    check(&world).await;
}

#[tokio::test]
async fn whoever_lets_a_time_pass_is_not_offered_it_again() {
    let world = World::new(1, 1).await;
    let (holder, time) = (member().1, at(3));
    let booking = world.confirmed(&holder, time).await;
    let (_, token) = member();
    let name = joined(&world, &token, time).await;
    world.cancel(&holder, &booking.name).await.expect("cancelled");
    serve(&world).await;
    assert_eq!(entry(&world, &name).await.state(), State::Offered);
    run_out(&world).await;
    run_out(&world).await;
    assert_eq!(entry(&world, &name).await.state(), State::Waiting);
    assert_eq!(world.search(time, time + SignedDuration::from_mins(5)).await.len(), 1);
    // In the end the time is past.
    world.clock.set(time + SignedDuration::from_mins(5));
    serve(&world).await;
    assert_eq!(entry(&world, &name).await.state(), State::Over);
    check(&world).await;
}

#[tokio::test]
async fn an_offer_survives_a_restart() {
    let world = World::new(1, 1).await;
    let (holder, time) = (member().1, at(3));
    let booking = world.confirmed(&holder, time).await;
    let (a, b) = (joined(&world, &member().1, time).await, joined(&world, &member().1, time).await);
    world.cancel(&holder, &booking.name).await.expect("cancelled");
    // The process that freed the time is gone before it served anybody.
    run_tasks(&another(&world, Policy::default())).await.expect("tasks");
    assert_eq!(entry(&world, &a).await.state(), State::Offered);
    world.clock.advance(Duration::from_secs(15 * 60));
    expire_bookings(&another(&world, Policy::default())).await.expect("ended");
    run_tasks(&another(&world, Policy::default())).await.expect("tasks");
    assert_eq!((entry(&world, &a).await.state(), entry(&world, &b).await.state()), (State::Waiting, State::Offered));
    check(&world).await;
}

#[tokio::test]
async fn leaving_passes_an_offer_on_and_declining_does_too() {
    let world = World::new(1, 1).await;
    let (holder, time) = (member().1, at(3));
    let booking = world.confirmed(&holder, time).await;
    let tokens = [member().1, member().1, member().1];
    let mut line = Vec::new();
    for token in &tokens {
        line.push(joined(&world, token, time).await);
    }
    world.cancel(&holder, &booking.name).await.expect("cancelled");
    serve(&world).await;
    let left = leave(&world, &tokens[0], &line[0]).await.expect("left");
    assert_eq!((left.state(), world.get(&left.booking).await.state()), (State::Left, BookingState::Cancelled));
    serve(&world).await;
    let second = entry(&world, &line[1]).await;
    assert_eq!(second.state(), State::Offered);
    world.cancel(&tokens[1], &second.booking).await.expect("declined");
    serve(&world).await;
    let states = (entry(&world, &line[1]).await.state(), entry(&world, &line[2]).await.state());
    assert_eq!(states, (State::Waiting, State::Offered));
    let again = leave(&world, &tokens[0], &line[0]).await.expect_err("left already");
    assert_eq!(reason(&again), "WRONG_STATE");
    check(&world).await;
}

#[tokio::test]
async fn without_a_deposit_an_offer_is_accepted() {
    let world = World::new(1, 1).await;
    let (holder, time) = (member().1, at(3));
    let booking = world.confirmed(&holder, time).await;
    let (_, token) = member();
    let name = joined(&world, &token, time).await;
    let early = accept(&world, &token, &name).await.expect_err("nothing is offered");
    assert_eq!(reason(&early), "WRONG_STATE");
    world.cancel(&holder, &booking.name).await.expect("cancelled");
    let free = another(&world, Policy { deposit_basis_points: 0, ..Policy::default() });
    run_tasks(&free).await.expect("tasks");
    let offered = entry(&world, &name).await;
    assert_eq!((offered.state(), world.get(&offered.booking).await.state()), (State::Offered, BookingState::Held));
    let taken = accept(&world, &token, &name).await.expect("accepted");
    assert_eq!(taken.state(), State::Taken);
    assert_eq!(world.get(&taken.booking).await.state(), BookingState::Confirmed);
    let late = accept(&world, &token, &name).await.expect_err("it is taken");
    assert_eq!(reason(&late), "WRONG_STATE");
    check(&world).await;
}

#[tokio::test]
async fn whoever_has_a_visit_then_is_passed_over_and_offers_do_not_count_as_holds() {
    let world = World::new(2, 2).await;
    let (holder, time) = (member().1, at(3));
    let [first, second] = [world.confirmed(&holder, time).await, world.confirmed(&holder, time).await];
    let (a, b) = (member().1, member().1);
    let line = [joined(&world, &a, time).await, joined(&world, &b, time).await];
    // He holds as many times as he may.
    for hours in [5, 6, 7, 8, 9] {
        world.send_hold(&b, world.hold(at(hours))).await.expect("held");
    }
    world.cancel(&holder, &first.name).await.expect("cancelled");
    world.send_hold(&a, world.hold(time)).await.expect("he was quicker than the worker");
    serve(&world).await;
    world.cancel(&holder, &second.name).await.expect("cancelled");
    serve(&world).await;
    let states = (entry(&world, &line[0]).await.state(), entry(&world, &line[1]).await.state());
    assert_eq!(states, (State::Waiting, State::Offered));
    check(&world).await;
}

#[tokio::test]
async fn a_shift_that_is_added_serves_the_line() {
    let world = World::new(1, 1).await;
    let time = at(4 * 24 + 1);
    let name = joined(&world, &member().1, time).await;
    serve(&world).await;
    assert_eq!(entry(&world, &name).await.state(), State::Waiting);
    world.create_shift(&world.therapists[0], at(4 * 24), at(4 * 24 + 8)).await.expect("a shift");
    serve(&world).await;
    assert_eq!(entry(&world, &name).await.state(), State::Offered);
    check(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_workers_make_one_offer_of_one_time() {
    let world = World::new(1, 1).await;
    let (holder, time) = (member().1, at(3));
    let booking = world.confirmed(&holder, time).await;
    let mut line = Vec::new();
    for _ in 0..3 {
        line.push(joined(&world, &member().1, time).await);
    }
    run_tasks(&world.app).await.expect("tasks");
    world.cancel(&holder, &booking.name).await.expect("cancelled");
    let workers = (0..8).map(|_| {
        let app = another(&world, Policy::default());
        tokio::spawn(async move { keep_waitlist(&app).await })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("no panic").expect("served");
    }
    run_tasks(&world.app).await.expect("tasks");
    assert_eq!(world.count("select count(*) from waitlist_offer").await, 1);
    assert_eq!(entry(&world, &line[0]).await.state(), State::Offered);
    check(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_against_hold_against_serve() {
    let world = World::new(1, 1).await;
    let (mut offered, mut held) = (0, 0);
    for round in 0..50 {
        let time = at(24 + round % 2 * 24 + 2);
        let (holder, waiting, other) = (member().1, member().1, member().1);
        let booking = world.confirmed(&holder, time).await;
        let name = joined(&world, &waiting, time).await;
        let (cancelled, quick, served) = tokio::join!(
            world.cancel(&holder, &booking.name),
            world.send_hold(&other, world.hold(time)),
            run_tasks(&world.app)
        );
        cancelled.expect("cancelled");
        served.expect("served");
        serve(&world).await;
        let now = entry(&world, &name).await;
        assert!(quick.is_ok() != (now.state() == State::Offered), "round {round}: {quick:?} {now:?}");
        check(&world).await;
        match quick {
            Ok(booking) => {
                held += 1;
                leave(&world, &waiting, &name).await.expect("left");
                world.cancel(&other, &booking.name).await.expect("cancelled");
            }
            Err(status) => {
                offered += 1;
                assert_eq!(reason(&status), "SLOT_TAKEN");
                leave(&world, &waiting, &name).await.expect("left");
            }
        }
        serve(&world).await;
    }
    println!("offered {offered}, held {held}");
}

#[tokio::test]
async fn bad_input_is_named_and_changes_nothing() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let time = at(3);
    let free = join(&world, &token, wish(&world, time)).await.expect_err("it can be held");
    assert_eq!(reason(&free), "TIMES_FREE");
    world.confirmed(&member().1, time).await;
    let good = wish(&world, time);
    let days = |days: i64| Some(to_timestamp(time + SignedDuration::from_hours(days * 24)));
    let wrong = [
        (pb::JoinWaitlistRequest { end_time: good.start_time, ..good.clone() }, "end_time"),
        (pb::JoinWaitlistRequest { end_time: days(32), ..good.clone() }, "end_time"),
        (pb::JoinWaitlistRequest { start_time: days(-9), end_time: days(-8), ..good.clone() }, "end_time"),
        (pb::JoinWaitlistRequest { start_time: days(200), end_time: days(201), ..good.clone() }, "start_time"),
        (pb::JoinWaitlistRequest { start_time: None, ..good.clone() }, "start_time"),
        (pb::JoinWaitlistRequest { item: String::new(), ..good.clone() }, "item"),
        (pb::JoinWaitlistRequest { min_grade: 6, ..good.clone() }, "min_grade"),
        (pb::JoinWaitlistRequest { request_id: "x".to_owned(), ..good.clone() }, "request_id"),
        (pb::JoinWaitlistRequest { therapist: format!("therapists/{}", id()), ..good.clone() }, "therapist"),
    ];
    for (request, named) in wrong {
        let refused = join(&world, &token, request).await.expect_err("refused");
        assert_eq!((refused.code(), field(&refused).as_str()), (Code::InvalidArgument, named), "{refused:?}");
    }
    assert_eq!(world.count("select count(*) from waitlist_entry").await, 0);

    let entry = join(&world, &token, good.clone()).await.expect("in line");
    assert_eq!(join(&world, &token, good).await.expect("the same").name, entry.name);
    let twice = join(&world, &token, wish(&world, time)).await.expect_err("he waits already");
    assert_eq!(reason(&twice), "ON_WAITLIST");
    let request = pb::GetWaitlistEntryRequest { name: entry.name.clone() };
    let other = world.waitlist().get_waitlist_entry(with_token(request, &member().1)).await.expect_err("not his");
    assert_eq!(other.code(), Code::NotFound);
    let request = pb::ListWaitlistEntriesRequest::default();
    let own = world.waitlist().list_waitlist_entries(with_token(request, &token)).await.expect("a list").into_inner();
    assert_eq!(own.entries.iter().map(|own| &own.name).collect::<Vec<_>>(), [&entry.name]);
    let due = accept(&world, &token, &entry.name).await.expect_err("nothing is offered");
    assert_eq!(reason(&due), "WRONG_STATE");
}
