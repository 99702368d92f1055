//! When those in line can begin: the queue played through on what the store has.
//!
//! Each in order gets the first time that is free, and keeps it against those after him. Appointments keep their time
//! already, so the queue only ever gets what they leave: no place in it delays one.

use kernel::Uuid;

use crate::domain::{
    availability::{Order, Supply, offers},
    span::{Minute, Span},
    visit::Visit,
};

/// How far ahead is looked first; mostly somebody is free within that.
const FIRST_LOOK: i64 = 120;

/// When one of those in line can begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// When his visit starts.
    pub start: Minute,
    /// What it keeps, against those after him.
    pub kept: Vec<(Uuid, Span)>,
}

/// When each of those in line can begin, at the earliest at the start of `window` and before its end: `None` if not any
/// more. `line` says for each in which ways he can be served. `order` gives the preference for therapists.
///
/// The work grows with the line and with the resources of the store.
pub fn turns<'a>(
    supply: &Supply,
    line: &[Vec<Visit>],
    window: Span,
    order: impl Fn(&Supply) -> Box<Order<'a>>,
) -> Vec<Option<Turn>> {
    let mut supply = supply.clone();
    // Whoever waits for the same as one before him can't begin before that one.
    let mut earliest: Vec<(&Vec<Visit>, Minute)> = Vec::new();
    line.iter()
        .map(|visits| {
            let known = earliest.iter().position(|(other, _)| *other == visits);
            let from = known.map_or(window.start, |index| earliest[index].1);
            let found = first(&supply, visits, Span::new(from, window.end), &order);
            let start = found.as_ref().map_or(window.end, |turn| turn.start);
            match known {
                Some(index) => earliest[index].1 = start,
                None => earliest.push((visits, start)),
            }
            if let Some(turn) = &found {
                supply.keep(&turn.kept);
            }
            found
        })
        .collect()
}

fn first<'a>(
    supply: &Supply,
    visits: &[Visit],
    window: Span,
    order: impl Fn(&Supply) -> Box<Order<'a>>,
) -> Option<Turn> {
    let order = order(supply);
    let (mut from, mut stride) = (window.start, FIRST_LOOK);
    while from < window.end {
        let part = Span::new(from, window.end.min(from + stride));
        if let Some(offer) = offers(supply, visits, part, &*order, 1).pop() {
            let visit = visits.get(offer.assignment.alternative)?;
            let start = offer.start;
            return Some(Turn { start, kept: offer.assignment.allocations(visit, start) });
        }
        (from, stride) = (part.end, stride * 4);
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use kernel::ids::ItemId;

    use super::*;
    use crate::domain::{
        availability::{Profile, Resource, least_work},
        visit::{Class, Demand, Leg},
    };

    const OPEN: Span = Span::new(600, 1_320);

    fn resource(id: u128, on: Span, kind: &str, skills: &[&str]) -> Resource {
        let skills = skills.iter().map(|skill| (*skill).to_owned()).collect();
        let profile = Profile { kind: kind.to_owned(), skills, ..Profile::default() };
        Resource { id: Uuid::from_u128(id), on: vec![on], profile, ..Resource::default() }
    }

    fn supply(therapists: u128, rooms: u128) -> Supply {
        Supply {
            open: vec![OPEN],
            openings: vec![OPEN],
            therapists: (1..=therapists).map(|id| resource(id, OPEN, "", &["thai"])).collect(),
            rooms: (1..=rooms).map(|id| resource(1_000 + id, Span::ALWAYS, "massage", &[])).collect(),
            ..Supply::default()
        }
    }

    fn visit(minutes: i64, wish: Option<u128>) -> Vec<Visit> {
        let demand = |class, span| Demand {
            class,
            spans: vec![span],
            wish: None,
            sex: None,
            min_grade: None,
            language: None,
            guest: 0,
            legs: vec![0],
        };
        let treatment = Span::new(0, minutes);
        let class = Class::Therapist { skills: vec!["thai".to_owned()], certificates: Vec::new() };
        let therapist = Demand { wish: wish.map(Uuid::from_u128), ..demand(class, treatment) };
        let room = demand(Class::Room { kind: "massage".to_owned() }, Span::new(-5, minutes + 10));
        let leg = Leg { item: ItemId::from_uuid(Uuid::nil()), guest: 0, treatment };
        vec![Visit { demands: vec![therapist, room], legs: vec![leg], treatment }]
    }

    fn play(supply: &Supply, line: &[Vec<Visit>], now: Minute) -> Vec<Option<Minute>> {
        let turns = turns(supply, line, Span::new(now, OPEN.end), |supply| Box::new(least_work(supply)));
        turns.into_iter().map(|turn| Some(turn?.start)).collect()
    }

    #[test]
    fn each_keeps_his_time_against_those_after_him() {
        let line = [visit(60, None), visit(60, None), visit(60, None)];
        // A room is ready again 15 minutes after the treatment.
        assert_eq!(play(&supply(1, 1), &line, 700), [Some(700), Some(775), Some(850)]);
        assert_eq!(play(&supply(2, 2), &line, 700), [Some(700), Some(700), Some(775)]);
        assert_eq!(play(&supply(1, 1), &line, 1_200), [Some(1_200), None, None]);
    }

    #[test]
    fn an_appointment_is_never_delayed() {
        let mut supply = supply(1, 2);
        supply.therapists[0].busy = vec![Span::new(720, 780)];
        // An hour does not fit before it, half an hour does; who can begin at once need not wait for who can't.
        let line = [visit(60, None), visit(20, None)];
        assert_eq!(play(&supply, &line, 700), [Some(780), Some(700)]);
    }

    #[test]
    fn who_wishes_for_somebody_waits_for_him() {
        let mut supply = supply(2, 3);
        supply.therapists[1].busy = vec![Span::new(650, 800)];
        assert_eq!(play(&supply, &[visit(30, Some(2)), visit(30, None)], 700), [Some(800), Some(700)]);
    }

    #[test]
    #[ignore = "prints figures; of use in a release build"]
    fn quoted_wait_speed() {
        let mut supply = supply(50, 40);
        // Each has an hour's visit of every hundred minutes already.
        let taken = |seed: i64| (0..7).map(|n| Span::new(600, 660).moved(n * 100 + seed * 35 % 40)).collect::<Vec<_>>();
        for (seed, therapist) in (0..).zip(&mut supply.therapists) {
            therapist.busy = taken(seed);
            therapist.work = taken(seed);
        }
        for (seed, room) in (0..).zip(&mut supply.rooms) {
            room.busy = taken(seed);
        }
        let line: Vec<_> = (0..50).map(|n| visit(if n % 2 == 0 { 60 } else { 30 }, None)).collect();
        let mut times: Vec<_> = (0..41)
            .map(|_| {
                let begin = Instant::now();
                std::hint::black_box(play(&supply, &line, 700));
                begin.elapsed()
            })
            .collect();
        times.sort_unstable();
        println!("a queue of 50 at a store of 50 therapists and 40 rooms: {:?}", times[20]);
    }
}
