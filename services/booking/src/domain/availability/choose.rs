//! Whom and what a visit gets at a start.

use super::{limits::minutes_within, solve::Group, supply::Supply};
use crate::domain::{
    span::{Minute, Span, list},
    visit::{Demand, ResourceKind, Visit},
};

/// A therapist who could serve a demand.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// What the store could use.
    pub supply: &'a Supply,
    /// The therapist: an index into [`Supply::therapists`].
    pub therapist: usize,
    /// What he would do.
    pub demand: &'a Demand,
    /// When the visit starts.
    pub start: Minute,
    /// The opening in which that is: an index into [`Supply::openings`], or their number after the last.
    pub day: usize,
}

/// Who is preferred: the lower the number, the better; who comes first in the supply, if it is the same.
pub type Order<'a> = dyn Fn(&Choice<'_>) -> i64 + 'a;

/// Prefers whoever has the least work on the day of the start.
pub fn least_work(supply: &Supply) -> impl Fn(&Choice<'_>) -> i64 + use<> {
    let loads: Vec<Vec<i64>> = supply
        .therapists
        .iter()
        .map(|therapist| supply.openings.iter().map(|day| minutes_within(*day, &therapist.work)).collect())
        .collect();
    move |choice| loads.get(choice.therapist).and_then(|days| days.get(choice.day)).copied().unwrap_or(0)
}

/// Finds resources for a visit at a start; kept for many starts.
pub(super) struct Chooser<'a> {
    supply: &'a Supply,
    visit: &'a Visit,
    order: &'a Order<'a>,
    pub groups: Vec<Group>,
}

impl<'a> Chooser<'a> {
    pub fn new(supply: &'a Supply, visit: &'a Visit, order: &'a Order<'a>) -> Self {
        Self { supply, visit, order, groups: Group::of(visit) }
    }

    /// A resource for each demand, as an index into its pool: the first in the order of preference. `able` lists for each
    /// demand who could serve it, in the order of the pool. `None` if they are not enough for all.
    pub fn choose(&self, able: &[Vec<u32>], start: Minute) -> Option<Vec<u32>> {
        let mut chosen = vec![0; self.visit.demands.len()];
        for group in &self.groups {
            let found = self.choose_group(group, able, start)?;
            for (&demand, candidate) in group.demands.iter().zip(found) {
                chosen[demand] = candidate;
            }
        }
        Some(chosen)
    }

    /// The same for one group; a resource for each of its demands.
    pub fn choose_group(&self, group: &Group, able: &[Vec<u32>], start: Minute) -> Option<Vec<u32>> {
        let bears = |candidate, demands: &[usize]| self.bears(group, candidate, demands, start);
        match (group.kind, group.demands.as_slice()) {
            (ResourceKind::Therapist, [only]) => self.best(*only, &able[*only], start).map(|best| vec![best]),
            (_, [only]) => able[*only].first().map(|first| vec![*first]),
            (ResourceKind::Therapist, demands) => {
                let by_preference = demands.iter().map(|&demand| self.sorted(demand, &able[demand], start));
                group.solve(&by_preference.collect::<Vec<_>>(), &bears)
            }
            (ResourceKind::Equipment, demands) => {
                group.solve(&demands.iter().map(|&demand| able[demand].clone()).collect::<Vec<_>>(), &bears)
            }
            (ResourceKind::Room, demands) => self.neighbours(group, demands, able),
        }
    }

    /// Whether one resource could serve several demands of a group: it is free for each, but might be worn out by all.
    fn bears(&self, group: &Group, candidate: u32, positions: &[usize], start: Minute) -> bool {
        let limits = self.supply.limits;
        if group.kind != ResourceKind::Therapist || !limits.is_set() {
            return true;
        }
        let spans = positions.iter().flat_map(|&position| &self.visit.demands[group.demands[position]].spans);
        let more = list(spans.map(|span| span.moved(start)).collect::<Vec<Span>>());
        limits.allow(&self.supply.openings, &self.supply.therapists[candidate as usize].work, &more)
    }

    fn best(&self, demand: usize, able: &[u32], start: Minute) -> Option<u32> {
        let day = self.supply.day_of(start);
        able.iter().copied().min_by_key(|&candidate| self.rank(demand, candidate, start, day))
    }

    fn sorted(&self, demand: usize, able: &[u32], start: Minute) -> Vec<u32> {
        let day = self.supply.day_of(start);
        let mut sorted = able.to_vec();
        sorted.sort_by_cached_key(|&candidate| self.rank(demand, candidate, start, day));
        sorted
    }

    fn rank(&self, demand: usize, candidate: u32, start: Minute, day: usize) -> i64 {
        let demand = &self.visit.demands[demand];
        (self.order)(&Choice { supply: self.supply, therapist: candidate as usize, demand, start, day })
    }

    /// Rooms as near to each other as can be had: for each room the one way that has it and prefers those near it, and of
    /// all ways the closest.
    fn neighbours(&self, group: &Group, demands: &[usize], able: &[Vec<u32>]) -> Option<Vec<u32>> {
        let mut closest: Option<(i64, Vec<u32>)> = None;
        for &anchor in &able[demands[0]] {
            let near_it: Vec<Vec<u32>> = demands
                .iter()
                .map(|&demand| {
                    let mut rooms = able[demand].clone();
                    rooms.sort_by_key(|&room| self.distance(anchor, room));
                    rooms
                })
                .collect();
            let Some(found) = group.solve(&near_it, &|_, _| true) else { continue };
            let spread = found.iter().flat_map(|&one| found.iter().map(move |&other| (one, other)));
            let spread = spread.map(|(one, other)| self.distance(one, other)).sum();
            if closest.as_ref().is_none_or(|(least, _)| spread < *least) {
                closest = Some((spread, found));
            }
        }
        closest.map(|(_, found)| found)
    }

    fn distance(&self, one: u32, other: u32) -> i64 {
        /// Further than any two rooms of one zone.
        const OTHER_ZONE: i64 = 1 << 40;
        let of = |room: u32| &self.supply.rooms[room as usize].profile;
        let (one, other) = (of(one), of(other));
        let apart = i64::from(one.position) - i64::from(other.position);
        apart.abs() + if one.zone == other.zone { 0 } else { OTHER_ZONE }
    }
}
