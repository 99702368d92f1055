//! Whom and what a visit gets at a start.

use super::{
    limits::minutes_within,
    solve::{Group, TRIES},
    supply::Supply,
};
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
    /// Where each room lies: the first room of its zone, and how far along it. Empty if one room is enough.
    places: Vec<(usize, i64)>,
}

impl<'a> Chooser<'a> {
    pub fn new(supply: &'a Supply, visit: &'a Visit, order: &'a Order<'a>) -> Self {
        let groups = Group::of(visit);
        let several = groups.iter().any(|group| group.kind == ResourceKind::Room && group.demands.len() > 1);
        let place = |index: usize| {
            let profile = &supply.rooms[index].profile;
            let first = supply.rooms.iter().position(|room| room.profile.zone == profile.zone);
            (first.unwrap_or(index), i64::from(profile.position))
        };
        let places = if several { (0..supply.rooms.len()).map(place).collect() } else { Vec::new() };
        Self { supply, visit, order, groups, places }
    }

    /// A resource for each demand, as an index into its pool: the first in the order of preference. `able` lists for each
    /// demand who could serve it, in the order of the pool. `None` if they are not enough for all.
    pub fn choose(&self, able: &[Vec<usize>], start: Minute) -> Option<Vec<usize>> {
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
    pub fn choose_group(&self, group: &Group, able: &[Vec<usize>], start: Minute) -> Option<Vec<usize>> {
        let bears = |candidate, demands: &[usize]| self.bears(group, candidate, demands, start);
        match (group.kind, group.demands.as_slice()) {
            (ResourceKind::Therapist, [only]) => self.best(*only, &able[*only], start).map(|best| vec![best]),
            (_, [only]) => able[*only].first().map(|first| vec![*first]),
            (ResourceKind::Therapist, demands) => {
                let by_preference = demands.iter().map(|&demand| self.sorted(demand, &able[demand], start));
                group.solve(&by_preference.collect::<Vec<_>>(), &bears, &mut { TRIES })
            }
            (ResourceKind::Equipment, demands) => {
                let able: Vec<Vec<usize>> = demands.iter().map(|&demand| able[demand].clone()).collect();
                group.solve(&able, &bears, &mut { TRIES })
            }
            (ResourceKind::Room, demands) => self.neighbours(group, demands, able),
        }
    }

    /// Whether a way to serve all demands of a group is found within `tries`, which become fewer; `able` lists for each
    /// of them who could.
    pub fn is_enough(&self, group: &Group, able: &[Vec<usize>], start: Minute, tries: &mut usize) -> bool {
        group.solve(able, &|candidate, demands| self.bears(group, candidate, demands, start), tries).is_some()
    }

    /// Whether one resource could serve several demands of a group: it is free for each, but might be worn out by all.
    fn bears(&self, group: &Group, candidate: usize, positions: &[usize], start: Minute) -> bool {
        let limits = self.supply.limits;
        if group.kind != ResourceKind::Therapist || !limits.is_set() {
            return true;
        }
        let spans = positions.iter().flat_map(|&position| &self.visit.demands[group.demands[position]].spans);
        let more = list(spans.map(|span| span.moved(start)).collect::<Vec<Span>>());
        limits.allow(&self.supply.openings, &self.supply.therapists[candidate].work, &more)
    }

    fn best(&self, demand: usize, able: &[usize], start: Minute) -> Option<usize> {
        let day = self.supply.day_of(start);
        able.iter().copied().min_by_key(|&candidate| self.rank(demand, candidate, start, day))
    }

    fn sorted(&self, demand: usize, able: &[usize], start: Minute) -> Vec<usize> {
        let day = self.supply.day_of(start);
        let mut sorted = able.to_vec();
        sorted.sort_by_cached_key(|&candidate| self.rank(demand, candidate, start, day));
        sorted
    }

    fn rank(&self, demand: usize, candidate: usize, start: Minute, day: usize) -> i64 {
        let demand = &self.visit.demands[demand];
        (self.order)(&Choice { supply: self.supply, therapist: candidate, demand, start, day })
    }

    /// Rooms as near to each other as can be had: for each room the one way that prefers those near it, and of all ways
    /// the closest.
    fn neighbours(&self, group: &Group, demands: &[usize], able: &[Vec<usize>]) -> Option<Vec<usize>> {
        let mut near: Vec<Vec<usize>> = demands.iter().map(|&demand| able[demand].clone()).collect();
        let mut closest: Option<(i64, Vec<usize>)> = None;
        for &anchor in &able[demands[0]] {
            for rooms in &mut near {
                rooms.sort_unstable_by_key(|&room| (self.distance(anchor, room), room));
            }
            // If there is no way for one order, there is none for any.
            let found = group.solve(&near, &|_, _| true, &mut { TRIES })?;
            let spread =
                found.iter().map(|&one| found.iter().map(|&other| self.distance(one, other)).sum::<i64>()).sum();
            if closest.as_ref().is_none_or(|(least, _)| spread < *least) {
                closest = Some((spread, found));
            }
        }
        closest.map(|(_, found)| found)
    }

    fn distance(&self, one: usize, other: usize) -> i64 {
        /// Further than any two rooms of one zone.
        const OTHER_ZONE: i64 = 1 << 40;
        let ((zone, one), (other_zone, other)) = (self.places[one], self.places[other]);
        (one - other).abs() + if zone == other_zone { 0 } else { OTHER_ZONE }
    }
}
