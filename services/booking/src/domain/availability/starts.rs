//! When each resource could start to serve each demand.

use super::supply::Supply;
use crate::domain::{
    span::{Minute, Span, intersect, list, starts},
    visit::{Demand, ResourceKind, Visit},
};

/// When each resource of a supply can be had.
pub(super) struct Free {
    therapists: Vec<Vec<Span>>,
    rooms: Vec<Vec<Span>>,
    equipment: Vec<Vec<Span>>,
}

impl Free {
    pub fn of(supply: &Supply) -> Self {
        let of = |kind| supply.pool(kind).iter().map(|resource| resource.free()).collect();
        Self {
            therapists: of(ResourceKind::Therapist),
            rooms: of(ResourceKind::Room),
            equipment: of(ResourceKind::Equipment),
        }
    }

    fn pool(&self, kind: ResourceKind) -> &[Vec<Span>] {
        match kind {
            ResourceKind::Therapist => &self.therapists,
            ResourceKind::Room => &self.rooms,
            ResourceKind::Equipment => &self.equipment,
        }
    }
}

/// Who could serve a demand when, for starts that are asked for in order.
pub(super) struct Candidates {
    /// Indices into the pool of the demand.
    pub resources: Vec<usize>,
    /// When each could start, one list after the other.
    spans: Vec<Span>,
    /// For each the part of `spans` that is not over yet.
    ahead: Vec<(usize, usize)>,
}

impl Candidates {
    /// Those for the starts in `window`, as far as duty, what is taken and papers go; not the limits on work.
    pub fn of(supply: &Supply, free: &Free, demand: &Demand, window: Span) -> Self {
        let kind = demand.class.resource();
        let mut all = Self { resources: Vec::new(), spans: Vec::new(), ahead: Vec::new() };
        for ((index, resource), free) in (0..).zip(supply.pool(kind)).zip(free.pool(kind)) {
            if resource.suits(demand) {
                let certified =
                    Span::new(Span::ALWAYS.start, resource.certified_until(demand) - demand.reach().end + 1);
                let begin = all.spans.len();
                all.spans.extend(starts_within(free, demand, window.common(certified)));
                all.resources.push(index);
                all.ahead.push((begin, all.spans.len()));
            }
        }
        all
    }

    /// When anybody could start, as a list. To be asked before anything else.
    pub fn anybody(&self) -> Vec<Span> {
        list(self.spans.clone())
    }

    /// Adds to `able` who could start at `start`, in the order of the pool. Starts must be asked for in order.
    pub fn at(&mut self, start: Minute, able: &mut Vec<usize>) {
        for (resource, (next, end)) in self.resources.iter().zip(&mut self.ahead) {
            while *next < *end && self.spans[*next].end <= start {
                *next += 1;
            }
            if *next < *end && self.spans[*next].start <= start {
                able.push(*resource);
            }
        }
    }

    /// When the candidate at a place in `resources` could start next, after it was asked for a start.
    pub fn next(&self, candidate: usize) -> Option<Minute> {
        let (next, end) = self.ahead[candidate];
        self.spans[next..end].first().map(|span| span.start)
    }
}

/// The starts within `window` at which every span of the demand lies in `free`.
fn starts_within(free: &[Span], demand: &Demand, window: Span) -> Vec<Span> {
    let reach = demand.reach();
    let first = free.partition_point(|span| span.end <= window.start + reach.start);
    let last = free.partition_point(|span| span.start < window.end + reach.end);
    let near = free.get(first..last).unwrap_or_default();
    demand.spans.iter().fold(vec![window], |left, span| intersect(&left, &starts(near, -span.start, span.end)))
}

/// The starts within `window` at which the store is open for `visit`.
pub(super) fn open_starts(supply: &Supply, visit: &Visit, window: Span) -> Vec<Span> {
    let treatment = visit.treatment;
    intersect(&starts(&supply.open, -treatment.start, treatment.end), &[window])
}
