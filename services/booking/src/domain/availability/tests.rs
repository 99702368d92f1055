use kernel::Timestamp;
use proptest::prelude::*;

use super::*;

const NEED: Need = Need { duration: 60, preparation: 10, cleanup: 15 };

fn therapist(shifts: &[(i64, i64)], busy: &[(i64, i64)]) -> Therapist {
    Therapist { id: TherapistId::new(Timestamp::UNIX_EPOCH), shifts: spans(shifts), busy: spans(busy) }
}

fn place(busy: &[(i64, i64)]) -> Place {
    Place { id: RoomId::new(Timestamp::UNIX_EPOCH), busy: spans(busy) }
}

fn spans(pairs: &[(i64, i64)]) -> Vec<Span> {
    list(pairs.iter().map(|&(start, end)| Span::new(start, end)).collect())
}

fn supply(therapists: Vec<Therapist>, rooms: Vec<Place>) -> Supply {
    let open = spans(&[(600, 1_200)]);
    Supply { openings: open.clone(), open, therapists, rooms, equipment: None }
}

fn offered(supply: &Supply) -> Vec<Minute> {
    offers(supply, NEED, Span::new(0, 1_440), usize::MAX).into_iter().map(|offer| offer.start).collect()
}

#[test]
fn a_free_day_offers_every_grid_time_up_to_the_last_that_ends_before_closing() {
    let starts = offered(&supply(vec![therapist(&[(0, 1_440)], &[])], vec![place(&[])]));
    assert_eq!((starts.first(), starts.last()), (Some(&600), Some(&1_140)));
    assert_eq!(starts.len(), 109);
}

#[test]
fn the_room_needs_its_preparation_and_cleaning_and_the_therapist_does_not() {
    let busy_room = supply(vec![therapist(&[(0, 1_440)], &[])], vec![place(&[(700, 760)])]);
    let starts = offered(&busy_room);
    assert!(starts.contains(&625) && !starts.contains(&630), "625 + 60 + 15 = 700");
    assert!(!starts.contains(&765) && starts.contains(&770), "770 - 10 = 760");
    let busy_person = supply(vec![therapist(&[(0, 1_440)], &[(700, 760)])], vec![place(&[])]);
    let starts = offered(&busy_person);
    assert!(starts.contains(&640) && starts.contains(&760));
}

#[test]
fn whoever_has_the_least_work_that_day_is_proposed() {
    let busy = therapist(&[(0, 1_440)], &[(600, 900)]);
    let idle = therapist(&[(0, 1_440)], &[(0, 590)]);
    let idle_id = idle.id;
    let offer = offers(&supply(vec![busy, idle], vec![place(&[])]), NEED, Span::new(1_000, 1_001), 1).remove(0);
    assert_eq!((offer.therapist, offer.therapists.len()), (idle_id, 2));
}

/// A shop that never closes has days all the same, and work past midnight counts on both.
#[test]
fn work_of_another_day_does_not_count_although_the_shop_never_closes() {
    let yesterday = therapist(&[(0, 2_880)], &[(0, 1_000)]);
    let past_midnight = therapist(&[(0, 2_880)], &[(1_380, 1_500)]);
    let today = therapist(&[(0, 2_880)], &[(1_500, 1_530)]);
    let by_load = [yesterday.id, today.id, past_midnight.id];
    let openings = vec![Span::new(0, 1_440), Span::new(1_440, 2_880)];
    let mut supply = Supply {
        open: list(openings.clone()),
        openings,
        therapists: vec![past_midnight, today, yesterday],
        rooms: vec![place(&[])],
        equipment: None,
    };
    for expected in by_load {
        let offer = offers(&supply, NEED, Span::new(2_000, 2_001), 1).remove(0);
        assert_eq!(offer.therapist, expected);
        assert_eq!(assign(&supply, NEED, 2_000, None).map(|assignment| assignment.therapist).ok(), Some(expected));
        supply.therapists.retain(|therapist| therapist.id != expected);
    }
}

#[test]
fn each_refusal_says_what_is_missing() {
    let on_duty = therapist(&[(600, 900)], &[(800, 860)]);
    let id = on_duty.id;
    let supply = supply(vec![on_duty], vec![place(&[])]);
    let reason = |start, wish| assign(&supply, NEED, start, wish).err().map(|error| error.reason());
    assert_eq!(reason(500, None), Some("OUTSIDE_OPENING_HOURS"));
    assert_eq!(reason(600, Some(TherapistId::new(Timestamp::UNIX_EPOCH))), Some("SKILL_MISSING"));
    assert_eq!(reason(900, Some(id)), Some("NOT_ON_SHIFT"));
    assert_eq!(reason(790, None), Some("SLOT_TAKEN"));
    assert_eq!(reason(700, Some(id)), None);
}

#[test]
fn resources_are_always_taken_in_the_order_of_their_ids() {
    let low = RoomId::from_uuid(Uuid::from_u128(1));
    let assignment = Assignment { therapist: TherapistId::from_uuid(Uuid::from_u128(2)), room: low, equipment: None };
    let order: Vec<_> = assignment.allocations(NEED, 600).into_iter().map(|(id, _)| id.as_u128()).collect();
    assert_eq!(order, [1, 2]);
}

fn any_spans() -> impl Strategy<Value = Vec<Span>> {
    prop::collection::vec((0_i64..1_440, 1_i64..200), 0..6)
        .prop_map(|pairs| list(pairs.into_iter().map(|(start, length)| Span::new(start, start + length)).collect()))
}

fn any_supply() -> impl Strategy<Value = Supply> {
    let therapists = prop::collection::vec((any_spans(), any_spans()), 0..4).prop_map(|all| {
        all.into_iter()
            .map(|(shifts, busy)| Therapist { id: TherapistId::new(Timestamp::UNIX_EPOCH), shifts, busy })
            .collect()
    });
    let places = || {
        prop::collection::vec(any_spans(), 0..3).prop_map(|all| {
            all.into_iter().map(|busy| Place { id: RoomId::new(Timestamp::UNIX_EPOCH), busy }).collect::<Vec<_>>()
        })
    };
    (any_spans(), therapists, places(), prop::option::of(places())).prop_map(
        |(openings, therapists, rooms, equipment)| Supply {
            open: openings.clone(),
            openings,
            therapists,
            rooms,
            equipment,
        },
    )
}

proptest! {
    /// The two answers come out of different code: a time is offered exactly if it can be assigned.
    #[test]
    fn what_is_offered_can_be_had_and_the_other_way_round(
        supply in any_supply(),
        duration in 5_i64..120,
        preparation in 0_i64..20,
        cleanup in 0_i64..20,
    ) {
        let need = Need { duration, preparation, cleanup };
        let offered = offers(&supply, need, Span::new(0, 1_440), usize::MAX);
        for start in (0..1_440).step_by(5) {
            let offer = offered.iter().find(|offer| offer.start == start);
            let assigned = assign(&supply, need, start, None).ok();
            prop_assert_eq!(offer.map(|offer| offer.therapist), assigned.map(|assignment| assignment.therapist));
            for therapist in &supply.therapists {
                let listed = offer.is_some_and(|offer| offer.therapists.contains(&therapist.id));
                prop_assert_eq!(listed, assign(&supply, need, start, Some(therapist.id)).is_ok());
            }
        }
    }
}
