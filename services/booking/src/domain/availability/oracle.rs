//! The engine against a brute-force oracle: a second answer to the same questions, written without looking at the first.
//! It knows no spans, only minutes, and tries everything.

use std::{cell::Cell, ops::Range};

use super::*;
use crate::domain::visit::Class;

mod chain;

use chain::Chain;

/// How many chains are tried.
const CHAINS: Range<u64> = 0..10_000;

/// Minutes that the oracle looks at: from so many before the window to after the last opening.
const BEFORE: i64 = 120;
const LENGTH: i64 = 650;

/// Which minutes from `Oracle::first` on a resource is on duty, busy and at work.
struct Minutes {
    on: Vec<bool>,
    busy: Vec<bool>,
    work: Vec<bool>,
}

struct Oracle<'a> {
    supply: &'a Supply,
    first: Minute,
    open: Vec<bool>,
    /// Therapists, rooms, machines.
    pools: [Vec<Minutes>; 3],
}

const KINDS: [ResourceKind; 3] = [ResourceKind::Therapist, ResourceKind::Room, ResourceKind::Equipment];

impl<'a> Oracle<'a> {
    fn of(supply: &'a Supply, window: Span) -> Self {
        let first = window.start - BEFORE;
        let marked = |spans: &[Span]| {
            let mut minutes = vec![false; index(LENGTH)];
            for span in spans {
                for minute in span.start.max(first)..span.end.min(first + LENGTH) {
                    minutes[index(minute - first)] = true;
                }
            }
            minutes
        };
        let pools = KINDS.map(|kind| {
            let minutes = |resource: &Resource| Minutes {
                on: marked(&resource.on),
                busy: marked(&resource.busy),
                work: marked(&resource.work),
            };
            supply.pool(kind).iter().map(minutes).collect()
        });
        Self { supply, first, open: marked(&supply.open), pools }
    }

    fn minutes(&self, spans: &[Span], start: Minute) -> impl Iterator<Item = usize> {
        let offset = start - self.first;
        spans.iter().flat_map(move |span| span.start + offset..span.end + offset).map(index)
    }

    fn is_open(&self, visit: &Visit, start: Minute) -> bool {
        self.minutes(&[visit.treatment], start).all(|minute| self.open[minute])
    }

    /// Whether the resource at `index` can serve one demand and nothing else.
    fn can(&self, kind: usize, resource: usize, demand: &Demand, start: Minute) -> bool {
        let Resource { id, profile, .. } = &self.supply.pool(KINDS[kind])[resource];
        let suits = match &demand.class {
            Class::Room { kind } | Class::Equipment { kind } => profile.kind == *kind,
            Class::Therapist { skills, certificates } => {
                let last = demand.spans.iter().map(|span| span.end).max().expect("never empty");
                skills.iter().all(|skill| profile.skills.contains(skill))
                    && certificates.iter().all(|paper| {
                        profile.certificates.iter().any(|own| own.name == *paper && start + last - 1 < own.end)
                    })
            }
        };
        let minutes = &self.pools[kind][resource];
        suits
            && demand.wish.is_none_or(|wish| wish == *id)
            && demand.sex.is_none_or(|sex| sex == profile.sex)
            && demand.min_grade.is_none_or(|grade| profile.grade >= grade)
            && demand.language.as_ref().is_none_or(|language| profile.languages.contains(language))
            && self.minutes(&demand.spans, start).all(|minute| minutes.on[minute] && !minutes.busy[minute])
    }

    /// Whether a therapist may do all of this besides his work.
    fn bears(&self, therapist: usize, demands: &[&Demand], start: Minute) -> bool {
        let limits = self.supply.limits;
        let work = &self.pools[0][therapist].work;
        let mut all = work.clone();
        let mut more = vec![false; all.len()];
        for minute in demands.iter().flat_map(|demand| self.minutes(&demand.spans, start)) {
            (all[minute], more[minute]) = (true, true);
        }
        let days_are_fine = limits.per_day.is_none_or(|most| {
            self.supply.openings.iter().all(|day| {
                let day = || (day.start - self.first..day.end - self.first).map(index);
                !day().any(|minute| more[minute]) || count(day().filter(|&minute| all[minute])) <= most
            })
        });
        days_are_fine
            && limits.in_row.is_none_or(|most| rows(&all, &more, limits.rest).into_iter().all(|row| row <= most))
    }

    /// The first in the order of preference of all ways to serve these demands with resources of one sort.
    fn first_way(&self, kind: usize, demands: &[&Demand], start: Minute) -> Option<Vec<usize>> {
        let by_preference: Vec<Vec<usize>> = demands
            .iter()
            .map(|demand| {
                let mut able: Vec<usize> =
                    (0..self.pools[kind].len()).filter(|&it| self.can(kind, it, demand, start)).collect();
                if kind == 0 {
                    able.sort_by_key(|&therapist| self.load(therapist, start));
                }
                able
            })
            .collect();
        self.go_on(kind, demands, &by_preference, start, &mut Vec::new())
    }

    fn go_on(
        &self,
        kind: usize,
        demands: &[&Demand],
        able: &[Vec<usize>],
        start: Minute,
        begun: &mut Vec<usize>,
    ) -> Option<Vec<usize>> {
        if begun.len() == demands.len() {
            let of = |therapist| {
                let his = demands.iter().zip(&*begun).filter(move |(_, it)| **it == therapist);
                his.map(|(demand, _)| *demand).collect::<Vec<_>>()
            };
            let all_bear = kind != 0 || begun.iter().all(|&therapist| self.bears(therapist, &of(therapist), start));
            return all_bear.then(|| begun.clone());
        }
        let demand = demands[begun.len()];
        for &resource in &able[begun.len()] {
            let mine = || self.minutes(&demand.spans, start);
            let mut others = demands.iter().zip(&*begun).filter(|(_, it)| **it == resource);
            if others.any(|(other, _)| self.minutes(&other.spans, start).any(|minute| mine().any(|it| it == minute))) {
                continue;
            }
            begun.push(resource);
            let found = self.go_on(kind, demands, able, start, begun);
            begun.pop();
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Minutes of work on the day of `start`.
    fn load(&self, therapist: usize, start: Minute) -> i64 {
        let Some(day) = self.supply.openings.iter().find(|day| day.end > start) else { return 0 };
        count((day.start..day.end).filter(|minute| self.pools[0][therapist].work[index(minute - self.first)]))
    }

    /// For each sort of resource the first way to serve a visit; `None` if there is none for one of them.
    fn serve(&self, visit: &Visit, start: Minute) -> Option<[Vec<usize>; 3]> {
        if !self.is_open(visit, start) {
            return None;
        }
        let mut ways = [Vec::new(), Vec::new(), Vec::new()];
        for (kind, way) in ways.iter_mut().enumerate() {
            *way = self.first_way(kind, &of_kind(visit, kind), start)?;
        }
        Some(ways)
    }

    /// Whether the engine's own answer is one that works.
    fn confirms(&self, visit: &Visit, start: Minute, assignment: &Assignment) -> bool {
        let mut wished = visit.clone();
        for (demand, resource) in wished.demands.iter_mut().zip(&assignment.resources) {
            demand.wish = Some(*resource);
        }
        self.serve(&wished, start).is_some()
    }
}

fn of_kind(visit: &Visit, kind: usize) -> Vec<&Demand> {
    visit.demands.iter().filter(|demand| demand.class.resource() == KINDS[kind]).collect()
}

/// Minutes of work in each stretch that has one of `more`.
fn rows(all: &[bool], more: &[bool], rest: i64) -> Vec<i64> {
    let (mut rows, mut row, mut idle, mut ours) = (Vec::new(), 0, 0, false);
    for (&works, &is_more) in all.iter().zip(more) {
        idle = if works { 0 } else { idle + 1 };
        if works {
            row += 1;
            ours |= is_more;
        } else if idle >= rest.max(1) {
            rows.extend(ours.then_some(row));
            (row, ours) = (0, false);
        }
    }
    rows.extend(ours.then_some(row));
    rows
}

fn index(minute: i64) -> usize {
    usize::try_from(minute).expect("within what the oracle looks at")
}

fn count(minutes: impl Iterator) -> i64 {
    i64::try_from(minutes.count()).expect("few")
}

/// Says which chain it was if the test fails.
struct Named<'a>(&'a Cell<u64>);

impl Drop for Named<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the chain of seed {}", self.0.get());
        }
    }
}

fn each_chain(mut check: impl FnMut(u64, &Chain)) {
    let seed = Cell::new(0);
    let _named = Named(&seed);
    for next in CHAINS {
        seed.set(next);
        check(next, &Chain::of(next));
    }
}

/// A time is offered exactly if it can be assigned, and exactly if the oracle finds a way; with the first alternative that
/// has one, and the same therapists and machines.
#[test]
fn what_is_offered_can_be_had_and_the_oracle_agrees() {
    let (mut had, mut not) = (0, 0);
    each_chain(|_, Chain { supply, visits, window }| {
        let (oracle, order) = (Oracle::of(supply, *window), least_work(supply));
        let mut offered = offers(supply, visits, *window, &order, usize::MAX).into_iter().peekable();
        for start in (window.start..window.end).filter(|start| start % GRID == 0) {
            let offer = offered.next_if(|offer| offer.start == start);
            let assigned = assign(supply, visits, start, &order);
            assert_eq!(offer.as_ref().map(|offer| &offer.assignment), assigned.as_ref().ok(), "{start}: {assigned:?}");
            let expected = visits.iter().enumerate().find_map(|(i, visit)| Some((i, oracle.serve(visit, start)?)));
            let Some((alternative, ways)) = expected else {
                assert_eq!(assigned.ok(), None, "{start}: the oracle finds no way");
                not += 1;
                continue;
            };
            let assignment = assigned.expect("the oracle finds a way");
            assert_eq!(assignment.alternative, alternative, "{start}");
            let visit = &visits[alternative];
            assert!(oracle.confirms(visit, start, &assignment), "{start}: {assignment:?}");
            for kind in [0, 2] {
                let ids = ways[kind].iter().map(|&index| supply.pool(KINDS[kind])[index].id);
                let demands = visit.demands.iter().zip(&assignment.resources);
                let found = demands.filter(|(demand, _)| demand.class.resource() == KINDS[kind]).map(|(_, id)| *id);
                assert!(found.eq(ids), "{start}: {assignment:?}, the oracle {ways:?}");
            }
            had += 1;
        }
        assert_eq!(offered.next(), None);
    });
    assert!(had > 20_000 && not > 20_000, "{had} starts could be had, {not} could not");
}

/// Whoever is listed with an offer can be asked for, and nobody else.
#[test]
fn whoever_is_listed_can_be_asked_for() {
    each_chain(|seed, Chain { supply, visits, window }| {
        let order = least_work(supply);
        for offer in
            offers(supply, visits, *window, &order, usize::MAX).into_iter().skip(usize::from(seed % 7 > 3)).step_by(6)
        {
            let visit = &visits[offer.assignment.alternative];
            let demands = visit.demands.iter().enumerate().filter(|(_, it)| it.class.resource() == KINDS[0]);
            for ((demand, _), listed) in demands.zip(&offer.therapists) {
                for therapist in supply.therapists.iter().filter(|it| it.suits(&visit.demands[demand])) {
                    let mut wished = visit.clone();
                    wished.demands[demand].wish = Some(therapist.id);
                    let can = assign(supply, &[wished], offer.start, &order).is_ok();
                    let is_listed = listed.iter().any(|listed| listed.uuid() == therapist.id);
                    assert_eq!(is_listed, can, "{}: {therapist:?} for demand {demand}", offer.start);
                }
            }
        }
    });
}

/// Every start is either offered or explained, and what is said about when it gets better is true.
#[test]
fn every_start_is_either_offered_or_explained() {
    each_chain(|_, Chain { supply, visits, window }| {
        let order = least_work(supply);
        let mut starts: Vec<Minute> =
            offers(supply, visits, *window, &order, usize::MAX).into_iter().map(|offer| offer.start).collect();
        let oracle = Oracle::of(supply, *window);
        for Explanation { span, reasons } in explain(supply, visits, *window) {
            assert!(!reasons.is_empty());
            starts.extend((span.start..span.end).step_by(5));
            for reason in reasons {
                let until = |start: Minute, can: &dyn Fn(Minute) -> bool| {
                    (start..reason.until.unwrap_or(window.end)).all(|start| !can(start)) && reason.until.is_none_or(can)
                };
                let visit = &visits[0];
                match (reason.cause, reason.therapist) {
                    (Cause::Closed, _) => assert!(until(span.start, &|start| oracle.is_open(visit, start))),
                    (Cause::Busy | Cause::NotOnShift, Some(id)) => {
                        let therapist = supply.therapists.iter().position(|it| it.id == id).expect("one of them");
                        let refused = of_kind(visit, 0)
                            .into_iter()
                            .any(|demand| until(span.start, &|start| oracle.can(0, therapist, demand, start)));
                        assert!(refused, "{span:?} {reason:?}");
                    }
                    _ => {}
                }
            }
        }
        starts.sort_unstable();
        let all: Vec<Minute> = (window.start..window.end).filter(|start| start % GRID == 0).collect();
        assert_eq!(starts, all);
    });
}
