//! The race suite: whatever meets whatever, no time is sold twice and nothing that was acknowledged is lost.
//!
//! A run is 64 clients at the real service, through gRPC, over a real Postgres and Redis. Each has drawn its decisions
//! from its seed beforehand ([`dice`]): what it does, to which booking, when, with whom ([`ops`]). They meet in a small
//! [`shop`] of three kinds of resources, whose items need them for offset times; meanwhile something happens to the
//! servers ([`weather`]). What clients were told is written down ([`ledger`]), and after the run everything must be so
//! ([`check`]).
//!
//! Whether it would notice was tried by breaking the service on purpose. Each of these is caught, mostly by the first seed:
//!
//! | broken | what the suite said |
//! |---|---|
//! | no exclusion constraint on allocations | live rows of one resource overlap |
//! | a cancelled visit keeps its rows | bookings that are over keep something |
//! | holds don't share the roster, nor compare its version | a visit to come that no shift covers (17th seed) |
//! | a rescheduled or moved visit keeps its old rows too | a booking keeps more than its item needs |
//! | a move writes no event | steps that have not exactly one event |
//! | the answer goes out before the commit | acknowledged, and not found |
//! | request ids are ignored | one request had two answers |
//! | work limits are not checked again under their locks | a therapist works more in a day than he may (3rd seed) |
//! | names are not locked | a deadlock reached a caller (2nd seed) |
//! | a cancelled visit's order is not closed | a booking that is cancelled has an open order |
//! | a late deposit brings a visit back without its resources | a confirmed booking keeps nothing |
//!
//! What it found when it was new: a booking that was read while it changed was shown with a step of its next version.
//!
//! `make race SEEDS=1000` runs that many seeds, `make race SEED=17` one of them again: with the same decisions, and with
//! what the scheduler makes of them.

mod check;
mod dice;
mod ledger;
mod ops;
mod run;
mod shop;
mod weather;

use std::{collections::BTreeMap, env, ops::Range, time::Instant};

use booking::MIGRATOR;

use self::{
    ledger::Count,
    ops::OPS,
    run::{Run, decisions, digest},
    shop::Shop,
    weather::Havoc,
};

/// How many seeds are run if nothing else is said.
const SEEDS: u64 = 50;
/// After so many seeds each operation must have been done.
const ENOUGH: u64 = 40;

/// What came of all operations of a run.
type Counts = BTreeMap<&'static str, Count>;
/// What came about in a run.
type Came = BTreeMap<String, u64>;

/// Those that are asked for: `RACE_SEED` for one, `RACE_SEEDS` for so many.
fn seeds() -> Range<u64> {
    let number = |name| env::var(name).ok().filter(|text| !text.is_empty()).map(|text| text.parse().expect("a number"));
    match number("RACE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("RACE_SEEDS").unwrap_or(SEEDS),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_meets_whatever_nothing_is_sold_twice_and_nothing_is_lost() {
    let redis = testkit::own_redis().await;
    let (mut total, mut came) = (Counts::new(), Came::new());
    let seeds = seeds();
    for seed in seeds.clone() {
        let (counts, of_seed) = one(seed, &redis).await;
        for (what, count) in of_seed {
            *came.entry(what).or_default() += count;
        }
        for (name, count) in counts {
            let sum = total.entry(name).or_default();
            sum.done += count.done;
            for (why, count) in count.refused {
                *sum.refused.entry(why).or_default() += count;
            }
        }
    }
    println!("all: {}; {came:?}", text(&total));
    if seeds.end - seeds.start >= ENOUGH {
        for op in &OPS {
            assert!(total.get(op.name).is_some_and(|count| count.done > 0), "{} was never done", op.name);
        }
        for (what, count) in came {
            assert!(count > 0, "{what}: never came about");
        }
    }
}

/// The run of one seed: what clients did, and what came about.
#[expect(clippy::print_stdout, reason = "a long run tells how far it is")]
async fn one(seed: u64, redis: &testkit::OwnRedis) -> (Counts, Came) {
    let begun = Instant::now();
    let havoc = Havoc::of(seed);
    let postgres = match havoc {
        Havoc::Restarted => Some(testkit::own_postgres(&MIGRATOR).await),
        _ => None,
    };
    let pg = postgres.as_ref().map(|postgres| postgres.pg.clone());
    let run = Run::new(Shop::open(pg, havoc.locks(redis, seed), seed).await);
    let decisions = decisions(seed);
    let digest = digest(&decisions);
    let ((), ()) = tokio::join!(run.drive(decisions), havoc.strike(&run, redis, postgres.as_ref()));
    let came = check::came(&run).await;
    let wrong = check::all(&run).await;
    let counts = std::mem::take(&mut run.ledger.told().counts);
    println!("seed {seed}: {havoc:?}, {} ms; {}; {came:?}", begun.elapsed().as_millis(), text(&counts));
    assert!(
        wrong.is_empty(),
        "seed {seed} ({havoc:?}, decisions {digest:016x}) went wrong; `make race SEED={seed}` replays it:\n{}",
        wrong.join("\n"),
    );
    (counts, came)
}

fn text(counts: &Counts) -> String {
    let one = |(name, count): (&&str, &Count)| {
        let refused: Vec<String> = count.refused.iter().map(|(why, count)| format!("{why} {count}")).collect();
        let refused = if refused.is_empty() { String::new() } else { format!(" ({})", refused.join(", ")) };
        format!("{name} {}{refused}", count.done)
    };
    counts.iter().map(one).collect::<Vec<_>>().join("; ")
}
