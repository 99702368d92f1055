//! Many at once.

use std::collections::HashSet;

use futures_util::future::join_all;
use slotlock::SlotLock;
use tonic::Code;

use crate::world::{World, at, at_minute, member, reason};

async fn two_hundred_want_one_time(world: &World) {
    let attempts = (0..200).map(|_| async {
        let (_, token) = member();
        world.send_hold(&token, world.hold(at(2))).await
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(attempts).await.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1, "{:?}", lost.first());
    for refused in lost.into_iter().filter_map(Result::err) {
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "SLOT_TAKEN"));
    }
    assert_eq!(world.count("select count(*) from booking").await, 1);
    assert_eq!(world.overlaps().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_who_want_one_time_one_gets_it() {
    two_hundred_want_one_time(&World::new(1, 1).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_is_without_redis() {
    two_hundred_want_one_time(&World::with_locks(1, 1, SlotLock::new(None, "")).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_is_with_redis_flushed_killed_and_started_in_the_middle() {
    let redis = testkit::own_redis().await;
    let manager = runtime::redis_client::connect(&redis.url().to_owned().into()).ok();
    let world = World::with_locks(1, 1, SlotLock::new(manager, "race:")).await;
    let havoc = async {
        redis.flush().await;
        redis.kill().await;
        redis.restart().await;
    };
    tokio::join!(two_hundred_want_one_time(&world), havoc);
}

/// A Redis that claims that everything is taken costs time, but no booking.
#[tokio::test(flavor = "multi_thread")]
async fn a_lying_redis_keeps_nobody_from_a_free_time() {
    let redis = testkit::redis().await;
    let manager = runtime::redis_client::connect(&redis.url.clone().into()).ok();
    let locks = SlotLock::new(manager, redis.prefix.clone()).with_budget(std::time::Duration::from_secs(10));
    let world = World::with_locks(1, 1, locks.clone()).await;
    let resource =
        |name: &str| kernel::ids::parse_uuid("name", name.split('/').nth(1).unwrap_or_default()).expect("an id");
    let keys: Vec<_> = [&world.therapists[0], &world.rooms[0]]
        .into_iter()
        .flat_map(|name| slotlock::SlotKey::covering(resource(name), at(0).as_second() / 60, at(12).as_second() / 60))
        .collect();
    let liar = kernel::ids::uuid_v7(testkit::START);
    assert_eq!(locks.take(liar, &keys, std::time::Duration::from_secs(600)).await, slotlock::Take::Taken);
    world.send_hold(&member().1, world.hold(at(2))).await.expect("held all the same");
}

/// Without a wish all of them plan with the same therapist first; whoever loses must get another.
#[tokio::test(flavor = "multi_thread")]
async fn as_many_as_there_are_therapists_get_one_time_even_without_redis() {
    let world = World::with_locks(24, 24, SlotLock::new(None, "")).await;
    let replies = join_all((0..24).map(|_| async { world.send_hold(&member().1, world.hold(at(2))).await })).await;
    let therapists: HashSet<String> = replies.into_iter().map(|reply| reply.expect("held").therapist).collect();
    assert_eq!(therapists.len(), 24);
    assert_eq!(world.overlaps().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_sent_a_hundred_times_at_once_has_one_effect_and_one_answer() {
    let world = World::new(3, 3).await;
    let (_, token) = member();
    let request = world.hold(at(2));
    let replies = join_all((0..100).map(|_| world.send_hold(&token, request.clone()))).await;
    let names: HashSet<String> = replies.into_iter().map(|reply| format!("{:?}", reply.expect("held"))).collect();
    assert_eq!(names.len(), 1);
    assert_eq!(world.count("select count(*) from booking").await, 1);
    assert_eq!(world.fake.quotes(), 1);
}

/// The twins who come second find the time taken: by themselves.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_the_last_time_sent_many_times_at_once_has_one_answer() {
    for locks in [true, false] {
        let world = match locks {
            true => World::new(1, 1).await,
            false => World::with_locks(1, 1, SlotLock::new(None, "")).await,
        };
        let (_, token) = member();
        let request = world.hold(at(2));
        let replies = join_all((0..50).map(|_| world.send_hold(&token, request.clone()))).await;
        let names: HashSet<String> = replies.into_iter().map(|reply| reply.expect("held").name).collect();
        assert_eq!(names.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn overlapping_times_at_offset_minutes_never_double_a_resource() {
    let world = World::new(4, 3).await;
    let attempts = (0..120).map(|n| {
        let world = &world;
        async move {
            let (_, token) = member();
            let held = world.send_hold(&token, world.hold(at_minute(n % 24 * 5))).await;
            if let (Ok(booking), 0) = (&held, n % 5) {
                world.cancel(&token, &booking.name).await.expect("cancelled");
            }
            held
        }
    });
    for refused in join_all(attempts).await.into_iter().filter_map(Result::err) {
        assert_eq!(reason(&refused), "SLOT_TAKEN", "{refused:?}");
    }
    assert_eq!(world.overlaps().await, 0);
}
