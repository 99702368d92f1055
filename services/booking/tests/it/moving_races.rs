//! Changes of one visit that meet each other, and holds that want its times. Small rounds, many of them; after each, what
//! was acknowledged must be so, and nothing may overlap.

use std::time::Duration;

use booking::worker::{close_missed, expire_bookings};
use kernel::Timestamp;
use proto::booking::v1::{self as pb, booking::State};
use rpc::convert::to_timestamp;
use testkit::with_token;
use tonic::Status;

use crate::world::{World, at, at_minute, id, member, reason};

const ROUNDS: i64 = 100;

/// A lost race has one of these reasons, never another.
fn lost(outcome: &Result<pb::Booking, Status>, reasons: &[&str]) {
    if let Err(status) = outcome {
        assert!(reasons.contains(&reason(status).as_str()), "{status:?}");
    }
}

async fn check(world: &World) {
    assert_eq!(world.overlaps().await, 0);
    // Whoever keeps a time keeps both therapist and room, and nobody else keeps anything.
    let wrong = "select count(*) from booking b where
                 (state in ('HELD', 'AWAITING_PAYMENT', 'CONFIRMED', 'CHECKED_IN', 'IN_SERVICE', 'COMPLETED')) <>
                 ((select count(*) from allocation a where a.booking_id = b.id) = 2)
                 or exists (select from allocation a where a.booking_id = b.id and a.resource_id = b.therapist_id
                            and (a.start_time, a.end_time) <> (b.start_time, b.end_time))";
    assert_eq!(world.count(wrong).await, 0);
    let versions = "select count(*) from booking b where version <>
                    (select count(*) from booking_history h where h.booking_id = b.id)
                    or version <> (select count(*) from outbox o where o.aggregate_id = b.id)";
    assert_eq!(world.count(versions).await, 0);
}

/// Times that every round has for itself: six hours of one of the two days on which everybody is on duty.
fn round_start(round: i64) -> Timestamp {
    at(24 + round % 2 * 24 + 2)
}

async fn clear(world: &World, names: &[&str]) {
    for name in names {
        let request = pb::CancelBookingRequest { name: (*name).to_owned(), request_id: id(), ..Default::default() };
        let _ = world.bookings().cancel_booking(with_token(request, &world.admin)).await;
    }
}

fn hour_after(start: Timestamp, hours: i64) -> Timestamp {
    start + jiff::SignedDuration::from_hours(hours)
}

#[tokio::test(flavor = "multi_thread")]
async fn reschedule_against_a_hold_of_the_same_time() {
    let world = World::new(1, 1).await;
    let mut won = [0, 0];
    for round in 0..ROUNDS {
        let start = round_start(round);
        let (_, token) = member();
        let booking = world.confirmed(&token, start).await;
        let to = hour_after(start, 2);
        let other = member().1;
        let (moved, held) =
            tokio::join!(world.reschedule(&token, &booking.name, to), world.send_hold(&other, world.hold(to)));
        lost(&moved, &["SLOT_TAKEN"]);
        lost(&held, &["SLOT_TAKEN"]);
        assert!(moved.is_ok() != held.is_ok(), "round {round}: {moved:?} {held:?}");
        won[usize::from(held.is_ok())] += 1;
        let now = world.get(&booking.name).await;
        let expected = if moved.is_ok() { to } else { start };
        assert_eq!(now.start_time, Some(to_timestamp(expected)));
        check(&world).await;
        let held = held.map(|held| held.name).unwrap_or_default();
        clear(&world, &[&booking.name, &held]).await;
    }
    println!("rescheduled {}, held {}", won[0], won[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn reschedule_against_cancel() {
    let world = World::new(1, 1).await;
    for round in 0..ROUNDS {
        let start = round_start(round);
        let (_, token) = member();
        let booking = world.confirmed(&token, start).await;
        let to = hour_after(start, 2);
        let (moved, cancelled) =
            tokio::join!(world.reschedule(&token, &booking.name, to), world.cancel(&token, &booking.name));
        lost(&moved, &["WRONG_STATE"]);
        cancelled.expect("a cancellation always wins in the end");
        let now = world.get(&booking.name).await;
        assert_eq!(now.state(), State::Cancelled);
        let expected = if moved.is_ok() { to } else { start };
        assert_eq!(now.start_time, Some(to_timestamp(expected)));
        check(&world).await;
    }
    assert_eq!(world.count("select count(*) from allocation").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_reschedules_of_one_visit_and_two_visits_that_swap() {
    let world = World::new(2, 2).await;
    for round in 0..ROUNDS {
        let start = round_start(round);
        let ((_, token), (_, other)) = (member(), member());
        let booking = world.confirmed(&token, start).await;
        let (to, too) = (hour_after(start, 2), hour_after(start, 3));
        let (a, b) =
            tokio::join!(world.reschedule(&token, &booking.name, to), world.reschedule(&token, &booking.name, too));
        let versions = [a.expect("one after the other").version, b.expect("one after the other").version];
        let now = world.get(&booking.name).await;
        assert_eq!(now.version, versions[0].max(versions[1]));
        let last = if versions[0] > versions[1] { to } else { too };
        assert_eq!(now.start_time, Some(to_timestamp(last)));
        // Two who want each other's time, with offset minutes.
        let second = world.confirmed(&other, hour_after(start, 5)).await;
        let (a, b) = tokio::join!(
            world.reschedule(&token, &booking.name, hour_after(start, 5) + Duration::from_secs(900)),
            world.reschedule(&other, &second.name, last + Duration::from_secs(900))
        );
        lost(&a, &["SLOT_TAKEN"]);
        lost(&b, &["SLOT_TAKEN"]);
        check(&world).await;
        clear(&world, &[&booking.name, &second.name]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expiry_against_a_prolonged_hold() {
    let world = World::new(1, 1).await;
    for round in 0..ROUNDS {
        let (_, token) = member();
        let held = world.send_hold(&token, world.hold(round_start(round))).await.expect("held");
        world.clock.advance(Duration::from_secs(599));
        let request = pb::ExtendHoldRequest { name: held.name.clone(), request_id: id() };
        let extend = async { world.life().extend_hold(with_token(request, &token)).await };
        let expire = async {
            world.clock.advance(Duration::from_secs(1));
            expire_bookings(&world.app).await.expect("a step")
        };
        let (extended, expired) = tokio::join!(extend, expire);
        let extended = extended.map(tonic::Response::into_inner);
        lost(&extended, &["HOLD_ENDED", "WRONG_STATE"]);
        assert!(extended.is_ok() || expired == 1 || expire_bookings(&world.app).await.expect("a step") == 1);
        let now = world.get(&held.name).await;
        let expected = if extended.is_ok() { State::AwaitingPayment } else { State::Expired };
        assert_eq!(now.state(), expected, "round {round}");
        check(&world).await;
        clear(&world, &[&held.name]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_show_against_check_in() {
    let world = World::new(12, 12).await;
    for batch in 0..5 {
        let start = at(batch * 2);
        let mut visits = Vec::new();
        for _ in 0..12 {
            visits.push(world.confirmed(&member().1, start).await);
        }
        world.clock.set(start + Duration::from_secs(900));
        let check_ins = visits.iter().map(|visit| {
            let request = pb::CheckInBookingRequest { name: visit.name.clone(), request_id: id() };
            let world = &world;
            async move { world.bookings().check_in_booking(with_token(request, &world.admin)).await }
        });
        let (checked_in, closed, again) = tokio::join!(
            futures_util::future::join_all(check_ins),
            async { close_missed(&world.app).await.expect("a step") },
            async { close_missed(&world.app).await.expect("a step") },
        );
        let came = checked_in.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(came + closed + again, 12);
        for (visit, outcome) in visits.iter().zip(checked_in) {
            let outcome = outcome.map(tonic::Response::into_inner);
            lost(&outcome, &["WRONG_STATE"]);
            let expected = if outcome.is_ok() { State::CheckedIn } else { State::NoShow };
            assert_eq!(world.get(&visit.name).await.state(), expected);
        }
        check(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn extension_against_a_hold_of_the_next_time() {
    let world = World::new(1, 1).await;
    // The room needs 10 minutes after and 5 before: the next visit starts 15 minutes after the end.
    let running = world.running(&member().1, at(0)).await;
    let mut end = 60;
    for round in 0..ROUNDS {
        let next = at_minute(end + 15);
        let other = member().1;
        let (longer, held) =
            tokio::join!(world.extend(&world.admin, &running.name, 5), world.send_hold(&other, world.hold(next)));
        lost(&longer, &["SLOT_TAKEN", "OUTSIDE_OPENING_HOURS"]);
        lost(&held, &["SLOT_TAKEN", "OUTSIDE_OPENING_HOURS"]);
        assert!(!(longer.is_ok() && held.is_ok()), "round {round}");
        let now = world.get(&running.name).await;
        end += if longer.is_ok() { 5 } else { 0 };
        assert_eq!(now.end_time, Some(to_timestamp(at_minute(end))));
        check(&world).await;
        if let Ok(held) = held {
            clear(&world, &[&held.name]).await;
        }
    }
}
