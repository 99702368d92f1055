//! "This time?"

use kernel::{Error, Result};

use super::{Assignment, Order, choose::Chooser, supply::Supply, taken};
use crate::domain::{
    span::{Minute, covers},
    visit::{Demand, ResourceKind, Visit},
};

/// Whom and what a visit begun at `start` gets: the first of the alternatives in `visits` that can be had, with the
/// therapists first in `order`, the first rooms and machines; the rooms of a party are near to each other.
///
/// Fails with `FailedPrecondition`: OUTSIDE_OPENING_HOURS, SKILL_MISSING, NOT_ON_SHIFT, WORK_LIMIT or SLOT_TAKEN,
/// whichever came nearest to success.
pub fn assign(supply: &Supply, visits: &[Visit], start: Minute, order: &Order<'_>) -> Result<Assignment> {
    let mut nearest = Refusal::Closed;
    for (alternative, visit) in visits.iter().enumerate() {
        match assign_one(supply, visit, start, order) {
            Ok(chosen) => return Ok(Assignment { alternative, resources: ids(supply, visit, &chosen) }),
            Err(refusal) => nearest = nearest.max(refusal),
        }
    }
    Err(nearest.into())
}

/// Why a visit can't be had, from far off to nearly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Refusal {
    Closed,
    NoSkill,
    NotOnShift,
    WorkLimit,
    Taken,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let (reason, text) = match refusal {
            Refusal::Closed => ("OUTSIDE_OPENING_HOURS", "the store is not open then; choose a time within its hours"),
            Refusal::NoSkill => {
                ("SKILL_MISSING", "nobody whom you ask for can give this; choose another therapist or item")
            }
            Refusal::NotOnShift => {
                ("NOT_ON_SHIFT", "nobody whom you ask for works then; choose another time or therapist")
            }
            Refusal::WorkLimit => {
                ("WORK_LIMIT", "whoever is free then has worked enough; choose another time or therapist")
            }
            Refusal::Taken => return taken(),
        };
        Self::precondition(reason, text)
    }
}

fn assign_one(supply: &Supply, visit: &Visit, start: Minute, order: &Order<'_>) -> Result<Vec<usize>, Refusal> {
    if !covers(&supply.open, visit.treatment.moved(start)) {
        return Err(Refusal::Closed);
    }
    let able: Vec<Able> = visit.demands.iter().map(|demand| Able::of(supply, demand, start)).collect();
    if let Some(refusal) = able.iter().filter_map(|able| able.refusal).min() {
        return Err(refusal);
    }
    let able: Vec<Vec<usize>> = able.into_iter().map(|able| able.candidates).collect();
    Chooser::new(supply, visit, order).choose(&able, start).ok_or(Refusal::Taken)
}

/// Who could serve a demand, as indices into its pool; if nobody, why.
struct Able {
    candidates: Vec<usize>,
    refusal: Option<Refusal>,
}

impl Able {
    fn of(supply: &Supply, demand: &Demand, start: Minute) -> Self {
        let is_therapist = demand.class.resource() == ResourceKind::Therapist;
        let more: Vec<_> = demand.spans.iter().map(|span| span.moved(start)).collect();
        let mut nearest = if is_therapist { Refusal::NoSkill } else { Refusal::Taken };
        let mut candidates = Vec::new();
        for (index, resource) in (0..).zip(supply.pool(demand.class.resource())) {
            if !resource.suits(demand) || !resource.is_certified(demand, start) {
                continue;
            }
            let refusal = if !resource.is_on(demand, start) {
                Refusal::NotOnShift
            } else if !resource.is_free(demand, start) {
                Refusal::Taken
            } else if is_therapist && !supply.limits.allow(&supply.openings, &resource.work, &more) {
                Refusal::WorkLimit
            } else {
                candidates.push(index);
                continue;
            };
            nearest = nearest.max(refusal);
        }
        let refusal = candidates.is_empty().then_some(nearest);
        Self { candidates, refusal }
    }
}

/// The ids of resources that are given as indices into the pools of their demands.
pub(super) fn ids(supply: &Supply, visit: &Visit, chosen: &[usize]) -> Vec<kernel::Uuid> {
    let demands = visit.demands.iter().zip(chosen);
    demands.map(|(demand, &index)| supply.pool(demand.class.resource())[index].id).collect()
}
