use kernel::{Currency, Money, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::domain::{availability::Assignment, span::list};

fn item(minutes: i32) -> Item {
    let now = Timestamp::UNIX_EPOCH;
    Item {
        id: ItemId::new(now),
        display_name: "Massage".to_owned(),
        description: String::new(),
        category: String::new(),
        photos: Vec::new(),
        duration_minutes: minutes,
        preparation_minutes: 10,
        cleanup_minutes: 15,
        price: Money::new(10_000, Currency::CNY),
        prices: Vec::new(),
        skill: "MASSAGE".to_owned(),
        room_kind: "ROOM".to_owned(),
        equipment_kind: None,
        certificate: None,
        phases: Vec::new(),
        add_on_to: Vec::new(),
        version: 1,
        create_time: now,
        retire_time: None,
    }
}

fn phase(resource: ResourceKind, start: i64, minutes: i64) -> Phase {
    Phase { resource, start, minutes }
}

/// A facial: the therapist leaves while the mask works, under a lamp, and the customer rests at the end.
fn facial() -> Item {
    use ResourceKind::*;
    Item {
        skill: "FACIAL".to_owned(),
        room_kind: "BED".to_owned(),
        equipment_kind: Some("LAMP".to_owned()),
        certificate: Some("SKIN".to_owned()),
        phases: vec![
            phase(Room, -10, 10),
            phase(Room, 0, 75),
            phase(Therapist, 0, 30),
            phase(Equipment, 30, 15),
            phase(Therapist, 45, 15),
            phase(Room, 75, 10),
        ],
        ..item(75)
    }
}

type Pairs = Vec<Vec<(i64, i64)>>;

fn kept(visit: &Visit, kind: ResourceKind) -> Pairs {
    let of_kind = visit.demands.iter().filter(|demand| demand.class.resource() == kind);
    of_kind.map(|demand| demand.spans.iter().map(|span| (span.start, span.end)).collect()).collect()
}

fn all_kept(visit: &Visit) -> [Pairs; 3] {
    [ResourceKind::Therapist, ResourceKind::Room, ResourceKind::Equipment].map(|kind| kept(visit, kind))
}

fn field<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.expect_err("refused").violations()[0].field.clone()
}

#[test]
fn an_item_keeps_its_therapist_while_it_is_given_and_its_room_around_it() {
    let visit = Visit::of_item(&item(60), &[]).expect("a visit");
    assert_eq!(all_kept(&visit), [vec![vec![(0, 60)]], vec![vec![(-10, 75)]], vec![]]);
    assert_eq!((visit.treatment, visit.reach()), (Span::new(0, 60), Span::new(-10, 75)));
}

#[test]
fn phases_say_who_is_needed_when_and_a_room_is_kept_in_one_piece() {
    let visit = Visit::of_item(&facial(), &[]).expect("a visit");
    assert_eq!(all_kept(&visit), [vec![vec![(0, 30), (45, 60)]], vec![vec![(-10, 85)]], vec![vec![(30, 45)]]]);
    let split = Item {
        phases: vec![
            phase(ResourceKind::Room, 0, 20),
            phase(ResourceKind::Room, 40, 20),
            phase(ResourceKind::Therapist, 5, 10),
        ],
        ..item(60)
    };
    assert_eq!(kept(&Visit::of_item(&split, &[]).expect("a visit"), ResourceKind::Room), [[(0, 60)]]);
}

#[test]
fn phases_that_contradict_themselves_are_refused_by_field() {
    use ResourceKind::*;
    let (therapist, room) = (phase(Therapist, 0, 60), phase(Room, 0, 60));
    let with = |phases: Vec<Phase>| field(check_phases(&Item { phases, ..item(60) }));
    assert_eq!(with(vec![therapist, room, phase(Therapist, 59, 10)]), "item.phases[2]");
    assert_eq!(with(vec![therapist, phase(Room, 0, 0), room]), "item.phases[1]");
    assert_eq!(with(vec![phase(Therapist, i64::MAX, 5), room]), "item.phases[0]");
    assert_eq!(with(vec![phase(Therapist, 1_400, 41), room]), "item.phases[0]");
    assert_eq!(with(vec![therapist]), "item.phases", "no room");
    assert_eq!(with(vec![room]), "item.phases", "no therapist");
    assert_eq!(with(vec![therapist, phase(Room, 5, 55)]), "item.phases", "no room at first");
    assert_eq!(with(vec![therapist, phase(Room, -700, 1_440)]), "item.phases", "a whole day");
    assert_eq!(with(vec![therapist, room, phase(Equipment, 0, 5)]), "item.equipment_kind");
    let no_machine = Item { equipment_kind: Some("LAMP".to_owned()), phases: vec![therapist, room], ..item(60) };
    assert_eq!(field(check_phases(&no_machine)), "item.phases");
    assert_eq!(field(Visit::of_item(&item(24 * 60 - 25), &[])), "item", "a day with its preparation and cleaning");
}

#[test]
fn an_add_on_follows_at_once_with_the_same_therapist_in_the_same_room() {
    let mask = Item { skill: "FACIAL".to_owned(), cleanup_minutes: 5, room_kind: "ANY".to_owned(), ..item(20) };
    let laser = Item { equipment_kind: Some("LASER".to_owned()), ..item(10) };
    let visit = Visit::of_item(&item(60), &[mask, laser]).expect("a visit");
    assert_eq!(all_kept(&visit), [vec![vec![(0, 90)]], vec![vec![(-10, 105)]], vec![vec![(80, 90)]]]);
    let Class::Therapist { skills, .. } = &visit.demands[0].class else { panic!("a therapist first") };
    assert_eq!(skills, &["FACIAL", "MASSAGE"]);
    assert_eq!((visit.legs.len(), visit.legs[0].treatment), (1, Span::new(0, 90)));
}

#[test]
fn a_package_keeps_one_room_for_each_kind_and_one_or_several_therapists() {
    let items = [item(60), facial(), item(30)];
    let one = &Visit::of_package(&items, 0, true).expect("visits")[0];
    let rooms = vec![vec![(-10, 180)], vec![(50, 145)]];
    let lamp = vec![vec![(90, 105)]];
    assert_eq!(all_kept(one), [vec![vec![(0, 90), (105, 120), (135, 165)]], rooms.clone(), lamp.clone()]);
    let Class::Therapist { skills, certificates } = &one.demands[0].class else { panic!("a therapist first") };
    assert_eq!((skills.join(" "), certificates.join(" ")), ("FACIAL MASSAGE".to_owned(), "SKIN".to_owned()));
    let several = &Visit::of_package(&items, 0, false).expect("visits")[0];
    assert_eq!(all_kept(several), [vec![vec![(0, 60)], vec![(60, 90), (105, 120)], vec![(135, 165)]], rooms, lamp]);
    assert_eq!(several.demands[1].legs, [1]);
}

#[test]
fn pauses_of_a_package_are_tried_by_the_waiting_they_cost() {
    let visits = Visit::of_package(&[item(30), item(30), item(30)], 10, true).expect("visits");
    let pauses = |visit: &Visit| {
        visit.legs.windows(2).map(|legs| legs[1].treatment.start - legs[0].treatment.end).collect::<Vec<_>>()
    };
    let all: Vec<_> = visits.iter().map(pauses).collect();
    assert_eq!(all, [[0, 0], [0, 5], [5, 0], [0, 10], [5, 5], [10, 0], [5, 10], [10, 5], [10, 10]]);
    let many = Visit::of_package(&vec![item(5); 9], 60, true).expect("visits");
    assert_eq!(many.len(), ALTERNATIVES);
}

#[test]
fn what_can_not_be_a_package_is_refused_by_field() {
    let early =
        Item { phases: vec![phase(ResourceKind::Therapist, -5, 60), phase(ResourceKind::Room, -5, 65)], ..item(60) };
    assert!(Visit::of_item(&early, &[]).is_ok());
    assert_eq!(field(Visit::of_package(&[item(10), early], 0, true)), "package.items[1]");
    assert_eq!(field(Visit::of_package(&[], 0, true)), "package.items");
    assert_eq!(field(Visit::of_package(&[item(10)], -1, true)), "package.gap_limit");
    assert_eq!(field(Visit::of_package(&vec![item(300); 5], 0, true)), "item");
    let long = Visit::of_package(&[item(700), item(700)], 60, true).expect("visits");
    assert_eq!(long.len(), 3, "pauses of 0, 5 and 10 minutes make less than a day");
}

#[test]
fn a_party_keeps_what_all_its_guests_keep() {
    let visit = Visit::of_item(&facial(), &[]).expect("a visit");
    let party = Visit::together(vec![(visit.clone(), 0), (visit.clone(), 15)]);
    assert_eq!(kept(&party, ResourceKind::Therapist), [[(0, 30), (45, 60)], [(15, 45), (60, 75)]]);
    assert_eq!((party.treatment, party.guests()), (Span::new(0, 90), 2));
    assert_eq!(party.demands[3].legs, [1]);
    let four = Visit::together(vec![(party.clone(), 0), (party, 100)]);
    assert_eq!(four.legs.iter().map(|leg| leg.guest).collect::<Vec<_>>(), [0, 1, 2, 3]);
}

#[test]
fn a_longer_visit_keeps_its_therapist_and_room_longer_and_a_machine_that_runs_to_the_end() {
    let visit = Visit::of_item(&facial(), &[]).expect("a visit").extended(30);
    assert_eq!(all_kept(&visit), [vec![vec![(0, 30), (45, 90)]], vec![vec![(-10, 115)]], vec![vec![(30, 45)]]]);
    assert_eq!((visit.treatment, visit.legs[0].treatment), (Span::new(0, 105), Span::new(0, 105)));
    let laser = Item { equipment_kind: Some("LASER".to_owned()), ..item(10) };
    let visit = Visit::of_item(&laser, &[]).expect("a visit").extended(5);
    assert_eq!(kept(&visit, ResourceKind::Equipment), [[(0, 15)]]);
    let package = Visit::of_package(&[item(60), facial()], 0, false).expect("visits").remove(0).extended(10);
    assert_eq!(kept(&package, ResourceKind::Therapist), [vec![(0, 60)], vec![(60, 90), (105, 130)]]);
    assert_eq!(kept(&package, ResourceKind::Room), [[(-10, 75)], [(50, 155)]]);
}

#[test]
fn a_wish_is_for_the_therapists_of_one_guest() {
    let visit = Visit::of_item(&facial(), &[]).expect("a visit");
    let wish = Wish { sex: Some(Sex::Female), min_grade: Some(3), language: Some("yue".to_owned()), therapist: None };
    let party = Visit::together(vec![(visit.clone(), 0), (visit, 0)]).wishing(1, &wish);
    let wished = party.demands.iter().map(|demand| (demand.sex.is_some(), demand.min_grade, demand.language.is_some()));
    let nobody = (false, None, false);
    assert_eq!(wished.collect::<Vec<_>>(), [nobody, nobody, nobody, (true, Some(3), true), nobody, nobody]);
}

/// Items whose phases are in order, so that they fit into packages.
fn any_item() -> impl Strategy<Value = Item> {
    let spans = || prop::collection::vec((0_i64..60, 1_i64..60), 0..4);
    (1_i32..90, 0_i32..30, 0_i32..30, 0..3_u8, spans(), spans()).prop_map(
        |(duration, preparation, cleanup, kind, therapist, machine)| {
            let treatment = Span::new(0, i64::from(duration));
            let within = |spans: Vec<(i64, i64)>| {
                list(
                    spans
                        .into_iter()
                        .map(|(start, minutes)| Span::new(start, start + minutes).common(treatment))
                        .collect(),
                )
            };
            let (therapist, machine) = (within(therapist), within(machine));
            let of = |resource, spans: &[Span]| {
                spans.iter().map(|span| phase(resource, span.start, span.minutes())).collect::<Vec<_>>()
            };
            let around = Span::new(-i64::from(preparation), treatment.end + i64::from(cleanup));
            let mut phases = Vec::new();
            if !therapist.is_empty() {
                phases.extend(of(ResourceKind::Therapist, &therapist));
                phases.extend(of(ResourceKind::Room, &[around]));
                phases.extend(of(ResourceKind::Equipment, &machine));
            }
            let needs_machine = if phases.is_empty() { kind == 0 } else { !machine.is_empty() };
            Item {
                preparation_minutes: preparation,
                cleanup_minutes: cleanup,
                room_kind: format!("ROOM {}", kind % 2),
                equipment_kind: needs_machine.then(|| format!("MACHINE {kind}")),
                skill: format!("SKILL {kind}"),
                phases,
                ..item(duration)
            }
        },
    )
}

/// Every resource is kept at least when its phase needs it, and never twice.
fn check(visit: &Visit) -> std::result::Result<(), TestCaseError> {
    for demand in &visit.demands {
        prop_assert!(!demand.spans.is_empty() && !demand.legs.is_empty());
        prop_assert_eq!(&demand.spans, &list(demand.spans.clone()));
    }
    for (index, leg) in visit.legs.iter().enumerate() {
        let mut serving = visit.demands.iter().filter(|demand| demand.legs.contains(&index));
        let rooms = serving.clone().filter(|demand| demand.class.resource() == ResourceKind::Room).collect::<Vec<_>>();
        prop_assert_eq!(rooms.len(), 1);
        prop_assert!(rooms[0].spans.len() == 1 && rooms[0].spans[0].contains(leg.treatment));
        prop_assert!(visit.treatment.contains(leg.treatment));
        prop_assert!(serving.all(|demand| demand.guest == leg.guest));
    }
    // Even if one resource of each sort served all that it could serve.
    let id = |index: usize| Uuid::from_u128(u128::try_from(index).unwrap_or_default());
    let apart = Assignment { alternative: 0, resources: (0..visit.demands.len()).map(id).collect() };
    let kept = apart.allocations(visit, 1_000);
    for pair in kept.windows(2) {
        prop_assert!(pair[0].0 < pair[1].0 || pair[0].1.end < pair[1].1.start, "{:?}", pair);
    }
    let minutes = |spans: &mut dyn Iterator<Item = Span>| spans.map(Span::minutes).sum::<i64>();
    prop_assert_eq!(
        minutes(&mut kept.iter().map(|(_, span)| *span)),
        minutes(&mut visit.demands.iter().flat_map(|demand| demand.spans.iter().copied()))
    );
    Ok(())
}

proptest! {
    #[test]
    fn no_visit_keeps_a_resource_twice_at_a_time(
        items in prop::collection::vec(any_item(), 1..5),
        add_ons in prop::collection::vec(any_item(), 0..3),
        gap_limit in 0_i64..25,
        one_therapist in any::<bool>(),
        offsets in prop::collection::vec(0_i64..40, 1..4),
        longer in 0_i64..60,
    ) {
        let single = Visit::of_item(&items[0], &add_ons).expect("a visit");
        check(&single)?;
        let minutes = |item: &Item| i64::from(item.duration_minutes);
        prop_assert_eq!(single.treatment.minutes(), minutes(&items[0]) + add_ons.iter().map(minutes).sum::<i64>());
        let package = Visit::of_package(&items, gap_limit, one_therapist).expect("visits");
        let mut waited = 0;
        for visit in &package {
            check(visit)?;
            for legs in visit.legs.windows(2) {
                let pause = legs[1].treatment.start - legs[0].treatment.end;
                prop_assert!((0..=gap_limit).contains(&pause));
            }
            let waiting = visit.treatment.minutes() - items.iter().map(minutes).sum::<i64>();
            prop_assert!(waited <= waiting);
            waited = waiting;
            // What the therapists are needed for does not depend on their number, nor on the pauses.
            let worked = kept(visit, ResourceKind::Therapist).concat().iter().map(|(start, end)| end - start).sum::<i64>();
            let alone = items.iter().map(|item| {
                let visit = Visit::of_item(item, &[]).expect("a visit");
                visit.demands[0].spans.iter().map(|span| span.minutes()).sum::<i64>()
            });
            prop_assert_eq!(worked, alone.sum::<i64>());
        }
        let party = Visit::together(offsets.iter().map(|&offset| (package[0].clone(), offset)).collect());
        check(&party)?;
        prop_assert_eq!(party.guests(), offsets.len());
        let longer_party = party.clone().extended(longer);
        check(&longer_party)?;
        for (before, after) in party.demands.iter().zip(&longer_party.demands) {
            prop_assert!(before.spans.iter().zip(&after.spans).all(|(before, after)| after.contains(*before)));
        }
        prop_assert!(longer_party.treatment.contains(party.treatment));
    }
}
