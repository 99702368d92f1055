//! The days go by.

mod branch;

use std::collections::BTreeMap;

use anyhow::Result;
use futures_util::future::try_join_all;
use jiff::tz::TimeZone;
use kernel::{Clock as _, Timestamp};

use super::{
    chain::STORES,
    opening::Chain,
    plan::{Fate, PAST_DAYS, Plan, tick},
    suite::Suite,
};
use crate::say;
use branch::Branch;

/// After how many days people who wait are told.
const TELL_EVERY: i64 = 10;

/// What happens at a store at one time. The number is that of the member or visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Somebody registers.
    Register(usize),
    /// A treatment ends and is paid.
    Finish(usize),
    /// Somebody gives a visit up.
    GiveUp(usize),
    /// Somebody comes, and the treatment begins.
    Begin(usize),
    /// A visit is booked.
    Book(usize),
}

/// A plan being lived.
pub struct Life<'a> {
    suite: &'a Suite,
    branches: Vec<Branch<'a>>,
    /// What happens when, at which store.
    steps: BTreeMap<Timestamp, Vec<Vec<Step>>>,
}

impl<'a> Life<'a> {
    /// Nothing has happened yet.
    pub fn new(suite: &'a Suite, plan: &'a Plan, chain: Chain) -> Result<Self> {
        let steps = steps(plan);
        let Chain { items, stores } = chain;
        let branches =
            stores.into_iter().zip(&plan.branches).map(|(store, branch)| Branch::new(suite, branch, store, &items));
        Ok(Self { suite, branches: branches.collect::<Result<_>>()?, steps })
    }

    /// Lives it: the clock goes from step to step; the stores live beside each other, each in its own order.
    pub async fn live(&mut self) -> Result<()> {
        let zone = TimeZone::get(STORES[0].zone)?;
        let mut today = self.suite.clock.now().to_zoned(zone.clone()).date();
        let mut day = 0;
        for (at, steps) in std::mem::take(&mut self.steps) {
            self.suite.clock.move_to(at);
            let date = at.to_zoned(zone.clone()).date();
            if date != today {
                today = date;
                day += 1;
                if day % TELL_EVERY == 0 && day <= PAST_DAYS {
                    say::line(format!("  day {day} of {PAST_DAYS}"));
                }
            }
            try_join_all(self.branches.iter_mut().zip(&steps).map(|(branch, steps)| branch.live(steps))).await?;
        }
        Ok(())
    }

    /// What came of it, for people.
    pub fn summary(&self) -> String {
        let sum = |count: fn(&Branch<'_>) -> usize| self.branches.iter().map(count).sum::<usize>();
        format!(
            "Seeded: {} stores, {} members, {} visits ({} completed, {} ahead)",
            self.branches.len(),
            sum(|branch| branch.members()),
            sum(|branch| branch.booked()),
            sum(|branch| branch.completed()),
            sum(|branch| branch.ahead()),
        )
    }
}

/// All steps by time and store.
fn steps(plan: &Plan) -> BTreeMap<Timestamp, Vec<Vec<Step>>> {
    let mut steps: BTreeMap<Timestamp, Vec<Vec<Step>>> = BTreeMap::new();
    let mut add = |at: Timestamp, store: usize, step: Step| {
        let stores = steps.entry(tick(at)).or_insert_with(|| vec![Vec::new(); plan.branches.len()]);
        stores[store].push(step);
    };
    for (store, branch) in plan.branches.iter().enumerate() {
        for (index, member) in branch.members.iter().enumerate() {
            add(member.join, store, Step::Register(index));
        }
        for (index, visit) in branch.visits.iter().enumerate() {
            add(visit.hold, store, Step::Book(index));
            match visit.fate {
                Fate::Kept => {
                    add(visit.start, store, Step::Begin(index));
                    add(visit.end, store, Step::Finish(index));
                }
                Fate::GivenUp(at) => add(at, store, Step::GiveUp(index)),
                Fate::Unpaid | Fate::Ahead => {}
            }
        }
    }
    // Who leaves makes room for who comes.
    steps.values_mut().flatten().for_each(|of_store| of_store.sort());
    steps
}
