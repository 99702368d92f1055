//! Which times can be had, and with whom.
//!
//! Everything is lists of spans of whole minutes. From each list of free time follows a list of the minutes at which a
//! treatment may start; those of a therapist are intersected with those of the places. The work grows linearly with the
//! days looked at and with the resources.

use kernel::{
    Error, Result, Uuid,
    ids::{RoomId, TherapistId},
};

use super::span::{Minute, Span, intersect, list, starts, subtract};

/// Treatments start at multiples of so many minutes.
pub const GRID: i64 = 5;

/// How long a treatment occupies whom.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    /// Minutes of treatment: the therapist, the room and the machine.
    pub duration: i64,
    /// Minutes before it: the room.
    pub preparation: i64,
    /// Minutes after it: the room.
    pub cleanup: i64,
}

impl Need {
    /// The treatment itself.
    pub fn treatment(self, start: Minute) -> Span {
        Span::new(start, start + self.duration)
    }

    /// The treatment with what the room needs around it.
    pub fn room(self, start: Minute) -> Span {
        Span::new(start - self.preparation, start + self.duration + self.cleanup)
    }
}

/// A therapist who has the skill.
#[derive(Debug, Clone)]
pub struct Therapist {
    /// Who.
    pub id: TherapistId,
    /// When on duty, as a list.
    pub shifts: Vec<Span>,
    /// When taken, as a list.
    pub busy: Vec<Span>,
}

/// A room or machine of the right kind.
#[derive(Debug, Clone)]
pub struct Place {
    /// Which.
    pub id: RoomId,
    /// When taken, as a list.
    pub busy: Vec<Span>,
}

/// All that a store could use for an item within a window.
#[derive(Debug, Clone)]
pub struct Supply {
    /// When the store is open, as a list.
    pub open: Vec<Span>,
    /// The same as its openings, by start: each is a day of work, although one may follow the other without a gap.
    pub openings: Vec<Span>,
    /// In the order of preference.
    pub therapists: Vec<Therapist>,
    /// In the order of preference.
    pub rooms: Vec<Place>,
    /// Machines, if the item needs one; in the order of preference.
    pub equipment: Option<Vec<Place>>,
}

/// A time that can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// When the treatment starts.
    pub start: Minute,
    /// Whom a booking without a wish would get.
    pub therapist: TherapistId,
    /// Everybody who could give it, in the order of preference.
    pub therapists: Vec<TherapistId>,
}

/// Who and what would serve a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    /// Who gives the treatment.
    pub therapist: TherapistId,
    /// Where.
    pub room: RoomId,
    /// With which machine, if one is needed.
    pub equipment: Option<RoomId>,
}

impl Assignment {
    /// Which resource is kept when, in the one order in which everybody takes them: by id. Two bookings that want the
    /// same resources then wait for each other in a line, never in a circle.
    pub fn allocations(&self, need: Need, start: Minute) -> Vec<(Uuid, Span)> {
        let mut all = vec![(self.therapist.uuid(), need.treatment(start)), (self.room.uuid(), need.room(start))];
        all.extend(self.equipment.map(|machine| (machine.uuid(), need.treatment(start))));
        all.sort_unstable();
        all
    }
}

/// The first `limit` times on the grid within `window` that can be had, by start.
pub fn offers(supply: &Supply, need: Need, window: Span, limit: usize) -> Vec<Offer> {
    let place = place_starts(supply, need, window);
    let first = window.start + (-window.start).rem_euclid(GRID);
    let slots = usize::try_from((window.end - first + GRID - 1).div_euclid(GRID)).unwrap_or(0);
    let mut by_slot: Vec<Vec<u32>> = vec![Vec::new(); slots];
    for (index, therapist) in (0_u32..).zip(&supply.therapists) {
        for span in intersect(&therapist_starts(supply, therapist, need), &place) {
            let mut start = span.start + (-span.start).rem_euclid(GRID);
            while start < span.end {
                if let Some(slot) = usize::try_from((start - first) / GRID).ok().and_then(|slot| by_slot.get_mut(slot))
                {
                    slot.push(index);
                }
                start += GRID;
            }
        }
    }
    let loads: Vec<Vec<i64>> = supply.therapists.iter().map(|therapist| loads(supply, therapist)).collect();
    let who = |index: u32| usize::try_from(index).unwrap_or(usize::MAX);
    (first..)
        .step_by(usize::try_from(GRID).unwrap_or(1))
        .zip(by_slot)
        .filter(|(_, able)| !able.is_empty())
        .take(limit)
        .filter_map(|(start, able)| {
            let day = day_of(supply, start);
            let least = *able.iter().min_by_key(|&&index| (loads[who(index)][day], index))?;
            Some(Offer {
                start,
                therapist: supply.therapists[who(least)].id,
                therapists: able.iter().map(|&index| supply.therapists[who(index)].id).collect(),
            })
        })
        .collect()
}

/// Whom and what a booking at `start` gets: the therapist wished for, else the one with the least work that day; the
/// first free room and machine.
///
/// Fails with `FailedPrecondition`: OUTSIDE_OPENING_HOURS, SKILL_MISSING, NOT_ON_SHIFT or SLOT_TAKEN.
pub fn assign(supply: &Supply, need: Need, start: Minute, wish: Option<TherapistId>) -> Result<Assignment> {
    let treatment = need.treatment(start);
    if !supply.open.iter().any(|span| span.contains(treatment)) {
        return Err(Error::precondition(
            "OUTSIDE_OPENING_HOURS",
            "the store is not open then; choose a time within its hours",
        ));
    }
    let able: Vec<&Therapist> =
        supply.therapists.iter().filter(|therapist| wish.is_none_or(|wish| therapist.id == wish)).collect();
    if able.is_empty() {
        return Err(Error::precondition(
            "SKILL_MISSING",
            "nobody whom you ask for can give this; choose another therapist or item",
        ));
    }
    let on_shift: Vec<&Therapist> =
        able.into_iter().filter(|therapist| therapist.shifts.iter().any(|span| span.contains(treatment))).collect();
    if on_shift.is_empty() {
        return Err(Error::precondition(
            "NOT_ON_SHIFT",
            "nobody whom you ask for works then; choose another time or therapist",
        ));
    }
    let day = day_of(supply, start);
    let therapist = on_shift
        .into_iter()
        .filter(|therapist| is_free(&therapist.busy, treatment))
        .min_by_key(|therapist| loads(supply, therapist)[day])
        .ok_or_else(taken)?;
    let room = free_place(&supply.rooms, need.room(start)).ok_or_else(taken)?;
    let equipment = match &supply.equipment {
        Some(machines) => Some(free_place(machines, treatment).ok_or_else(taken)?),
        None => None,
    };
    Ok(Assignment { therapist: therapist.id, room, equipment })
}

/// The time is somebody else's.
pub fn taken() -> Error {
    Error::precondition("SLOT_TAKEN", "this time has just been taken; search again and choose another")
}

fn is_free(busy: &[Span], wanted: Span) -> bool {
    !busy.iter().any(|span| span.overlaps(wanted))
}

fn free_place(places: &[Place], wanted: Span) -> Option<RoomId> {
    places.iter().find(|place| is_free(&place.busy, wanted)).map(|place| place.id)
}

/// When a treatment may start as far as opening hours, rooms and machines go.
fn place_starts(supply: &Supply, need: Need, window: Span) -> Vec<Span> {
    let open = intersect(&starts(&supply.open, 0, need.duration), &[window]);
    let rooms = any_place(&supply.rooms, window, need.preparation, need.duration + need.cleanup);
    let both = intersect(&open, &rooms);
    match &supply.equipment {
        Some(machines) => intersect(&both, &any_place(machines, window, 0, need.duration)),
        None => both,
    }
}

fn any_place(places: &[Place], window: Span, before: i64, after: i64) -> Vec<Span> {
    let around = [Span::new(window.start - before, window.end + after)];
    list(places.iter().flat_map(|place| starts(&subtract(&around, &place.busy), before, after)).collect())
}

fn therapist_starts(supply: &Supply, therapist: &Therapist, need: Need) -> Vec<Span> {
    let free = subtract(&intersect(&therapist.shifts, &supply.open), &therapist.busy);
    starts(&free, 0, need.duration)
}

/// Minutes of work of a therapist in each opening; one more entry for times outside of all.
fn loads(supply: &Supply, therapist: &Therapist) -> Vec<i64> {
    let mut loads = vec![0; supply.openings.len() + 1];
    let mut first = 0;
    for busy in &therapist.busy {
        while supply.openings.get(first).is_some_and(|opening| opening.end <= busy.start) {
            first += 1;
        }
        // Work of one day may go on into the next.
        let touched = supply.openings[first..].iter().take_while(|opening| opening.start < busy.end);
        for (load, opening) in loads[first..].iter_mut().zip(touched) {
            *load += opening.common(*busy).minutes();
        }
    }
    loads
}

fn day_of(supply: &Supply, start: Minute) -> usize {
    supply.openings.partition_point(|opening| opening.end <= start)
}

#[cfg(test)]
mod tests;
