use kernel::ids::ItemId;

use super::*;
use crate::domain::{span::Span, visit::Leg};

/// Something that takes so many minutes.
fn visit(minutes: i64) -> Visit {
    let leg = Leg { item: ItemId::from_uuid(kernel::Uuid::nil()), guest: 0, treatment: Span::new(0, minutes) };
    Visit { demands: Vec::new(), legs: vec![leg], treatment: leg.treatment }
}

/// Guests of whom each wants something else.
fn strangers(count: i64) -> Vec<Vec<Visit>> {
    (1..=count).map(|n| vec![visit(60 + n)]).collect()
}

fn offsets(party: &Visit) -> Vec<i64> {
    party.legs.iter().map(|leg| leg.treatment.start).collect()
}

#[test]
fn all_start_together_if_nobody_may_wait() {
    let found = ways(&strangers(20), 0);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].guests(), waiting_of(&found[0])), (20, 0));
}

#[test]
fn those_who_wait_least_come_first_and_somebody_always_starts_at_once() {
    for count in 1..=20 {
        for within in [5, 20, 45, 60] {
            let found = ways(&strangers(count), within);
            assert!(found.is_sorted_by_key(waiting_of) && waiting_of(&found[0]) == 0);
            for party in &found {
                let offsets = offsets(party);
                assert!(offsets.contains(&0) && offsets.iter().all(|offset| *offset <= within && offset % GRID == 0));
            }
            assert!(!found.is_empty() && found.len() <= WAYS && found.len() * party_size(&found) <= PLACES.max(WAYS));
        }
    }
}

fn party_size(found: &[Visit]) -> usize {
    found[0].guests()
}

#[test]
fn a_few_are_placed_in_every_way_there_is() {
    // Two who want different things: at once, or one of them by 5 to 30 minutes later.
    let found: Vec<Vec<i64>> = ways(&strangers(2), 30).iter().map(offsets).collect();
    assert_eq!(found.len(), 1 + 2 * 6);
    assert_eq!(found[..3], [vec![0, 0], vec![0, 5], vec![5, 0]]);
}

#[test]
fn those_who_want_the_same_are_not_placed_twice() {
    let found: Vec<Vec<i64>> = ways(&[vec![visit(60)], vec![visit(60)]], 10).iter().map(offsets).collect();
    assert_eq!(found, [vec![0, 0], vec![0, 5], vec![0, 10]]);
}

#[test]
fn a_second_wave_is_among_the_ways() {
    for guests in [strangers(4), vec![vec![visit(60)]; 6]] {
        let wave = |party: &Visit| offsets(party).iter().filter(|offset| **offset == 60).count() == guests.len() / 2;
        assert!(ways(&guests, 60).iter().any(wave), "{} guests", guests.len());
    }
}

#[test]
fn pauses_count_as_waiting() {
    let (short, mut long) = (visit(30), visit(30));
    // The same with a pause of 10 minutes in the middle.
    long.legs.push(Leg { treatment: Span::new(40, 70), ..long.legs[0] });
    long.treatment = Span::new(0, 70);
    let short = Visit { legs: vec![short.legs[0], Leg { treatment: Span::new(30, 60), ..short.legs[0] }], ..short };
    let found = ways(&[vec![short.clone(), long], vec![visit(45)]], 5);
    let waits: Vec<i64> = found.iter().map(waiting_of).collect();
    assert_eq!(waits, [0, 5, 5, 10, 15, 15]);
}

#[test]
fn a_wait_off_the_grid_or_too_long_is_refused() {
    assert!([0, 5, 60].into_iter().all(|minutes| check_within(minutes).is_ok()));
    for minutes in [-5, 3, 65, 500] {
        let error = check_within(minutes).expect_err("refused");
        assert_eq!(error.violations()[0].field, "within_minutes");
    }
}
