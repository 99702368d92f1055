//! Random chains, each from a seed.

use kernel::{Currency, Money, Timestamp, Uuid, ids::ItemId};

use crate::domain::{
    availability::{Certificate, Profile, Resource, Supply},
    catalog::{Item, Sex},
    policy::WorkLimits,
    span::{Span, list},
    visit::{Phase, ResourceKind, Visit, Wish},
};

/// SplitMix64 (Steele, Lea, Flood 2014).
pub struct Rng(pub u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// One of `from..to`.
    pub fn within(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.next() % (to - from).unsigned_abs()).expect("small")
    }

    /// True in so many of a hundred cases.
    pub fn chance(&mut self, percent: i64) -> bool {
        self.within(0, 100) < percent
    }

    fn name(&mut self, of: &str, count: i64) -> String {
        format!("{of}{}", self.within(0, count))
    }
}

/// A store for some hours, and a visit that somebody wants.
#[derive(Debug)]
pub struct Chain {
    /// What it has.
    pub supply: Supply,
    /// What is wanted: alternatives.
    pub visits: Vec<Visit>,
    /// Where it may start.
    pub window: Span,
}

impl Chain {
    /// The one of a seed.
    pub fn of(seed: u64) -> Self {
        let rng = &mut Rng(seed);
        // Half- and quarter-hour zones begin their hours at such minutes of UTC; some stores at any.
        let base = rng.within(0, 1_000) * 15 + if rng.chance(20) { rng.within(0, 15) } else { 0 };
        let window = Span::new(base, base + rng.within(30, 160));
        Self { supply: supply(rng, base), visits: visits(rng), window }
    }
}

fn supply(rng: &mut Rng, base: i64) -> Supply {
    let mut openings = Vec::new();
    let mut at = base + rng.within(-60, 20);
    for _ in 0..rng.within(1, 4) {
        if at >= base + 400 {
            break;
        }
        let end = at + rng.within(60, 300);
        openings.push(Span::new(at, end.min(base + 500)));
        at = end + if rng.chance(40) { 0 } else { rng.within(1, 40) };
    }
    let limits = WorkLimits {
        in_row: rng.chance(25).then(|| rng.within(30, 110)),
        per_day: rng.chance(25).then(|| rng.within(40, 160)),
        rest: rng.within(0, 16),
    };
    let therapists = (0..rng.within(1, 6)).map(|index| therapist(rng, base, index)).collect();
    let rooms = (0..rng.within(1, 5)).map(|index| place(rng, base, 100 + index, "ROOM")).collect();
    let equipment = (0..rng.within(1, 5)).map(|index| place(rng, base, 200 + index, "MACHINE")).collect();
    Supply { open: list(openings.clone()), openings, therapists, rooms, equipment, limits }
}

fn spans(rng: &mut Rng, base: i64, most: i64, longest: i64) -> Vec<Span> {
    let mut span = || {
        let start = base + rng.within(-60, 240);
        Span::new(start, start + rng.within(1, longest))
    };
    let count = span().minutes() % (most + 1);
    (0..count).map(|_| span()).collect()
}

fn therapist(rng: &mut Rng, base: i64, index: i64) -> Resource {
    let on = if rng.chance(75) { vec![Span::new(base - 100, base + 400)] } else { list(spans(rng, base, 3, 200)) };
    let work = list(spans(rng, base, 3, 40));
    let blocks = spans(rng, base, 1, 40);
    let certificate = Certificate {
        name: "PAPER".to_owned(),
        end: if rng.chance(50) { Span::ALWAYS.end } else { base + rng.within(0, 250) },
    };
    let profile = Profile {
        skills: (0..2).filter(|_| rng.chance(90)).map(|skill| format!("SKILL{skill}")).collect(),
        certificates: rng.chance(70).then_some(certificate).into_iter().collect(),
        sex: if rng.chance(50) { Sex::Female } else { Sex::Male },
        grade: i16::try_from(rng.within(1, 4)).expect("small"),
        languages: vec![rng.name("TONGUE", 2)],
        ..Profile::default()
    };
    Resource { id: id(index), on, busy: list([work.clone(), blocks].concat()), work, profile }
}

fn place(rng: &mut Rng, base: i64, index: i64, kind: &str) -> Resource {
    let on = if rng.chance(90) { vec![Span::ALWAYS] } else { list(spans(rng, base, 2, 300)) };
    let profile = Profile {
        kind: if rng.chance(75) { format!("{kind}0") } else { format!("{kind}1") },
        zone: rng.name("ZONE", 2),
        position: i32::try_from(index).expect("small"),
        ..Profile::default()
    };
    Resource { id: id(index), on, busy: list(spans(rng, base, 2, 50)), work: Vec::new(), profile }
}

fn id(index: i64) -> Uuid {
    Uuid::from_u128(u128::try_from(index + 1).expect("not negative"))
}

fn visits(rng: &mut Rng) -> Vec<Visit> {
    let wished = |rng: &mut Rng, visit: Visit, guest| {
        let wish = Wish {
            therapist: rng.chance(8).then(|| kernel::ids::TherapistId::from_uuid(id(rng.within(0, 4)))),
            sex: rng.chance(8).then_some(Sex::Female),
            min_grade: rng.chance(8).then_some(2),
            language: rng.chance(8).then(|| "TONGUE0".to_owned()),
        };
        visit.wishing(guest, &wish)
    };
    let single = |rng: &mut Rng| {
        let add_ons: Vec<Item> = (0..rng.within(0, 2)).map(|_| item(rng)).collect();
        let visit = Visit::of_item(&item(rng), &add_ons).expect("a visit");
        if rng.chance(10) { visit.extended(rng.within(1, 20)) } else { visit }
    };
    match rng.within(0, 10) {
        0..4 => {
            let visit = single(rng);
            vec![wished(rng, visit, 0)]
        }
        4..7 => {
            let items: Vec<Item> = (0..rng.within(2, 4)).map(|_| item(rng)).collect();
            Visit::of_package(&items, rng.within(0, 13), rng.chance(50)).expect("visits")
        }
        _ => {
            let together = rng.chance(50);
            let same = rng.chance(60).then(|| single(rng));
            let count = rng.within(2, 4);
            let guests = (0..count).map(|_| {
                let visit = same.clone().unwrap_or_else(|| single(rng));
                (visit, if together { 0 } else { rng.within(0, 25) })
            });
            let mut party = Visit::together(guests.collect());
            for guest in 0..party.guests() {
                party = wished(rng, party, guest);
            }
            vec![party]
        }
    }
}

fn item(rng: &mut Rng) -> Item {
    let duration = if rng.chance(70) { rng.within(1, 9) * 5 } else { rng.within(1, 45) };
    let (preparation, cleanup) = (rng.within(0, 15), rng.within(0, 15));
    let machine = rng.chance(35);
    let phases = if rng.chance(40) {
        phases(rng, Span::new(-preparation, duration + cleanup), duration, machine)
    } else {
        Vec::new()
    };
    Item {
        id: ItemId::from_uuid(id(900)),
        display_name: String::new(),
        description: String::new(),
        category: String::new(),
        duration_minutes: i32::try_from(duration).expect("small"),
        preparation_minutes: i32::try_from(preparation).expect("small"),
        cleanup_minutes: i32::try_from(cleanup).expect("small"),
        price: Money::new(100, Currency::CNY),
        skill: rng.name("SKILL", 2),
        room_kind: if rng.chance(90) { "ROOM0".to_owned() } else { "ROOM1".to_owned() },
        equipment_kind: machine.then(|| if rng.chance(75) { "MACHINE0".to_owned() } else { "MACHINE1".to_owned() }),
        certificate: rng.chance(25).then(|| "PAPER".to_owned()),
        phases,
        create_time: Timestamp::UNIX_EPOCH,
        photos: Vec::new(),
        prices: Vec::new(),
        add_on_to: Vec::new(),
        version: 1,
        retire_time: None,
    }
}

fn phases(rng: &mut Rng, room: Span, duration: i64, machine: bool) -> Vec<Phase> {
    let phase = |resource, span: Span| Phase { resource, start: span.start, minutes: span.minutes() };
    let mut phases = vec![phase(ResourceKind::Room, room)];
    let mut some = |resource| {
        let first = rng.within(0, duration);
        let middle = rng.within(first, duration) + 1;
        phases.push(phase(resource, Span::new(first, middle)));
        if middle < duration {
            let second = rng.within(middle, duration);
            phases.push(phase(resource, Span::new(second, duration)));
        }
    };
    some(ResourceKind::Therapist);
    if machine {
        some(ResourceKind::Equipment);
    }
    phases
}
