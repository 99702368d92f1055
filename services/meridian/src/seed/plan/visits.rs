//! Who comes when, to whom, for what.

use anyhow::Result;
use jiff::SignedDuration;
use kernel::Timestamp;

use super::{Calendar, Fate, Member, PAST_DAYS, Shift, Visit, tick};
use crate::seed::{
    chain::{ITEMS, OPEN, ROOMS, SKILLS},
    dice::Dice,
};

/// Days ahead for which visits are booked already.
const BOOKED_AHEAD: i64 = 3;
/// Visits that are tried for at a store on one day: at least, and how many more at the most.
const A_DAY: (usize, usize) = (3, 4);
/// Tries to find a free time for one of them.
const TRIES: usize = 12;

/// A span of time in which something is in use.
#[derive(Debug, Clone, Copy)]
struct Use {
    start: Timestamp,
    end: Timestamp,
}

impl Use {
    fn meets(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// What is in use at the store already.
#[derive(Debug, Default)]
struct Taken {
    /// By therapist, member and kind of place.
    therapists: Vec<(usize, Use)>,
    members: Vec<(usize, Use)>,
    places: Vec<(&'static str, Use)>,
}

/// The visits of a store, in order of their start.
pub(super) fn visits(calendar: &Calendar, shifts: &[Shift], members: &[Member], dice: &mut Dice) -> Result<Vec<Visit>> {
    let mut taken = Taken::default();
    let mut visits = Vec::new();
    for offset in 1 - PAST_DAYS..=BOOKED_AHEAD {
        let opens = calendar.at(offset, i64::from(OPEN.0) * 60)?;
        let closes = calendar.at(offset, i64::from(OPEN.1) * 60)?;
        let on_duty: Vec<&Shift> = shifts.iter().filter(|shift| opens <= shift.start && shift.end <= closes).collect();
        for _ in 0..A_DAY.0 + dice.below(A_DAY.1) {
            let found = (0..TRIES).find_map(|_| {
                let shift = *dice.pick(&on_duty);
                attempt(calendar, shift, (opens, closes), members, &mut taken, dice)
            });
            visits.extend(found);
        }
    }
    visits.sort_by_key(|visit| (visit.start, visit.therapist));
    Ok(visits)
}

fn attempt(
    calendar: &Calendar,
    shift: &Shift,
    (opens, closes): (Timestamp, Timestamp),
    members: &[Member],
    taken: &mut Taken,
    dice: &mut Dice,
) -> Option<Visit> {
    let minutes = |count: i32| SignedDuration::from_mins(i64::from(count));
    let offered: Vec<usize> =
        (0..ITEMS.len()).filter(|item| SKILLS[shift.therapist].contains(&ITEMS[*item].skill)).collect();
    let item = *dice.pick(&offered);
    let (before, length, after) = ITEMS[item].minutes;
    let start = shift.start + SignedDuration::from_mins(30 * dice.below(16) as i64);
    let end = start + minutes(length);
    let whole = Use { start: start - minutes(before), end: end + minutes(after) };
    // Up to three days before, during the day, but always before the present.
    let hold = tick(start - SignedDuration::from_hours(2 + dice.below(70) as i64)).min(last_tick(calendar.now));
    let known = members.partition_point(|member| member.join < hold);
    let fits = whole.start >= opens && whole.end <= closes && end <= shift.end && known > 0;
    // What straddles the present would be neither past nor ahead.
    let settled = tick(end) <= calendar.now || start > calendar.now + SignedDuration::from_hours(1);
    if !fits || !settled || !taken.has_room(shift.therapist, item, whole) {
        return None;
    }
    let member = dice.below(known);
    if taken.members.iter().any(|(who, busy)| *who == member && busy.meets(&whole)) {
        return None;
    }
    taken.take(shift.therapist, member, item, whole);
    let fate = if start > calendar.now { Fate::Ahead } else { fate(hold, start, dice) };
    Some(Visit { member, therapist: shift.therapist, item, hold, start, end, by_telephone: dice.percent(25), fate })
}

fn fate(hold: Timestamp, start: Timestamp, dice: &mut Dice) -> Fate {
    let early = start - SignedDuration::from_mins(90);
    match dice.below(100) {
        0..6 if hold < early => Fate::GivenUp(early),
        6..9 => Fate::GivenUp(start - SignedDuration::from_mins(30)),
        9..14 => Fate::Unpaid,
        _ => Fate::Kept,
    }
}

/// The last tick that is not after `now`.
fn last_tick(now: Timestamp) -> Timestamp {
    let next = tick(now);
    if next == now { now } else { next - super::TICK }
}

impl Taken {
    fn has_room(&self, therapist: usize, item: usize, whole: Use) -> bool {
        let free = !self.therapists.iter().any(|(who, busy)| *who == therapist && busy.meets(&whole));
        free && needs(item).all(|kind| {
            let there = ROOMS.iter().find(|(known, ..)| *known == kind).map_or(0, |(.., count)| *count);
            self.places.iter().filter(|(used, busy)| *used == kind && busy.meets(&whole)).count() < there
        })
    }

    fn take(&mut self, therapist: usize, member: usize, item: usize, whole: Use) {
        self.therapists.push((therapist, whole));
        self.members.push((member, whole));
        self.places.extend(needs(item).map(|kind| (kind, whole)));
    }
}

/// The kinds of room and machine that an item takes.
fn needs(item: usize) -> impl Iterator<Item = &'static str> {
    [ITEMS[item].room, ITEMS[item].equipment].into_iter().filter(|kind| !kind.is_empty())
}
