//! Redis stops, hangs, forgets and comes back.

use std::time::Duration;

use slotlock::{BUDGET, SlotLock, Take};
use tokio::time::Instant;

use crate::{MINUTE, connection, id, keys};

/// What a call may cost beyond its budget on a busy test machine.
const SLACK: Duration = Duration::from_millis(450);

/// The answer once Redis is of use again.
async fn recovered(locks: &SlotLock, owner: u128, wanted: &[slotlock::SlotKey]) -> Take {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match locks.take(id(owner), wanted, MINUTE).await {
            Take::Unknown => assert!(Instant::now() < deadline, "it never recovered"),
            known => return known,
        }
        tokio::task::yield_now().await;
    }
}

/// Ten calls, each of which must be unknown and quick; returns the time of the last five, when the breaker is open.
async fn ten_unknown(locks: &SlotLock, wanted: &[slotlock::SlotKey]) -> Duration {
    let mut skipped = Duration::ZERO;
    for call in 0..10 {
        let before = Instant::now();
        assert_eq!(locks.take(id(1), wanted, MINUTE).await, Take::Unknown);
        assert!(before.elapsed() < BUDGET + SLACK, "call {call} took {:?}", before.elapsed());
        if call >= 5 {
            skipped += before.elapsed();
        }
    }
    skipped
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_down_costs_little_and_is_used_again_when_it_is_back() {
    let server = testkit::own_redis().await;
    let locks = SlotLock::new(Some(connection(server.client())), "test:");
    let wanted = keys(&[0], 0, 60);
    assert_eq!(recovered(&locks, 1, &wanted).await, Take::Taken);
    server.kill().await;
    let skipped = ten_unknown(&locks, &wanted).await;
    assert!(skipped < BUDGET, "five calls with an open breaker took {skipped:?}");
    locks.release(id(1), &wanted).await;
    server.restart().await;
    assert_eq!(recovered(&locks, 2, &wanted).await, Take::Taken, "it has forgotten, and Postgres decides");
    assert_eq!(recovered(&locks, 1, &wanted).await, Take::Busy);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_hangs_costs_little_and_is_used_again_when_it_answers() {
    let server = testkit::own_redis().await;
    let locks = SlotLock::new(Some(connection(server.client())), "test:");
    let wanted = keys(&[0], 0, 60);
    assert_eq!(recovered(&locks, 1, &wanted).await, Take::Taken);
    server.pause();
    ten_unknown(&locks, &wanted).await;
    server.resume();
    assert_eq!(recovered(&locks, 2, &wanted).await, Take::Busy, "it has forgotten nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_down_from_the_start_is_used_when_it_comes() {
    let server = testkit::own_redis().await;
    server.kill().await;
    let locks = SlotLock::new(Some(connection(server.client())), "test:");
    let wanted = keys(&[0], 0, 60);
    ten_unknown(&locks, &wanted).await;
    server.restart().await;
    assert_eq!(recovered(&locks, 1, &wanted).await, Take::Taken);
}
