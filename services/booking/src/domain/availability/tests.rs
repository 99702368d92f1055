use kernel::Uuid;

use super::*;
use crate::domain::{catalog::Sex, policy::WorkLimits, visit::Class};

fn spans(pairs: &[(i64, i64)]) -> Vec<Span> {
    list(pairs.iter().map(|&(start, end)| Span::new(start, end)).collect())
}

fn therapist(id: u128, shifts: &[(i64, i64)], busy: &[(i64, i64)]) -> Resource {
    let profile = Profile { skills: vec!["MASSAGE".to_owned()], sex: Sex::Female, grade: 2, ..Profile::default() };
    Resource { id: Uuid::from_u128(id), on: spans(shifts), busy: spans(busy), work: spans(busy), profile }
}

fn room(id: u128, busy: &[(i64, i64)]) -> Resource {
    let profile = Profile { kind: "ROOM".to_owned(), ..Profile::default() };
    Resource {
        id: Uuid::from_u128(100 + id),
        on: vec![Span::ALWAYS],
        busy: spans(busy),
        profile,
        ..Resource::default()
    }
}

fn supply(therapists: Vec<Resource>, rooms: Vec<Resource>) -> Supply {
    let open = spans(&[(600, 1_200)]);
    Supply { openings: open.clone(), open, therapists, rooms, ..Supply::default() }
}

fn demand(class: Class, pairs: &[(i64, i64)]) -> Demand {
    let spans = spans(pairs);
    Demand { class, spans, wish: None, sex: None, min_grade: None, language: None, guest: 0, legs: vec![0] }
}

fn massage() -> Class {
    Class::Therapist { skills: vec!["MASSAGE".to_owned()], certificates: Vec::new() }
}

/// An hour, with 10 minutes of preparation and 15 of cleaning.
fn visit() -> Visit {
    let demands = vec![demand(massage(), &[(0, 60)]), demand(Class::Room { kind: "ROOM".to_owned() }, &[(-10, 75)])];
    let leg = crate::domain::visit::Leg {
        item: kernel::ids::ItemId::from_uuid(Uuid::nil()),
        guest: 0,
        treatment: Span::new(0, 60),
    };
    Visit { demands, legs: vec![leg], treatment: leg.treatment }
}

fn wishing(id: u128) -> Visit {
    let mut visit = visit();
    visit.demands[0].wish = Some(Uuid::from_u128(id));
    visit
}

fn offered(supply: &Supply) -> Vec<Minute> {
    let order = least_work(supply);
    offers(supply, &[visit()], Span::new(0, 1_440), &order, usize::MAX).into_iter().map(|offer| offer.start).collect()
}

fn who(supply: &Supply, start: Minute) -> Option<u128> {
    let found = assign(supply, &[visit()], start, &least_work(supply)).ok();
    found.map(|assignment| assignment.resources[0].as_u128())
}

#[test]
fn a_free_day_offers_every_grid_time_up_to_the_last_that_ends_before_closing() {
    let starts = offered(&supply(vec![therapist(1, &[(0, 1_440)], &[])], vec![room(1, &[])]));
    assert_eq!((starts.first(), starts.last()), (Some(&600), Some(&1_140)));
    assert_eq!(starts.len(), 109);
}

#[test]
fn the_room_needs_its_preparation_and_cleaning_and_the_therapist_does_not() {
    let busy_room = supply(vec![therapist(1, &[(0, 1_440)], &[])], vec![room(1, &[(700, 760)])]);
    let starts = offered(&busy_room);
    assert!(starts.contains(&625) && !starts.contains(&630), "625 + 60 + 15 = 700");
    assert!(!starts.contains(&765) && starts.contains(&770), "770 - 10 = 760");
    let busy_person = supply(vec![therapist(1, &[(0, 1_440)], &[(700, 760)])], vec![room(1, &[])]);
    let starts = offered(&busy_person);
    assert!(starts.contains(&640) && starts.contains(&760));
}

#[test]
fn whoever_has_the_least_work_that_day_is_proposed() {
    let busy = therapist(1, &[(0, 1_440)], &[(600, 900)]);
    let idle = therapist(2, &[(0, 1_440)], &[(0, 590)]);
    let supply = supply(vec![busy, idle], vec![room(1, &[])]);
    let offer = offers(&supply, &[visit()], Span::new(1_000, 1_001), &least_work(&supply), 1).remove(0);
    assert_eq!((offer.assignment.resources[0].as_u128(), offer.therapists[0].len()), (2, 2));
}

/// A shop that never closes has days all the same, and work past midnight counts on both.
#[test]
fn work_of_another_day_does_not_count_although_the_shop_never_closes() {
    let yesterday = therapist(1, &[(0, 2_880)], &[(0, 1_000)]);
    let past_midnight = therapist(2, &[(0, 2_880)], &[(1_380, 1_500)]);
    let today = therapist(3, &[(0, 2_880)], &[(1_500, 1_530)]);
    let openings = vec![Span::new(0, 1_440), Span::new(1_440, 2_880)];
    let mut supply = Supply {
        open: list(openings.clone()),
        openings,
        ..supply(vec![past_midnight, today, yesterday], vec![room(1, &[])])
    };
    for expected in [1, 3, 2] {
        let offer = offers(&supply, &[visit()], Span::new(2_000, 2_001), &least_work(&supply), 1).remove(0);
        assert_eq!(offer.assignment.resources[0].as_u128(), expected);
        assert_eq!(who(&supply, 2_000), Some(expected));
        supply.therapists.retain(|therapist| therapist.id.as_u128() != expected);
    }
}

#[test]
fn each_refusal_says_what_is_missing() {
    let mut supply = supply(vec![therapist(1, &[(600, 900)], &[(800, 860)])], vec![room(1, &[])]);
    let reason = |supply: &Supply, start, wish| {
        assign(supply, &[wishing(wish)], start, &least_work(supply)).err().map(|error| error.reason())
    };
    assert_eq!(reason(&supply, 500, 1), Some("OUTSIDE_OPENING_HOURS"));
    assert_eq!(reason(&supply, 600, 2), Some("SKILL_MISSING"));
    assert_eq!(reason(&supply, 900, 1), Some("NOT_ON_SHIFT"));
    assert_eq!(reason(&supply, 790, 1), Some("SLOT_TAKEN"));
    assert_eq!(reason(&supply, 700, 1), None);
    supply.limits = WorkLimits { per_day: Some(119), ..WorkLimits::default() };
    assert_eq!(reason(&supply, 700, 1), Some("WORK_LIMIT"));
}

#[test]
fn resources_are_always_taken_in_the_order_of_their_ids() {
    let assignment = Assignment { alternative: 0, resources: vec![Uuid::from_u128(2), Uuid::from_u128(1)] };
    let kept = assignment.allocations(&visit(), 600);
    assert_eq!(kept, [(Uuid::from_u128(1), Span::new(590, 675)), (Uuid::from_u128(2), Span::new(600, 660))]);
}

#[test]
fn what_serves_a_visit_reads_back() {
    let visit = Visit::together(vec![(visit(), 0), (visit(), 30)]);
    let ids = [1, 101, 2, 102].map(Uuid::from_u128);
    let assignment = Assignment { alternative: 0, resources: ids.to_vec() };
    let parts = assignment.parts(&visit, 600);
    assert_eq!(parts[1].time, Span::new(630, 690));
    let served: Vec<_> = parts.iter().map(|part| (part.therapist, part.room, part.equipment)).collect();
    assert_eq!(Assignment::of_parts(&visit, &served), Some(assignment.clone()));
    assert_eq!(Assignment::of_parts(&visit, &served[..1]), None, "a guest without a part");
    let second = assignment.allocations_of(&visit, 600, 1);
    assert_eq!(second, [(ids[2], Span::new(630, 690)), (ids[3], Span::new(620, 705))]);
    assert_eq!(assignment.allocations(&visit, 600).len(), 4);
}

#[test]
fn a_therapist_of_two_legs_without_a_pause_is_kept_once() {
    let mut second = demand(massage(), &[(60, 90)]);
    second.legs = vec![1];
    let legs = vec![visit().legs[0]; 2];
    let visit = Visit { demands: vec![demand(massage(), &[(0, 60)]), second], legs, treatment: Span::new(0, 90) };
    let assignment = Assignment { alternative: 0, resources: vec![Uuid::from_u128(1); 2] };
    assert_eq!(assignment.allocations(&visit, 600), [(Uuid::from_u128(1), Span::new(600, 690))]);
}

/// Two guests want anybody, the third wants the one who comes first.
#[test]
fn a_party_is_served_in_the_order_of_preference_as_far_as_all_can_be() {
    let all_day = &[(0, 1_440)];
    let therapists = vec![therapist(1, all_day, &[]), therapist(2, all_day, &[]), therapist(3, all_day, &[(600, 630)])];
    let rooms = (1..=3).map(|index| room(index, &[])).collect();
    let supply = supply(therapists, rooms);
    let party = Visit::together(vec![(visit(), 0), (visit(), 0), (wishing(1), 0)]);
    let who = |start| {
        let found = assign(&supply, std::slice::from_ref(&party), start, &least_work(&supply)).ok()?;
        Some([0, 2, 4].map(|demand: usize| found.resources[demand].as_u128()))
    };
    assert_eq!(who(700), Some([2, 3, 1]));
    assert_eq!(who(600), None, "the third therapist is busy");
    let offer = offers(&supply, std::slice::from_ref(&party), Span::new(700, 701), &least_work(&supply), 1).remove(0);
    let listed: Vec<Vec<u128>> =
        offer.therapists.iter().map(|of_one| of_one.iter().map(|it| it.uuid().as_u128()).collect()).collect();
    assert_eq!(listed, [vec![2, 3], vec![2, 3], vec![1]]);
}

#[test]
fn the_rooms_of_a_party_are_near_to_each_other() {
    let at = |id, zone: &str, position, busy: &[(i64, i64)]| {
        let mut room = room(id, busy);
        (room.profile.zone, room.profile.position) = (zone.to_owned(), position);
        room
    };
    let taken = &[(600, 700)];
    let rooms =
        vec![at(1, "A", 1, &[]), at(2, "A", 2, taken), at(3, "A", 9, &[]), at(4, "B", 1, &[]), at(5, "B", 3, &[])];
    let therapists = (1..=2).map(|id| therapist(id, &[(0, 1_440)], &[])).collect();
    let supply = supply(therapists, rooms);
    let party = [Visit::together(vec![(visit(), 0), (visit(), 0)])];
    let rooms = |start| {
        let found = assign(&supply, &party, start, &least_work(&supply)).expect("rooms enough");
        [found.resources[1].as_u128() - 100, found.resources[3].as_u128() - 100]
    };
    assert_eq!((rooms(620), rooms(900)), ([4, 5], [1, 2]));
}

#[test]
fn limits_on_work_count_pauses_that_are_no_rest_and_only_the_day_in_question() {
    let mut supply = supply(vec![therapist(1, &[(0, 1_440)], &[(600, 660), (900, 1_000)])], vec![room(1, &[])]);
    let had = |supply: &Supply, start| who(supply, start).is_some();
    supply.limits = WorkLimits { in_row: Some(120), per_day: None, rest: 15 };
    assert!(
        had(&supply, 660) && had(&supply, 700),
        "60 + 60 minutes in a row are allowed, whether with a pause or not"
    );
    supply.limits.in_row = Some(119);
    assert!(!had(&supply, 660) && !had(&supply, 670) && had(&supply, 675), "15 minutes are a rest");
    assert!(!had(&supply, 830) && had(&supply, 825), "100 minutes follow");
    supply.limits = WorkLimits { in_row: None, per_day: Some(219), rest: 0 };
    assert!(!had(&supply, 700), "160 + 60 minutes");
    supply.openings = vec![Span::new(600, 800), Span::new(800, 1_200)];
    assert!(had(&supply, 700), "60 + 60 minutes of the first day");
    supply.therapists[0].work = Vec::new();
    supply.limits.per_day = Some(60);
    assert!(had(&supply, 700), "breaks are no work");
}

#[test]
fn each_start_that_can_not_be_had_is_explained() {
    let mut supply = supply(vec![therapist(1, &[(600, 900)], &[(700, 760)])], vec![room(1, &[(820, 850)])]);
    supply.openings = spans(&[(600, 900)]);
    supply.open = supply.openings.clone();
    let why = |visit: Visit, supply: &Supply| {
        let explained = explain(supply, &[visit], Span::new(580, 900)).into_iter();
        let reason = |it: &Reason| (it.cause.as_str(), it.therapist.map(|id| id.as_u128()), it.until);
        let each = explained.map(|it| (it.span.start, it.span.end, it.reasons.iter().map(reason).collect::<Vec<_>>()));
        each.collect::<Vec<_>>()
    };
    let closed = |start, end, until| (start, end, vec![("CLOSED", None, until)]);
    let (busy, no_room) = (("BUSY", Some(1), Some(760)), ("NO_ROOM", None, Some(860)));
    assert_eq!(
        why(visit(), &supply),
        [
            closed(580, 600, Some(600)),
            (645, 750, vec![busy]),
            (750, 760, vec![busy, no_room]),
            (760, 845, vec![no_room]),
            closed(845, 900, None),
        ]
    );
    assert_eq!(why(wishing(7), &supply)[1], (600, 750, vec![("NO_SKILL", None, None)]));
    supply.therapists[0].on = spans(&[(630, 900)]);
    assert_eq!(why(visit(), &supply)[1], (600, 630, vec![("NOT_ON_SHIFT", Some(1), Some(630))]));
    supply.limits.per_day = Some(110);
    assert_eq!(why(visit(), &supply)[2], (630, 645, vec![("WORK_LIMIT", Some(1), None)]));
}
