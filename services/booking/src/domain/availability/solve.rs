//! Finding different resources for demands that want them at the same time.
//!
//! Therapists, rooms and machines are found apart from each other: none can stand in for another sort. Within a sort the
//! demands are served in their order, each by the best resource that leaves the others one: the answer is the first in
//! the order of preference, and there is always the same one. To know what leaves the others one, demands that overlap
//! at a moment are matched with resources (Kuhn's augmenting paths). If all overlap, as for a party that begins at once,
//! that is exact and nothing is ever taken back; otherwise it leaves little to try in vain.

use crate::domain::{
    span::Span,
    visit::{ResourceKind, Visit},
};

/// So many resources are tried before a puzzle counts as impossible. What people book takes one for each demand; only
/// large parties with packages in a nearly full store take more. "Which times?" and "this time?" give up at the same one,
/// so that they never contradict each other.
pub(super) const TRIES: usize = 500;

/// The demands of a visit for one sort of resource.
#[derive(Debug)]
pub(super) struct Group {
    /// Which sort.
    pub kind: ResourceKind,
    /// Indices into the visit's demands.
    pub demands: Vec<usize>,
    /// Whether two of them (by position in `demands`) are at the same time; row by row.
    overlap: Vec<bool>,
    /// The sets of them that are at the same time, as positions; no set is part of another.
    moments: Vec<Vec<usize>>,
}

impl Group {
    /// The groups of a visit that have demands.
    pub fn of(visit: &Visit) -> Vec<Self> {
        let kinds = [ResourceKind::Therapist, ResourceKind::Room, ResourceKind::Equipment];
        kinds.into_iter().map(|kind| Self::of_kind(visit, kind)).filter(|group| !group.demands.is_empty()).collect()
    }

    fn of_kind(visit: &Visit, kind: ResourceKind) -> Self {
        let of_kind = |index: &usize| visit.demands[*index].class.resource() == kind;
        let demands: Vec<usize> = (0..visit.demands.len()).filter(of_kind).collect();
        let spans: Vec<&[Span]> = demands.iter().map(|&demand| visit.demands[demand].spans.as_slice()).collect();
        let overlaps = |a: &[Span], b: &[Span]| a.iter().any(|span| b.iter().any(|other| span.overlaps(*other)));
        let overlap = spans.iter().flat_map(|a| spans.iter().map(|b| overlaps(a, b))).collect();
        // Whatever is at the same time is so when the last of it begins.
        let mut moments: Vec<Vec<usize>> = Vec::new();
        for begin in spans.iter().flat_map(|spans| spans.iter().map(|span| span.start)) {
            let now = |spans: &&[Span]| spans.iter().any(|span| span.start <= begin && begin < span.end);
            let moment: Vec<usize> = (0..spans.len()).filter(|&position| now(&spans[position])).collect();
            let within = |a: &[usize], b: &[usize]| a.iter().all(|position| b.contains(position));
            if !moments.iter().any(|known| within(&moment, known)) {
                moments.retain(|known| !within(known, &moment));
                moments.push(moment);
            }
        }
        Self { kind, demands, overlap, moments }
    }

    /// A resource for each demand, by position: different ones for those at the same time. `able` lists for each who
    /// could serve it, in the order of preference; `bears` says whether a resource could serve several demands together,
    /// by position. `None` if there is no way, or none was found within `tries`, which become fewer.
    pub fn solve(
        &self,
        able: &[Vec<usize>],
        bears: &dyn Fn(usize, &[usize]) -> bool,
        tries: &mut usize,
    ) -> Option<Vec<usize>> {
        if let [only] = able {
            return only.first().map(|first| vec![*first]);
        }
        let chosen = Vec::with_capacity(able.len());
        let mut search = Search { group: self, able, bears, chosen, tries, matching: Matching::default() };
        (search.can_go_on(None) && search.serve_next()).then_some(search.chosen)
    }

    fn overlap(&self, one: usize, other: usize) -> bool {
        self.overlap[one * self.demands.len() + other]
    }
}

struct Search<'a> {
    group: &'a Group,
    able: &'a [Vec<usize>],
    bears: &'a dyn Fn(usize, &[usize]) -> bool,
    /// Who serves the first demands.
    chosen: Vec<usize>,
    tries: &'a mut usize,
    /// Kept so that it need not be allocated anew.
    matching: Matching,
}

/// Demands of one moment matched with resources.
#[derive(Default)]
struct Matching {
    /// Resources, each with the demand that it would serve.
    holders: Vec<(usize, usize)>,
    /// Resources that were tried for the present demand.
    seen: Vec<usize>,
}

impl Search<'_> {
    /// Serves the demands that are not served yet; if there is no way all is as before.
    fn serve_next(&mut self) -> bool {
        let Some(able) = self.able.get(self.chosen.len()) else { return true };
        let demand = self.chosen.len();
        for &candidate in able {
            if !self.may(demand, candidate) {
                continue;
            }
            let Some(left) = self.tries.checked_sub(1) else { return false };
            *self.tries = left;
            self.chosen.push(candidate);
            if self.can_go_on(Some(demand)) && self.serve_next() {
                return true;
            }
            self.chosen.pop();
        }
        false
    }

    /// Whether `candidate` may serve the demand besides those that it was chosen for.
    fn may(&self, demand: usize, candidate: usize) -> bool {
        let served = || (0..self.chosen.len()).filter(|&other| self.chosen[other] == candidate);
        if served().next().is_none() {
            return true;
        }
        !served().any(|other| self.group.overlap(demand, other))
            && (self.bears)(candidate, &served().chain([demand]).collect::<Vec<_>>())
    }

    /// Whether at each moment the demands that are not served yet can be matched with resources. If not, there is no way.
    /// After one more was served, only the moments of those at the same time as it are looked at again.
    fn can_go_on(&mut self, served: Option<usize>) -> bool {
        let Matching { mut holders, mut seen } = std::mem::take(&mut self.matching);
        let is_open = |demand: usize| demand >= self.chosen.len();
        let concerns = |demand| is_open(demand) && served.is_none_or(|served| self.group.overlap(served, demand));
        let concerned = self.group.moments.iter().filter(|moment| moment.iter().any(|&demand| concerns(demand)));
        let possible = concerned.into_iter().all(|moment| {
            holders.clear();
            let mut open = moment.iter().filter(|&&demand| is_open(demand));
            open.all(|&demand| {
                seen.clear();
                self.augment(demand, &mut holders, &mut seen)
            })
        });
        self.matching = Matching { holders, seen };
        possible
    }

    /// Finds a resource for one more demand of a moment: a free one, or one whose demand can be moved to another.
    fn augment(&self, demand: usize, holders: &mut Vec<(usize, usize)>, seen: &mut Vec<usize>) -> bool {
        let is_held = |holders: &[(usize, usize)], candidate| holders.iter().position(|(held, _)| *held == candidate);
        let able = &self.able[demand];
        let free = |candidate: &&usize| is_held(holders, **candidate).is_none() && self.may(demand, **candidate);
        if let Some(&candidate) = able.iter().find(free) {
            holders.push((candidate, demand));
            return true;
        }
        for &candidate in able {
            let Some(index) = is_held(holders, candidate) else { continue };
            if seen.contains(&candidate) || !self.may(demand, candidate) {
                continue;
            }
            seen.push(candidate);
            if self.augment(holders[index].1, holders, seen) {
                holders[index].1 = demand;
                return true;
            }
        }
        false
    }
}
