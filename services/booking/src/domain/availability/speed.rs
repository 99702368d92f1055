//! Figures of the engine alone, for the curve: `cargo test --release -p booking -- --ignored --nocapture speed`.

use std::time::{Duration, Instant};

use super::*;
use crate::domain::visit::{Class, Leg};

const DAY: i64 = 1_440;

/// Minutes of a day in which the store is open.
const OPEN: Span = Span::new(600, 1_320);

fn name(index: i64) -> Uuid {
    Uuid::from_u128(u128::from(index.unsigned_abs()) + 1)
}

/// Taken for about seven tenths of each day, in visits of 30 to 90 minutes with pauses.
fn busy(seed: i64, days: i64) -> Vec<Span> {
    let mut state = seed.unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut random = |steps: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        i64::try_from(state % steps).expect("small") * GRID
    };
    let mut spans = Vec::new();
    for day in 0..days {
        let mut at = OPEN.start + random(12);
        while at < OPEN.end {
            let end = at + 30 + random(13);
            spans.push(Span::new(day * DAY + at, day * DAY + end));
            at = end + if random(3) == 0 { 30 + random(12) } else { random(2) };
        }
    }
    list(spans)
}

fn supply(therapists: i64, rooms: i64, machines: i64, days: i64) -> Supply {
    let openings: Vec<Span> = (0..days).map(|day| OPEN.moved(day * DAY)).collect();
    let place = |kind: &str, index: i64| {
        let profile = Profile { kind: kind.to_owned(), ..Profile::default() };
        Resource { id: name(index), on: vec![Span::ALWAYS], busy: busy(index, days), profile, ..Resource::default() }
    };
    let therapist = |index: i64| {
        let profile = Profile { skills: vec!["MASSAGE".to_owned()], ..Profile::default() };
        let busy = busy(index, days);
        Resource { id: name(index), on: openings.clone(), work: busy.clone(), busy, profile }
    };
    Supply {
        open: list(openings.clone()),
        therapists: (0..therapists).map(therapist).collect(),
        rooms: (0..rooms).map(|index| place("ROOM", 1_000 + index)).collect(),
        equipment: (0..machines).map(|index| place("LASER", 2_000 + index)).collect(),
        openings,
        ..Supply::default()
    }
}

fn visit() -> Visit {
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
    let treatment = Span::new(0, 60);
    let massage = Class::Therapist { skills: vec!["MASSAGE".to_owned()], certificates: Vec::new() };
    let demands = vec![
        demand(massage, treatment),
        demand(Class::Room { kind: "ROOM".to_owned() }, Span::new(-5, 70)),
        demand(Class::Equipment { kind: "LASER".to_owned() }, Span::new(0, 30)),
    ];
    let leg = Leg { item: kernel::ids::ItemId::from_uuid(Uuid::nil()), guest: 0, treatment };
    Visit { demands, legs: vec![leg], treatment }
}

/// The median of some runs.
fn time<T>(mut run: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..41)
        .map(|_| {
            let begin = Instant::now();
            std::hint::black_box(run());
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
#[ignore = "prints figures; of use in a release build"]
fn speed() {
    let search = |supply: &Supply, visits: &[Visit], days: i64, limit| {
        let found = offers(supply, visits, Span::new(0, days * DAY), &least_work(supply), limit);
        found.len()
    };
    let taken = busy(1, 365).iter().map(|span| span.minutes()).sum::<i64>() * 100 / (365 * OPEN.minutes());
    println!("{taken} % taken\ntherapists rooms machines days   offers   whole window      page of 50");
    for (therapists, rooms, machines, days) in [
        (20, 10, 5, 14),
        (50, 20, 10, 1),
        (50, 20, 10, 2),
        (50, 20, 10, 8),
        (50, 20, 10, 16),
        (50, 20, 10, 31),
        (100, 40, 20, 31),
        (200, 80, 40, 31),
    ] {
        let (supply, visits) = (supply(therapists, rooms, machines, days), [visit()]);
        let whole = time(|| search(&supply, &visits, days, usize::MAX));
        let page = time(|| search(&supply, &visits, days, 50));
        let found = search(&supply, &visits, days, usize::MAX);
        println!("{therapists:10} {rooms:5} {machines:8} {days:4} {found:8} {whole:>14.1?} {page:>15.1?}");
    }
    let small = Supply { equipment: Vec::new(), ..supply(6, 6, 0, 1) };
    let mut guest = visit();
    guest.demands.pop();
    let party = [Visit::together(vec![(guest.clone(), 0), (guest.clone(), 0), (guest.clone(), 0), (guest, 0)])];
    let idle = Supply {
        therapists: small.therapists.iter().map(|it| Resource { busy: Vec::new(), ..it.clone() }).collect(),
        rooms: small.rooms.iter().map(|it| Resource { busy: Vec::new(), ..it.clone() }).collect(),
        ..small.clone()
    };
    for (name, supply) in [("an idle day", &idle), ("a busy day", &small)] {
        let order = least_work(supply);
        let starts = search(supply, &party, 1, usize::MAX);
        let whole = time(|| search(supply, &party, 1, usize::MAX));
        let one =
            time(|| (600..1_200).step_by(60).filter(|&at| assign(supply, &party, at, &order).is_ok()).count()) / 10;
        println!("4 guests over 6 therapists, {name}: {starts} starts in {whole:.1?}; one start {one:.1?}");
    }
    let (large, visits) = (supply(50, 20, 10, 3), [visit()]);
    println!("why not, a day of 50 therapists: {:.1?}", time(|| explain(&large, &visits, Span::new(DAY, 2 * DAY))));
}
