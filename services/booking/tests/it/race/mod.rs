//! The race suite: whatever meets whatever, no time is sold twice and nothing that was acknowledged is lost.
//!
//! A run is 64 clients at the real service, through gRPC, over a real Postgres and Redis. Each has drawn its decisions
//! from its seed beforehand ([`dice`]): what it does, to which booking, when, with whom ([`ops`]). They meet in a small
//! [`shop`] of three kinds of resources, whose items need them for offset times; meanwhile something happens to the
//! servers ([`weather`]). What clients were told is written down ([`ledger`]), and after the run everything must be so
//! ([`check`]).
//!
//! Whether it would notice was tried by breaking the service on purpose. Each of these is caught by one of the first ten
//! seeds, most by the first:
//!
//! | broken | what the suite said |
//! |---|---|
//! | no exclusion constraint on allocations | live rows of one resource overlap (2nd seed) |
//! | a conflict on allocations is passed over | a confirmed booking keeps less than its item needs |
//! | a cancelled visit keeps its rows | a cancelled booking keeps something |
//! | the roster is not shared by whoever keeps something | an edit of it was aborted (6th seed) |
//! | a visit is changed although it is another version than planned | it is kept otherwise than its item is given (5th seed) |
//! | a rescheduled or moved visit keeps its old rows too | a booking keeps more than its item needs (2nd seed) |
//! | the old time is given back before the new one is secured | a confirmed booking keeps nothing (2nd seed) |
//! | a visit is made longer without its resources | a running visit keeps too little (2nd seed) |
//! | names are locked in any order | a deadlock reached a caller (2nd seed) |
//! | names are not locked | two tickets with one number |
//! | work limits are not checked again under their locks | a therapist works more in a day than he may |
//! | everything is kept as if overbooked | rows that overlap others, of visits that nobody overbooked (2nd seed) |
//! | confirmed visits expire | steps that may not follow each other |
//! | no transition looks at the state | steps that may not follow each other |
//! | an expiry writes no event | steps that have not exactly one event |
//! | the answer goes out before the commit | whoever was due was not called: a time was taken behind the answer |
//! | request ids are ignored | answered, and not stored |
//! | a cancelled visit's order is not closed | a booking that is cancelled has an open order (10th seed) |
//! | a late deposit brings a visit back without its resources | a confirmed booking keeps nothing |
//! | an offer keeps no resources | a booking that is offered keeps nothing |
//! | walk-ins are seated whether or not an appointment is due | rows that overlap others, of visits that nobody overbooked |
//! | being called writes no event of the ticket | tickets whose versions have not exactly one event |
//! | edits of the roster strand visits | a visit to come that no shift covers |
//!
//! Ten seeds let nine others pass: they need a moment so short that it hardly ever comes, or are made good by who comes
//! next. Each of these is caught by a test that makes the moment come, in [`interleaved`](super::interleaved) but for one:
//!
//! | broken | the test that says so |
//! |---|---|
//! | a customer is not locked when his holds are counted | `of_two_holds_that_would_be_the_last_that_one_may_have_one_is_made` |
//! | an expiry does not look again whether the hold was prolonged | `a_hold_that_is_prolonged_when_it_was_seen_to_have_run_out_goes_on` |
//! | a group is kept although one of its places is another's | `a_group_one_of_whose_places_goes_to_another_meanwhile_has_none` |
//! | whoever overbooks shares the roster as others do | `nobody_is_put_beside_one_who_was_overbooked_while_he_was_asked_for_a_price` |
//! | the version of the roster is not compared | `nothing_is_kept_in_a_shift_that_was_deleted_while_one_was_asked_for_a_price` |
//! | the queue is not compared with the one that a plan was made from | `who_was_passed_over_before_he_is_called_is_not_called` |
//! | the queue is not locked when somebody is called | `who_is_just_being_called_is_not_passed_over` |
//! | resources are not taken in one order | `resources_are_taken_in_one_order_in_whatever_order_they_are_asked_for` |
//! | whoever is called gets what those before him were promised | `walk_in::whoever_is_called_leaves_those_before_him_what_they_were_promised` |
//!
//! What it found when it was new: a booking that was read while it changed was shown with a step of its next version; and
//! of two who came into the queue at one moment the one behind got before the other when somebody else was called.
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
