//! What happens in the demo chain, when: made by chance from a seed and the day it is, without any I/O.

mod rota;
mod visits;

use anyhow::{Context, Result};
use jiff::{
    SignedDuration, Span,
    civil::{Date, Time},
    tz::TimeZone,
};
use kernel::Timestamp;

use super::{
    chain::{FAMILY_NAMES, GIVEN_NAMES, OPEN, STORES, THERAPISTS},
    dice::Dice,
};

/// Days of history before today.
pub const PAST_DAYS: i64 = 30;
/// Days from today for which there are shifts.
pub const FUTURE_DAYS: i64 = 31;
/// The part of the members who come to the opening, in percent.
const AT_OPENING: usize = 55;
/// The length of a step in which the time goes on.
const TICK: SignedDuration = SignedDuration::from_mins(30);

/// A therapist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Therapist {
    /// The published name.
    pub name: String,
    /// Whether it is a woman.
    pub female: bool,
    /// From 1 (junior) to 5 (master).
    pub grade: i32,
}

/// A therapist's span on duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// Index within the store.
    pub therapist: usize,
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
}

/// Somebody who registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// How to address him.
    pub name: String,
    /// E.164.
    pub phone: String,
    /// When he registers.
    pub join: Timestamp,
}

/// How a visit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// He comes and pays.
    Kept,
    /// He gives it up then.
    GivenUp(Timestamp),
    /// He never pays the deposit.
    Unpaid,
    /// It is still to come.
    Ahead,
}

/// A visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Index within the store.
    pub member: usize,
    /// Index within the store.
    pub therapist: usize,
    /// Index within the menu.
    pub item: usize,
    /// When it is booked.
    pub hold: Timestamp,
    /// When it starts.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// By telephone rather than by the member himself.
    pub by_telephone: bool,
    /// How it ends.
    pub fate: Fate,
}

/// What happens at one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Who works there.
    pub therapists: Vec<Therapist>,
    /// When they work.
    pub shifts: Vec<Shift>,
    /// Who registers through it, in order of time.
    pub members: Vec<Member>,
    /// The visits, in order of their start.
    pub visits: Vec<Visit>,
}

/// What happens in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// When the chain opens.
    pub opening: Timestamp,
    /// Store by store.
    pub branches: Vec<Branch>,
}

impl Plan {
    /// The plan of `seed` for a chain with so many members whose history ends `now`.
    pub fn make(seed: u64, members: usize, now: Timestamp) -> Result<Self> {
        let first = first_zone()?;
        let today = now.to_zoned(first.clone()).date();
        let opening = at(&first, day(today, -PAST_DAYS)?, 6 * 60)?;
        let branches = (0..STORES.len())
            .map(|index| {
                // A store's chance is its own, so that a change at one leaves the others as they were.
                let mut dice = Dice::new(seed.wrapping_mul(31).wrapping_add(index as u64));
                let share = members / STORES.len() + usize::from(index < members % STORES.len());
                Calendar::new(index, today, now)?.branch(index, share, &mut dice)
            })
            .collect::<Result<_>>()?;
        Ok(Self { opening, branches })
    }
}

/// The time at one store.
#[derive(Debug)]
pub(crate) struct Calendar {
    zone: TimeZone,
    today: Date,
    now: Timestamp,
}

impl Calendar {
    fn new(store: usize, today: Date, now: Timestamp) -> Result<Self> {
        let zone = TimeZone::get(STORES[store].zone).context("the zones of the demo chain are known")?;
        Ok(Self { zone, today, now })
    }

    fn branch(&self, store: usize, members: usize, dice: &mut Dice) -> Result<Branch> {
        let therapists: Vec<Therapist> = (0..THERAPISTS).map(|_| therapist(dice)).collect();
        let shifts = rota::shifts(self)?;
        let members = self.members(store, members, dice)?;
        let visits = visits::visits(self, &shifts, &members, dice)?;
        Ok(Branch { therapists, shifts, members, visits })
    }

    /// Many at the opening, then some every day.
    fn members(&self, store: usize, count: usize, dice: &mut Dice) -> Result<Vec<Member>> {
        let mut members = (0..count)
            .map(|index| {
                let at_opening = index < count * AT_OPENING / 100;
                let offset = if at_opening { 0 } else { 1 + dice.below(PAST_DAYS as usize - 1) as i64 };
                let minute = i64::from(OPEN.0) * 60 + 30 * dice.below(20) as i64;
                Ok(Member {
                    name: person(dice),
                    phone: format!("+86139{store}{:07}", dice.below(1_000) * 10_000 + index),
                    join: self.at(offset - PAST_DAYS, minute)?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        members.sort_by(|a, b| (a.join, &a.phone).cmp(&(b.join, &b.phone)));
        Ok(members)
    }

    /// The instant at a local minute of the day that is `offset` days from today.
    pub(crate) fn at(&self, offset: i64, minute: i64) -> Result<Timestamp> {
        at(&self.zone, day(self.today, offset)?, minute)
    }
}

/// The end of the tick in which `time` lies.
pub fn tick(time: Timestamp) -> Timestamp {
    let seconds = TICK.as_secs();
    let ceiling = time.as_second().div_euclid(seconds) + i64::from(time.as_second().rem_euclid(seconds) > 0);
    Timestamp::from_second(ceiling * seconds).unwrap_or(time)
}

fn first_zone() -> Result<TimeZone> {
    TimeZone::get(STORES[0].zone).context("the zones of the demo chain are known")
}

fn day(today: Date, offset: i64) -> Result<Date> {
    Ok(today.checked_add(Span::new().try_days(offset)?)?)
}

fn at(zone: &TimeZone, date: Date, minute: i64) -> Result<Timestamp> {
    let midnight = date.to_datetime(Time::midnight());
    Ok(zone.to_timestamp(midnight.checked_add(Span::new().try_minutes(minute)?)?)?)
}

fn therapist(dice: &mut Dice) -> Therapist {
    Therapist { name: person(dice), female: dice.percent(60), grade: 1 + dice.below(5) as i32 }
}

fn person(dice: &mut Dice) -> String {
    format!("{} {}", dice.pick(&GIVEN_NAMES), dice.pick(&FAMILY_NAMES))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::seed::chain::{ITEMS, SKILLS};

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    #[test]
    fn the_same_seed_makes_the_same_plan_and_another_one_another() {
        assert_eq!(Plan::make(1, 60, NOW).unwrap(), Plan::make(1, 60, NOW).unwrap());
        assert_ne!(Plan::make(1, 60, NOW).unwrap(), Plan::make(2, 60, NOW).unwrap());
    }

    #[test]
    fn the_chain_is_as_large_as_promised() {
        let plan = Plan::make(42, 500, NOW).unwrap();
        let sum = |count: fn(&Branch) -> usize| plan.branches.iter().map(count).sum::<usize>();
        assert_eq!(sum(|branch| branch.members.len()), 500);
        assert!(sum(|branch| branch.therapists.len()) >= 24);
        let past = sum(|branch| branch.visits.iter().filter(|visit| visit.fate != Fate::Ahead).count());
        assert!(past >= 300, "{past} visits");
        let phones: BTreeSet<&str> =
            plan.branches.iter().flat_map(|branch| branch.members.iter().map(|member| member.phone.as_str())).collect();
        assert_eq!(phones.len(), 500, "nobody registers twice");
        for branch in &plan.branches {
            let last = branch.shifts.iter().map(|shift| shift.end).max().unwrap();
            assert!(last.duration_since(NOW) >= SignedDuration::from_hours(24 * (FUTURE_DAYS - 1)));
        }
    }

    #[test]
    fn nobody_does_two_things_at_a_time_or_what_he_cannot_do() {
        for branch in Plan::make(7, 200, NOW).unwrap().branches {
            for (index, visit) in branch.visits.iter().enumerate() {
                assert!(SKILLS[visit.therapist].contains(&ITEMS[visit.item].skill));
                assert!(branch.members[visit.member].join < visit.hold && visit.hold < visit.start);
                let on_duty = |shift: &&Shift| shift.therapist == visit.therapist;
                let mut shifts = branch.shifts.iter().filter(on_duty);
                assert!(shifts.any(|shift| shift.start <= visit.start && visit.end <= shift.end));
                for other in &branch.visits[..index] {
                    let apart = other.end <= visit.start || visit.end <= other.start;
                    assert!(apart || (other.therapist != visit.therapist && other.member != visit.member));
                }
            }
        }
    }

    #[test]
    fn what_is_past_is_over_and_what_is_ahead_is_booked() {
        for visit in Plan::make(3, 300, NOW).unwrap().branches.into_iter().flat_map(|branch| branch.visits) {
            assert_eq!(visit.fate == Fate::Ahead, visit.start > NOW, "{visit:?}");
            assert!(tick(visit.hold) <= NOW && (visit.fate == Fate::Ahead || tick(visit.end) <= NOW), "{visit:?}");
        }
    }
}
