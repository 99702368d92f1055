//! Whatever happens in whatever order, money is where the model says.
//!
//! A seed is the life of one store with two customers: their visits, a card, a contract, through the real RPCs, with three
//! providers. A step ([`draw`]) is a request (once, twice, two at once, by a process that dies, with a provider that is
//! away), or something that nobody asks for ([`deeds`]): a customer pays, a notice comes late, twice, before an older one,
//! with a wrong amount or never, the worker works and dies, time passes. A [`model`] that knows nothing of the service's
//! code says after each step what must be: whether the request was accepted and else why not, every order with its payments
//! and refunds, lots, sessions, what is set aside, and all balances of the store's books. Where a process has died both is
//! right, done and not done; then it is read which. At the end everything is brought to an end, the provider's books agree,
//! old requests are answered as before, and every invariant of `meridian audit` holds.
//!
//! A process dies by its request being dropped at a chosen wait for a server ([`world::crash`]): so it ends between any two
//! statements, within a commit, before and after a call to a provider, and a new one goes on.
//!
//! There are several houses, each with other rules and its seeds one after the other. `make sim SEEDS=100000` runs that many
//! seeds, `make sim SEED=17` one of them again, with the very same steps.

mod call;
mod cast;
mod deeds;
mod draw;
mod life;
mod model;
mod seen;
mod world;

use std::time::Instant;

use self::{life::Life, world::World};
use crate::seeds::seeds;

/// How many seeds are run if nothing else is said.
const SEEDS: u64 = 2_000;
/// How many houses there are.
const HOUSES: u64 = 6;

#[tokio::test]
async fn the_first_house_does_as_the_model_says() {
    run(0).await;
}

#[tokio::test]
async fn the_second_house_does_as_the_model_says() {
    run(1).await;
}

#[tokio::test]
async fn the_third_house_does_as_the_model_says() {
    run(2).await;
}

#[tokio::test]
async fn the_fourth_house_does_as_the_model_says() {
    run(3).await;
}

#[tokio::test]
async fn the_fifth_house_does_as_the_model_says() {
    run(4).await;
}

#[tokio::test]
async fn the_sixth_house_does_as_the_model_says() {
    run(5).await;
}

/// Runs the seeds of a house.
#[expect(clippy::print_stdout, reason = "a long run tells how far it is")]
async fn run(nth: u64) {
    let mine: Vec<u64> = seeds(SEEDS).filter(|seed| seed % HOUSES == nth).collect();
    let (Some(first), Some(last)) = (mine.first(), mine.last()) else { return };
    let (begun, mut steps) = (Instant::now(), 0);
    let mut world = World::open(nth).await;
    for seed in &mine {
        let life = Life::begin(&mut world, *seed).await;
        let many = 8 + usize::try_from(seed % 14).expect("few");
        steps += many;
        life.live(many).await;
    }
    for finding in payment::flows::audit::audit(&world.shop.db.pg, |_| {}).await.expect("looked") {
        assert!(finding.breaches.is_empty(), "SIM_SEED={first} to {last} of house {nth}: {finding:?}");
    }
    println!("SIM_SEED={first} to {last}: {} lives, {steps} steps, {} s", mine.len(), begun.elapsed().as_secs());
}
