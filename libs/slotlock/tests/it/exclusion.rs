//! Who gets a time.

use std::{collections::HashSet, sync::Mutex, time::Duration};

use futures_util::future::join_all;
use slotlock::Take;
use tokio::time::Instant;

use crate::{MINUTE, id, keys, patient};

#[tokio::test(flavor = "multi_thread")]
async fn of_200_takers_of_overlapping_times_one_gets_them() {
    let server = testkit::redis().await;
    let locks = patient(&server);
    // Each starts at another minute and takes an hour with a room of its own; all need the therapist at minute 60.
    let takers = (0..200_u128).map(|taker| {
        let locks = locks.clone();
        let start = i64::try_from(taker % 60).unwrap();
        let wanted = [keys(&[0], start, start + 61), keys(&[1_000 + taker], start, start + 61)].concat();
        tokio::spawn(async move { locks.take(id(taker), &wanted, MINUTE).await })
    });
    let answers = join_all(takers).await.into_iter().map(Result::unwrap).collect::<Vec<_>>();
    let count = |wanted| answers.iter().filter(|answer| **answer == wanted).count();
    assert_eq!((count(Take::Taken), count(Take::Busy)), (1, 199));

    // Who was refused has taken nothing, not even of the room that was free.
    let winner = answers.iter().position(|answer| *answer == Take::Taken).unwrap();
    for loser in (0..200_u128).filter(|taker| *taker != u128::try_from(winner).unwrap()) {
        let room = keys(&[1_000 + loser], 0, 121);
        assert_eq!(locks.take(id(9_999), &room, MINUTE).await, Take::Taken, "room of {loser}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_ever_holds_what_another_holds() {
    let server = testkit::redis().await;
    let locks = patient(&server);
    let held = Mutex::new(HashSet::new());
    let taken = Mutex::new(0);
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    join_all((0..24_u64).map(|taker| {
        let (locks, held, taken) = (&locks, &held, &taken);
        async move {
            let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(taker) | 1;
            let mut below = |bound: u64| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (random >> 33) % bound
            };
            for _ in 0..60 {
                let start = i64::try_from(below(300)).unwrap();
                let end = start + 1 + i64::try_from(below(90)).unwrap();
                let wanted = keys(&[u128::from(below(3)), 10 + u128::from(below(3))], start, end);
                match locks.take(id(taker.into()), &wanted, MINUTE).await {
                    Take::Taken => {
                        *taken.lock().unwrap() += 1;
                        for key in &wanted {
                            assert!(held.lock().unwrap().insert(*key), "{key:?} was held already");
                        }
                        tokio::task::yield_now().await;
                        for key in &wanted {
                            held.lock().unwrap().remove(key);
                        }
                        locks.release(id(taker.into()), &wanted).await;
                    }
                    Take::Busy => {}
                    Take::Unknown => panic!("redis runs"),
                }
            }
        }
    }))
    .await;
    let taken = *taken.lock().unwrap();
    assert!((24..24 * 60).contains(&taken), "{taken} of {} were taken: no contention, or no progress", 24 * 60);
}

#[tokio::test]
async fn times_that_only_touch_do_not_collide() {
    let server = testkit::redis().await;
    let locks = patient(&server);
    assert_eq!(locks.take(id(1), &keys(&[0], 0, 60), MINUTE).await, Take::Taken);
    assert_eq!(locks.take(id(2), &keys(&[0], 60, 120), MINUTE).await, Take::Taken);
    assert_eq!(locks.take(id(3), &keys(&[0], 55, 65), MINUTE).await, Take::Busy);
    assert_eq!(locks.take(id(3), &keys(&[1], 55, 65), MINUTE).await, Take::Taken, "another therapist is free");
}

#[tokio::test]
async fn taking_again_extends_and_release_frees() {
    let server = testkit::redis().await;
    let locks = patient(&server);
    let wanted = keys(&[0, 1], 0, 60);
    assert_eq!(locks.take(id(1), &wanted, Duration::from_millis(300)).await, Take::Taken);
    assert_eq!(locks.take(id(1), &wanted, MINUTE).await, Take::Taken);
    until_expired(&locks, Duration::from_millis(300)).await;
    assert_eq!(locks.take(id(2), &wanted, MINUTE).await, Take::Busy, "it was extended");
    locks.release(id(1), &wanted).await;
    assert_eq!(locks.take(id(2), &wanted, MINUTE).await, Take::Taken);
}

#[tokio::test]
async fn a_foreign_release_has_no_effect() {
    let server = testkit::redis().await;
    let locks = patient(&server);
    let wanted = keys(&[0], 0, 60);
    assert_eq!(locks.take(id(1), &wanted, MINUTE).await, Take::Taken);
    locks.release(id(2), &wanted).await;
    assert_eq!(locks.take(id(2), &wanted, MINUTE).await, Take::Busy);
}

#[tokio::test]
async fn what_is_not_released_expires() {
    let server = testkit::redis().await;
    let locks = patient(&server);
    let wanted = keys(&[0], 0, 60);
    assert_eq!(locks.take(id(1), &wanted, Duration::from_millis(200)).await, Take::Taken);
    let deadline = Instant::now() + Duration::from_secs(10);
    while locks.take(id(2), &wanted, MINUTE).await == Take::Busy {
        assert!(Instant::now() < deadline, "it never expired");
    }
    // The first owner comes late: what it releases is not its own any more.
    locks.release(id(1), &wanted).await;
    assert_eq!(locks.take(id(3), &wanted, MINUTE).await, Take::Busy);
}

#[tokio::test]
async fn deployments_with_other_prefixes_do_not_meet() {
    let server = testkit::redis().await;
    let other = patient(&testkit::redis().await);
    let wanted = keys(&[0], 0, 60);
    assert_eq!(patient(&server).take(id(1), &wanted, MINUTE).await, Take::Taken);
    assert_eq!(other.take(id(2), &wanted, MINUTE).await, Take::Taken);
}

/// Waits until a lock that is taken now for `ttl` has expired in Redis.
async fn until_expired(locks: &slotlock::SlotLock, ttl: Duration) {
    let probe = keys(&[u128::from(u32::MAX)], 0, 5);
    assert_eq!(locks.take(id(7_777), &probe, ttl).await, Take::Taken);
    let deadline = Instant::now() + Duration::from_secs(10);
    while locks.take(id(7_778), &probe, ttl).await == Take::Busy {
        assert!(Instant::now() < deadline, "the probe never expired");
    }
}
