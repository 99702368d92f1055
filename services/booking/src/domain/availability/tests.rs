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
