//! "Which times?"

use kernel::ids::TherapistId;

use super::{
    Assignment, Order,
    assign::ids,
    choose::Chooser,
    on_grid,
    starts::{Candidates, Free, open_starts},
    supply::Supply,
};
use crate::domain::{
    span::{Minute, Span, intersect, list},
    visit::{ResourceKind, Visit},
};

/// So much is tried at most to find everybody who could take over from whoever is proposed to a party.
const LISTING: usize = 1_000;

/// A time that can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// When the visit starts.
    pub start: Minute,
    /// Whom and what it would get: the same as [`assign`](super::assign()) says.
    pub assignment: Assignment,
    /// For each demand of a therapist, in their order: everybody who could serve it, in the order of the supply. For a
    /// large party maybe not everybody, but nobody who could not.
    pub therapists: Vec<Vec<TherapistId>>,
}

/// The first `limit` times on the grid within `window` at which one of the alternatives in `visits` can be had, by
/// start; each with the first that can, and with whom and what it would get.
pub fn offers(supply: &Supply, visits: &[Visit], window: Span, order: &Order<'_>, limit: usize) -> Vec<Offer> {
    offers_within(supply, visits, &[window], order, limit)
}

/// The same for the times within a list of windows.
pub fn offers_within(
    supply: &Supply,
    visits: &[Visit],
    windows: &[Span],
    order: &Order<'_>,
    limit: usize,
) -> Vec<Offer> {
    let Some(window) = windows.iter().copied().reduce(Span::hull) else { return Vec::new() };
    let free = Free::of(supply);
    let mut plans: Vec<Plan<'_>> = visits.iter().map(|visit| Plan::new(supply, &free, visit, window, order)).collect();
    let possible = list(plans.iter().flat_map(|plan| plan.possible.iter().copied()).collect());
    on_grid(&intersect(&possible, windows))
        .filter_map(|start| plans.iter_mut().enumerate().find_map(|(alternative, plan)| plan.offer(alternative, start)))
        .take(limit)
        .collect()
}

/// One alternative, asked for one start after the other.
pub(super) struct Plan<'a> {
    pub supply: &'a Supply,
    pub visit: &'a Visit,
    pub chooser: Chooser<'a>,
    /// Who could serve each demand when.
    pub candidates: Vec<Candidates>,
    /// Who could serve each demand at the present start.
    pub able: Vec<Vec<usize>>,
    /// When every demand finds somebody, each for itself; work limits aside.
    possible: Vec<Span>,
    /// The first span of `possible` that is not over.
    next: usize,
}

impl<'a> Plan<'a> {
    pub fn new(supply: &'a Supply, free: &Free, visit: &'a Visit, window: Span, order: &'a Order<'a>) -> Self {
        let candidates: Vec<Candidates> =
            visit.demands.iter().map(|demand| Candidates::of(supply, free, demand, window)).collect();
        let possible = candidates
            .iter()
            .fold(open_starts(supply, visit, window), |left, candidates| intersect(&left, &candidates.anybody()));
        let able = vec![Vec::new(); visit.demands.len()];
        Self { supply, visit, chooser: Chooser::new(supply, visit, order), candidates, able, possible, next: 0 }
    }

    /// Whether the visit can begin at `start`. Starts must be asked for in order.
    pub fn can_be_had(&mut self, start: Minute) -> bool {
        self.choose(start).is_some()
    }

    /// Finds who could serve each demand at `start`. Starts must be asked for in order.
    pub fn find_able(&mut self, start: Minute) {
        let Supply { limits, openings, therapists, .. } = self.supply;
        for ((demand, candidates), able) in self.visit.demands.iter().zip(&mut self.candidates).zip(&mut self.able) {
            able.clear();
            candidates.at(start, able);
            if limits.is_set() && demand.class.resource() == ResourceKind::Therapist {
                let more: Vec<Span> = demand.spans.iter().map(|span| span.moved(start)).collect();
                able.retain(|&index| limits.allow(openings, &therapists[index].work, &more));
            }
        }
    }

    fn choose(&mut self, start: Minute) -> Option<Vec<usize>> {
        while self.possible.get(self.next).is_some_and(|span| span.end <= start) {
            self.next += 1;
        }
        self.possible.get(self.next).filter(|span| span.start <= start)?;
        self.find_able(start);
        self.chooser.choose(&self.able, start)
    }

    fn offer(&mut self, alternative: usize, start: Minute) -> Option<Offer> {
        let chosen = self.choose(start)?;
        let assignment = Assignment { alternative, resources: ids(self.supply, self.visit, &chosen) };
        Some(Offer { start, assignment, therapists: self.therapists(start, &chosen) })
    }

    /// For each demand of a therapist everybody who could serve it while the others are served too.
    fn therapists(&self, start: Minute, chosen: &[usize]) -> Vec<Vec<TherapistId>> {
        let id = |index: usize| TherapistId::from_uuid(self.supply.therapists[index].id);
        let Some(group) = self.chooser.groups.iter().find(|group| group.kind == ResourceKind::Therapist) else {
            return Vec::new();
        };
        if let [only] = group.demands.as_slice() {
            return vec![self.able[*only].iter().map(|&index| id(index)).collect()];
        }
        let mut wished: Vec<Vec<usize>> = group.demands.iter().map(|&demand| self.able[demand].clone()).collect();
        let mut tries = LISTING;
        let is_idle = |candidate| !group.demands.iter().any(|&demand| chosen[demand] == candidate);
        let each = group.demands.iter().enumerate().map(|(position, &demand)| {
            let mut could = |candidate| {
                // Whoever does nothing else can take it over; for the others somebody else must be found.
                candidate == chosen[demand] || is_idle(candidate) || {
                    wished[position] = vec![candidate];
                    self.chooser.is_enough(group, &wished, start, &mut tries)
                }
            };
            let able =
                self.able[demand].iter().filter(|&&candidate| could(candidate)).map(|&index| id(index)).collect();
            wished[position].clone_from(&self.able[demand]);
            able
        });
        each.collect()
    }
}
