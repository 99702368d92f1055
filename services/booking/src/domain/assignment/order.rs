//! The orders as the engine takes them: a number for each therapist and start.

use kernel::ids::TherapistId;

use super::{Candidate, Context, Standing, count, gaps::Gaps};
use crate::domain::{
    availability::{Choice, Supply, least_work},
    policy::AssignmentPolicy,
    span::{Minute, Span},
};

/// More than the minutes of work in a day.
const WORK: i64 = 1 << 16;

/// More than any cost of gaps.
const GAPS: i64 = 1 << 24;

/// Prefers whoever comes first under `policy`; the supply lists its therapists by name. It is the order of
/// [`super::rank`].
pub fn order(policy: AssignmentPolicy, context: &Context, supply: &Supply) -> impl Fn(&Choice<'_>) -> i64 + use<> {
    let standings: Vec<Standing> = supply
        .therapists
        .iter()
        .map(|therapist| Standing::of(policy, context, TherapistId::from_uuid(therapist.id)))
        .collect();
    let class = |standing: &Standing| (standing.avoided, standing.by_policy);
    let mut classes: Vec<_> = standings.iter().map(class).collect();
    classes.sort_unstable();
    let ranks: Vec<i64> =
        standings.iter().map(|standing| count(classes.partition_point(|other| *other < class(standing)))).collect();
    let shortest = standings.first().and_then(|standing| standing.shortest_visit);
    let work = least_work(supply);
    move |choice| {
        let rank = ranks.get(choice.therapist).copied().unwrap_or(0);
        let gaps = shortest.map_or(0, |shortest| cost(gaps(choice, shortest)));
        (rank * GAPS + gaps) * WORK + work(choice).min(WORK - 1)
    }
}

/// The candidates among `able` for a visit that starts at `start` and keeps its therapist for `kept`: what
/// [`super::rank`] says of them is why they were taken.
pub fn candidates<'a>(supply: &'a Supply, able: &[TherapistId], start: Minute, kept: &'a [Span]) -> Vec<Candidate<'a>> {
    let day = day(supply, supply.day_of(start), start);
    supply
        .therapists
        .iter()
        .enumerate()
        .map(|(by_name, therapist)| Candidate {
            therapist: TherapistId::from_uuid(therapist.id),
            by_name,
            work: therapist.work.iter().map(|span| span.common(day).minutes()).sum(),
            on: touching(&therapist.on, day),
            busy: touching(&therapist.busy, day),
            kept,
        })
        .filter(|candidate| able.contains(&candidate.therapist))
        .collect()
}

fn gaps(choice: &Choice<'_>, shortest: i64) -> Gaps {
    let Some(therapist) = choice.supply.therapists.get(choice.therapist) else { return Gaps::default() };
    let day = day(choice.supply, choice.day, choice.start);
    let kept: Vec<Span> = choice.demand.spans.iter().map(|span| span.moved(choice.start)).collect();
    Gaps::left_by(touching(&therapist.on, day), touching(&therapist.busy, day), &kept, shortest)
}

/// Fewer lost minutes first, then fewer pieces. A day has neither as many of the one nor of the other as there is room
/// for.
fn cost(gaps: Gaps) -> i64 {
    let within = |number: i64, half: i64| (number + half).clamp(0, 2 * half - 1);
    within(gaps.lost, 1 << 15) * (1 << 8) + within(gaps.pieces, 1 << 7)
}

/// The opening of that number; outside of all, nothing but the start.
fn day(supply: &Supply, index: usize, start: Minute) -> Span {
    supply.openings.get(index).copied().unwrap_or(Span::new(start, start))
}

/// The spans of a list that share a minute with the day.
fn touching(list: &[Span], day: Span) -> &[Span] {
    let from = list.partition_point(|span| span.end <= day.start);
    let to = list.partition_point(|span| span.start < day.end);
    list.get(from..to).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use kernel::Uuid;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        assignment::{rank, rotation::Turn},
        availability::Resource,
        span::list,
        visit::{Class, Demand},
    };

    /// Of an hour, with a pause in it.
    fn demand() -> Demand {
        Demand {
            class: Class::Therapist { skills: Vec::new(), certificates: Vec::new() },
            spans: vec![Span::new(0, 30), Span::new(40, 60)],
            wish: None,
            sex: None,
            min_grade: None,
            language: None,
            guest: 0,
            legs: vec![0],
        }
    }

    proptest! {
        /// The engine takes therapists in the order that people are told.
        #[test]
        fn the_number_and_the_words_are_one_order(
            days in prop::collection::vec(prop::collection::vec((0_i64..28, 1_i64..3), 0..6), 1..10),
            facts in prop::collection::vec((0_u128..10, 0_i64..3, any::<bool>()), 0..10),
            start in 0_i64..48,
        ) {
            let therapists: Vec<Resource> = (0..)
                .zip(&days)
                .map(|(n, day)| {
                    let work = list(day.iter().map(|&(at, long)| Span::new(at * 20, (at + long) * 20)).collect());
                    Resource { id: Uuid::from_u128(n), on: vec![Span::ALWAYS], busy: work.clone(), work, ..Resource::default() }
                })
                .collect();
            let openings = vec![Span::new(0, 300), Span::new(300, 560)];
            let supply = Supply { open: list(openings.clone()), openings, therapists, ..Supply::default() };
            let mut context = Context { shortest_visit: 45, ..Context::default() };
            for (n, value, flag) in facts {
                let therapist = TherapistId::from_uuid(Uuid::from_u128(n));
                if context.rotation.turn(therapist).is_none() {
                    context.rotation.turns.push(Turn { therapist, skipped: flag });
                }
                context.ledger.virtual_times.insert(therapist, value);
                context.ratings.insert(therapist, value);
                context.liking.favourites.extend((value == 1).then_some(therapist));
                context.liking.avoided.extend((flag && value == 2).then_some(therapist));
            }
            let able: Vec<_> = supply.therapists.iter().map(|one| TherapistId::from_uuid(one.id)).collect();
            let (start, demand) = (start * 10, demand());
            let kept: Vec<_> = demand.spans.iter().map(|span| span.moved(start)).collect();
            for (policy, _) in AssignmentPolicy::ALL {
                let order = order(policy, &context, &supply);
                let number = |therapist: usize| {
                    order(&Choice { supply: &supply, therapist, demand: &demand, start, day: supply.day_of(start) })
                };
                let mut by_number: Vec<usize> = (0..able.len()).collect();
                by_number.sort_by_key(|therapist| number(*therapist));
                let by_number: Vec<_> = by_number.into_iter().map(|index| able[index]).collect();
                let ranked = rank(policy, &context, &candidates(&supply, &able, start, &kept));
                prop_assert_eq!(ranked.iter().map(|one| one.therapist).collect::<Vec<_>>(), by_number);
            }
            prop_assert!(candidates(&supply, &[], start, &kept).is_empty());
        }
    }
}
