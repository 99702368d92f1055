//! Groups that want the same people at the same time.

use futures_util::future::{join, join_all};
use proto::booking::v1 as pb;
use slotlock::SlotLock;

use super::{cancel, guests, hold, send};
use crate::world::{World, at_minute, id, member, reason};

/// Numbers that look like chance and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).expect("31 bits") % most
    }
}

/// Every group is whole or not there at all, and every visit that lives keeps its therapist and its room.
async fn check(world: &World, seed: u64) {
    assert_eq!(world.overlaps().await, 0, "seed {seed}");
    let torn = "select count(*) from booking_group g where 4 <> (select count(*) from booking b where b.group_id = g.id)
                or 1 <> (select count(distinct state in ('CANCELLED', 'EXPIRED')) from booking b where b.group_id = g.id)";
    assert_eq!(world.count(torn).await, 0, "seed {seed}");
    let wrong = "select count(*) from booking b where (state <> 'CANCELLED') <>
                 ((select count(*) from allocation a where a.booking_id = b.id) = 2)";
    assert_eq!(world.count(wrong).await, 0, "seed {seed}");
    let versions = "select count(*) from booking_group g where version <>
                    (select count(*) from outbox o where o.aggregate_id = g.id)";
    assert_eq!(world.count(versions).await, 0, "seed {seed}");
}

async fn group(world: &World, start: i64, within_minutes: i32, gives_up: bool) -> bool {
    let (_, token) = member();
    let request =
        pb::HoldGroupRequest { within_minutes, request_id: id(), ..hold(world, guests(world, 4), at_minute(start)) };
    let held = send(world, &token, request).await;
    match &held {
        Ok(held) if gives_up => drop(cancel(world, &token, &held.name).await.expect("given up")),
        Ok(_) => {}
        Err(refused) => assert_eq!(reason(refused), "SLOT_TAKEN", "{refused:?}"),
    }
    held.is_ok()
}

async fn single(world: &World, start: i64) -> bool {
    let held = world.send_hold(&member().1, world.hold(at_minute(start))).await;
    if let Err(refused) = &held {
        assert_eq!(reason(refused), "SLOT_TAKEN", "{refused:?}");
    }
    held.is_ok()
}

#[expect(clippy::print_stdout, reason = "a run that fails can be repeated")]
async fn race(seed: u64, locks: Option<SlotLock>) {
    println!("seed {seed}");
    let world = match locks {
        Some(locks) => World::with_locks(6, 6, locks).await,
        None => World::new(6, 6).await,
    };
    let mut dice = Dice(seed);
    let wanted: Vec<_> = (0..20).map(|_| (5 * dice.below(60), 15 * dice.below(5), dice.below(4) == 0)).collect();
    let others: Vec<i64> = (0..20).map(|_| 5 * dice.below(60)).collect();
    let groups = wanted
        .iter()
        .map(|(start, within, gives_up)| group(&world, *start, i32::try_from(*within).expect("an hour"), *gives_up));
    let singles = others.iter().map(|start| single(&world, *start));
    let (groups, singles) = join(join_all(groups), join_all(singles)).await;
    let count = |all: &[bool]| all.iter().filter(|held| **held).count();
    println!("seed {seed}: {} groups of 20 and {} singles of 20 held", count(&groups), count(&singles));
    assert!(groups.contains(&true), "seed {seed}");
    let held = world.count("select count(*) from booking_group").await;
    assert_eq!(held, i64::try_from(count(&groups)).expect("few"), "seed {seed}");
    check(&world, seed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_groups_of_four_want_six_therapists() {
    for seed in 1..=5 {
        race(seed, None).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_is_without_redis() {
    for seed in 6..=8 {
        race(seed, Some(SlotLock::new(None, ""))).await;
    }
}
