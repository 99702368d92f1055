//! Which times can be had, and with whom: the time engine.
//!
//! Everything is lists of spans of whole minutes. From what is free of a resource follows at which minutes it could start
//! to serve a demand of a [visit](super::visit); the starts of a visit are those at which every demand finds one. Where
//! several demands want the same resources, whoever is found for each start must be found for all at once: a small
//! matching, and the same for "which times?" ([`offers()`]) as for "this time?" ([`assign()`]), so that exactly what is
//! offered can be had. The work grows linearly with the days looked at and with the resources.
//!
//! - [`supply`](Supply): what a store could use within a window
//! - `limits`: what nobody may be asked to work
//! - `starts`: when each resource could start to serve each demand
//! - `solve`: finding different resources for demands that want them at the same time
//! - `choose`: whom and what a visit gets, in the order of preference
//! - [`offers()`], [`assign()`], [`explain()`]: the three questions

mod assign;
mod choose;
mod explain;
mod limits;
mod offers;
mod solve;
mod starts;
mod supply;

use kernel::{
    Error, Uuid,
    ids::{RoomId, TherapistId},
};

pub use self::{
    assign::assign,
    choose::{Choice, Order, least_work},
    explain::{Cause, Explanation, Reason, explain},
    offers::{Offer, offers, offers_within},
    supply::{Certificate, Profile, Resource, Supply},
};
use super::{
    span::{Minute, Span, list},
    visit::{Demand, ResourceKind, Visit},
};

/// Visits start at multiples of so many minutes.
pub const GRID: i64 = 5;

/// Who and what serves a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Which of the alternatives asked for.
    pub alternative: usize,
    /// The resource of each demand of it, in their order.
    pub resources: Vec<Uuid>,
}

/// What serves one leg of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// An index into the visit's legs.
    pub leg: usize,
    /// Who gives it.
    pub therapist: TherapistId,
    /// Where.
    pub room: RoomId,
    /// With which machine, if it needs one; the first if it needs several.
    pub equipment: Option<RoomId>,
    /// When it is given.
    pub time: Span,
}

impl Assignment {
    /// What serves each leg of `visit`, which must be the one assigned to, begun at `start`.
    pub fn parts(&self, visit: &Visit, start: Minute) -> Vec<Part> {
        let legs = visit.legs.iter().enumerate();
        legs.filter_map(|(index, leg)| {
            let of = |kind| {
                let serves = |demand: &Demand| demand.class.resource() == kind && demand.legs.contains(&index);
                visit.demands.iter().position(serves).and_then(|demand| self.resources.get(demand).copied())
            };
            Some(Part {
                leg: index,
                therapist: TherapistId::from_uuid(of(ResourceKind::Therapist)?),
                room: RoomId::from_uuid(of(ResourceKind::Room)?),
                equipment: of(ResourceKind::Equipment).map(RoomId::from_uuid),
                time: leg.treatment.moved(start),
            })
        })
        .collect()
    }

    /// The assignment that served a visit in this way; `parts` are those of its legs, in their order.
    pub fn of_parts(visit: &Visit, parts: &[(TherapistId, RoomId, Option<RoomId>)]) -> Option<Self> {
        let resource = |demand: &Demand| {
            let (therapist, room, equipment) = parts.get(*demand.legs.first()?)?;
            match demand.class.resource() {
                ResourceKind::Therapist => Some(therapist.uuid()),
                ResourceKind::Room => Some(room.uuid()),
                ResourceKind::Equipment => equipment.map(RoomId::uuid),
            }
        };
        let resources = visit.demands.iter().map(resource).collect::<Option<_>>()?;
        Some(Self { alternative: 0, resources })
    }

    /// Which resource is kept when, in the one order in which everybody takes them: by id, then by start. Two bookings
    /// that want the same resources then wait for each other in a line, never in a circle.
    pub fn allocations(&self, visit: &Visit, start: Minute) -> Vec<(Uuid, Span)> {
        self.kept(visit, start, |_| true)
    }

    /// The same for one guest of a party.
    pub fn allocations_of(&self, visit: &Visit, start: Minute, guest: usize) -> Vec<(Uuid, Span)> {
        self.kept(visit, start, |demand| demand.guest == guest)
    }

    fn kept(&self, visit: &Visit, start: Minute, wanted: impl Fn(&Demand) -> bool) -> Vec<(Uuid, Span)> {
        let demands = self.resources.iter().zip(&visit.demands).filter(|(_, demand)| wanted(demand));
        let mut kept: Vec<(Uuid, Span)> = demands
            .flat_map(|(resource, demand)| demand.spans.iter().map(|span| (*resource, span.moved(start))))
            .collect();
        kept.sort_unstable();
        kept.chunk_by(|(one, _), (other, _)| one == other)
            .flat_map(|of_one| {
                // Whoever gives two legs without a pause is kept once.
                let spans = list(of_one.iter().map(|(_, span)| *span).collect());
                spans.into_iter().map(|span| (of_one[0].0, span))
            })
            .collect()
    }
}

/// The time is somebody else's.
pub fn taken() -> Error {
    Error::precondition("SLOT_TAKEN", "this time has just been taken; search again and choose another")
}

/// The starts on the grid within a list, in order.
fn on_grid(list: &[Span]) -> impl Iterator<Item = Minute> {
    list.iter().flat_map(|span| (first_on_grid(span.start)..span.end).step_by(usize::try_from(GRID).unwrap_or(1)))
}

/// The first start on the grid that is not before `minute`.
fn first_on_grid(minute: Minute) -> Minute {
    minute + (-minute).rem_euclid(GRID)
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod tests;
