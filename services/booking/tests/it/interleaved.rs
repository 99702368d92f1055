//! Two at once, of whom the second comes exactly between two steps of the first: what lies between them is a lock that
//! the test has, or a peer that takes its time. Whether somebody has run into a lock is seen in the database. So each of
//! these meets what the race suite would meet by luck.

use std::{future::Future, pin::pin, time::Duration};

use booking::{db::allocation, domain::span::Span, worker::expire_bookings};
use kernel::{Uuid, ids::BookingId};
use pg::Tx;
use proto::booking::v1::{self as pb, booking::State, queue_ticket::State as TicketState};
use rpc::convert::to_timestamp;
use slotlock::SlotLock;
use testkit::{eventually, with_token};
use tokio::join;
use tonic::Code;

use crate::{
    group,
    walk_in::{call, join as join_queue, skip, skipping},
    world::{World, at, at_minute, id, member, reason},
};

/// A lock of the test, into which others run.
struct Gate(Tx);

impl Gate {
    async fn shut(world: &World, sql: &'static str) -> Self {
        let mut tx = world.app.pg.begin().await.expect("a transaction");
        sqlx::raw_sql(sql).execute(&mut *tx).await.expect("a lock");
        Self(tx)
    }

    async fn open(self) {
        self.0.rollback().await.expect("open");
    }
}

/// Waits until so many wait for a lock.
async fn waiting(world: &World, count: i64) {
    let sql = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    eventually(Duration::from_secs(20), || async { world.count(sql).await == count }).await;
}

/// Has both begin, the second when the first has run into the gate, and opens it when the second has run into a lock too,
/// or is done already.
async fn one_after_the_other<A, B>(
    world: &World,
    gate: Gate,
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> (A, B) {
    join!(first, async {
        waiting(world, 1).await;
        let mut second = pin!(second);
        let done = tokio::select! {
            done = &mut second => Some(done),
            () = waiting(world, 2) => None,
        };
        gate.open().await;
        match done {
            Some(done) => done,
            None => second.await,
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_holds_that_would_be_the_last_that_one_may_have_one_is_made() {
    let world = World::new(2, 2).await;
    let (_, token) = member();
    for hour in 0..4 {
        world.send_hold(&token, world.hold(at(2 * hour))).await.expect("held");
    }
    // Whoever comes here has counted already.
    let gate = Gate::shut(&world, "lock table allocation in share mode").await;
    let hold = |hour| world.send_hold(&token, world.hold(at(hour)));
    let (fifth, sixth) = one_after_the_other(&world, gate, hold(8), hold(10)).await;
    fifth.expect("held");
    let refused = sixth.expect_err("he has five");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "TOO_MANY_HOLDS"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_is_prolonged_when_it_was_seen_to_have_run_out_goes_on() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let held = world.send_hold(&token, world.hold(at(5))).await.expect("held");
    world.clock.advance(Duration::from_secs(599));
    let gate = Gate::shut(&world, "select from booking for update").await;
    let request = pb::ExtendHoldRequest { name: held.name.clone(), request_id: id() };
    let extend = async { world.life().extend_hold(with_token(request, &token)).await };
    let expire = async {
        world.clock.advance(Duration::from_secs(1));
        expire_bookings(&world.app).await
    };
    let (extended, expired) = one_after_the_other(&world, gate, extend, expire).await;
    extended.expect("in time");
    assert_eq!(expired.expect("a step"), 0);
    assert_eq!(world.get(&held.name).await.state(), State::AwaitingPayment);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_one_of_whose_places_goes_to_another_meanwhile_has_none() {
    // Without Redis both come as far as the rows.
    let world = World::with_locks(2, 2, SlotLock::new(None, "")).await;
    let ((_, token), (_, other)) = (member(), member());
    // Whoever comes here has his resources, but has not committed.
    let gate = Gate::shut(&world, "lock table task in share mode").await;
    let single = world.send_hold(&other, world.hold(at(2)));
    let both = group::send(&world, &token, group::hold(&world, group::guests(&world, 2), at(2)));
    let (single, both) = one_after_the_other(&world, gate, single, both).await;
    single.expect("held");
    assert_eq!(reason(&both.expect_err("one is taken")), "SLOT_TAKEN");
    assert_eq!(world.count("select count(*) from booking").await, 1);
    assert_eq!(world.count("select count(*) from allocation").await, 2);
}

#[tokio::test]
async fn nobody_is_put_beside_one_who_was_overbooked_while_he_was_asked_for_a_price() {
    let world = World::new(1, 1).await;
    world.confirmed(&member().1, at(2)).await;
    let moved = world.confirmed(&member().1, at(7)).await;
    let request = pb::MoveBookingRequest {
        name: moved.name.clone(),
        start_time: Some(to_timestamp(at_minute(150))),
        overbook_reason: "side by side".to_owned(),
        request_id: id(),
        ..pb::MoveBookingRequest::default()
    };
    let (mut life, request) = (world.life(), with_token(request, &world.admin));
    world.fake.meanwhile.set(async move {
        let moved = life.move_booking(request).await.expect("moved").into_inner();
        assert!(moved.overbooked);
    });
    // After the first visit, but not after the one that lies over it by now.
    let refused = world.send_hold(&member().1, world.hold(at_minute(195))).await.expect_err("taken by now");
    assert_eq!(reason(&refused), "SLOT_TAKEN");
    assert_eq!(world.get(&moved.name).await.start_time, Some(to_timestamp(at_minute(150))));
}

#[tokio::test]
async fn nothing_is_kept_in_a_shift_that_was_deleted_while_one_was_asked_for_a_price() {
    let world = World::new(0, 1).await;
    let lin = world.create_therapist("Lin", "thai").await.name;
    let shift = world.create_shift(&lin, at(0), at(12)).await.expect("a shift");
    let request = pb::DeleteShiftRequest { name: shift.name, request_id: id(), ..pb::DeleteShiftRequest::default() };
    let (mut roster, request) = (world.roster(), with_token(request, &world.admin));
    world.fake.meanwhile.set(async move {
        roster.delete_shift(request).await.expect("nobody is stranded");
    });
    let refused = world.send_hold(&member().1, world.hold(at(2))).await.expect_err("she is off");
    assert_eq!(reason(&refused), "NOT_ON_SHIFT");
    assert_eq!(world.count("select count(*) from allocation").await, 0);
}

#[tokio::test]
async fn who_was_passed_over_before_he_is_called_is_not_called() {
    let world = World::new(1, 1).await;
    world.clock.set(at(1));
    let [first, second] = [join_queue(&world, 0).await, join_queue(&world, 0).await];
    let (mut desk, request) = (world.walk_ins(), skipping(&world, &first.name));
    world.fake.meanwhile.set(async move {
        let passed = desk.skip_ticket(request).await.expect("he waits").into_inner();
        assert_eq!(passed.position, 2);
    });
    assert_eq!(call(&world).await.expect("due").name, second.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_just_being_called_is_not_passed_over() {
    let world = World::new(1, 1).await;
    world.clock.set(at(1));
    let first = join_queue(&world, 0).await;
    join_queue(&world, 0).await;
    // Whoever comes here has seen that the queue is as it was.
    let gate = Gate::shut(&world, "lock table allocation in share mode").await;
    let (called, passed) = one_after_the_other(&world, gate, call(&world), skip(&world, &first.name)).await;
    let called = called.expect("due");
    assert_eq!((called.name, called.state), (first.name, TicketState::Called.into()));
    assert_eq!(reason(&passed.expect_err("he is called")), "WRONG_STATE");
}

/// Whoever takes resources from the other end would have one that the first needs next, and need one that he has.
#[tokio::test(flavor = "multi_thread")]
async fn resources_are_taken_in_one_order_in_whatever_order_they_are_asked_for() {
    let world = World::new(1, 1).await;
    let mut bookings = Vec::new();
    for hour in [0, 2, 4] {
        let held = world.send_hold(&member().1, world.hold(at(hour))).await.expect("held");
        bookings.push(BookingId::parse_name("name", &held.name).expect("a booking"));
    }
    let [low, middle, high] = [1, 2, 3].map(Uuid::from_u128);
    let take = async |booking: BookingId, resources: Vec<Uuid>| {
        let mut tx = world.app.pg.begin().await.expect("a transaction");
        let wanted = resources.into_iter().map(|resource| (booking, resource, Span::new(0, 60))).collect();
        let taken = allocation::take_all(&mut tx, wanted).await;
        (taken, tx)
    };
    let kept = async |booking, resources| {
        let (taken, tx) = take(booking, resources).await;
        tx.commit().await.map(|()| taken.expect("no deadlock"))
    };
    let (taken, tx) = take(bookings[2], vec![middle]).await;
    assert!(taken.expect("free"));
    let (upwards, downwards) = (kept(bookings[0], vec![low, middle, high]), kept(bookings[1], vec![high, middle, low]));
    let (upwards, downwards) = one_after_the_other(&world, Gate(tx), upwards, downwards).await;
    assert_eq!((upwards.expect("committed"), downwards.expect("committed")), (true, false));
}
