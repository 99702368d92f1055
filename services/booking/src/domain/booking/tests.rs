//! The table of transitions, and what each changes.

use jiff::SignedDuration;
use kernel::{Currency, Result};

use super::*;

pub(in crate::domain) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

/// A visit from second 7,200 to 10,800 that costs 160 yuan, with a deposit of 32.
pub(in crate::domain) fn booking(state: State) -> Booking {
    let now = at(0);
    Booking {
        id: BookingId::new(now),
        store: StoreId::new(now),
        item: ItemId::new(now),
        therapist: TherapistId::new(now),
        room: RoomId::new(now),
        equipment: None,
        customer: MemberId::new(now),
        start_time: at(7_200),
        end_time: at(10_800),
        state,
        channel: Channel::Web,
        list_price: Money::new(20_000, Currency::CNY),
        price: Money::new(16_000, Currency::CNY),
        deposit: Money::new(3_200, Currency::CNY),
        quote: None,
        hold_expire_time: at(600),
        create_time: now,
        version: 1,
        package: None,
        parts: Vec::new(),
        add_ons: Vec::new(),
        group: None,
        extension_minutes: 0,
        requested: false,
        assignment: String::new(),
        device: None,
        partner: None,
        hold_limit_time: at(1_800),
        overbook_reason: None,
        wish: TherapistWish::default(),
        least_fee: Money::zero(Currency::CNY),
    }
}

#[test]
fn each_part_is_somebodys_task_and_the_first_ends_where_the_second_begins() {
    let first = booking(State::Confirmed);
    let second = |therapist, start, end| Part {
        item: ItemId::new(at(0)),
        therapist,
        room: first.room,
        equipment: None,
        start_time: at(start),
        end_time: at(end),
    };
    let other = TherapistId::new(at(0));
    let parts = vec![second(other, 9_000, 9_600), second(first.therapist, 9_600, 10_800)];
    let visit = Booking { parts, ..first.clone() };
    let tasks: Vec<_> = visit.tasks().into_iter().map(|(therapist, _, minutes)| (therapist, minutes)).collect();
    assert_eq!(tasks, [(first.therapist, 30), (other, 10), (first.therapist, 20)]);
    assert_eq!(visit.work(), [(first.therapist, 50), (other, 10)]);
    assert_eq!(first.tasks(), [(first.therapist, first.item, 60)]);
}

fn elsewhere(booking: &Booking) -> Placement {
    Placement {
        start_time: at(14_400),
        end_time: at(18_000),
        therapist: TherapistId::new(at(0)),
        room: booking.room,
        equipment: None,
        parts: Vec::new(),
        requested: true,
        assignment: "CHANGED".to_owned(),
        overbook_reason: None,
    }
}

fn longer(booking: Booking) -> Result<Change> {
    let by = Extension { minutes: 15, price: Money::new(5_000, Currency::CNY), add_on: None };
    let to = Placement { end_time: at(11_700), ..elsewhere(&booking) };
    booking.extend(to, &by, at(1), "a")
}

/// Whatever can happen to a booking; `None` for what leaves the state as it is.
type Transition = (&'static str, fn(Booking) -> Result<Change>, &'static [State], Option<State>);

/// Every transition from every state: allowed from those listed, WRONG_STATE from all others.
#[test]
fn no_transition_skips_the_guard() {
    use State::*;
    let table: [Transition; 13] = [
        ("order_made", |b| b.order_made(at(1), "a"), &[Held], Some(AwaitingPayment)),
        ("confirm", |b| b.confirm(at(1), "a"), &[Held, AwaitingPayment], Some(Confirmed)),
        ("reinstate", |b| b.reinstate(at(1), "a"), &[Expired], Some(Confirmed)),
        ("check_in", |b| b.check_in(SignedDuration::from_hours(2), at(1), "a"), &[Confirmed], Some(CheckedIn)),
        ("start", |b| b.start(at(1), "a"), &[CheckedIn], Some(InService)),
        ("complete", |b| b.complete(at(1), "a"), &[InService], Some(Completed)),
        ("cancel", |b| b.cancel(at(1), "a", ""), &[Held, AwaitingPayment, Confirmed], Some(Cancelled)),
        ("expire", |b| b.expire(at(600), "a"), &[Held, AwaitingPayment], Some(Expired)),
        ("no_show", |b| b.no_show(SignedDuration::ZERO, at(7_200), "a"), &[Confirmed], Some(NoShow)),
        ("extend_hold", |b| b.extend_hold(at(900), at(1), "a"), &[Held, AwaitingPayment], None),
        (
            "reschedule",
            |b| {
                let (to, agreed) = (elsewhere(&b), b.agreement());
                b.reschedule(to, agreed, at(1), "a")
            },
            &[Held, AwaitingPayment, Confirmed],
            None,
        ),
        (
            "move_to",
            |b| {
                let to = elsewhere(&b);
                b.move_to(to, 30, at(1), "a")
            },
            &[Held, AwaitingPayment, Confirmed, CheckedIn],
            None,
        ),
        ("extend", longer, &[InService], None),
    ];
    for (name, transition, from, to) in table {
        for (state, _) in State::ALL {
            let to = to.unwrap_or(state);
            match transition(booking(state)) {
                Ok(change) => {
                    assert!(from.contains(&state), "{name} from {state:?}");
                    assert_eq!((change.booking.state, change.booking.version), (to, 2), "{name}");
                    assert_eq!((change.step.state, change.step.version), (to, 2), "{name}");
                }
                Err(error) => {
                    assert!(!from.contains(&state), "{name} from {state:?}");
                    assert_eq!(error.reason(), "WRONG_STATE");
                }
            }
        }
    }
}

#[test]
fn a_hold_is_prolonged_up_to_its_limit_and_only_while_it_runs() {
    let until = |until, now| booking(State::Held).extend_hold(at(until), at(now), "a");
    let expire = |change: Result<Change>| change.map(|change| change.booking.hold_expire_time).map_err(|e| e.reason());
    assert_eq!(expire(until(900, 1)), Ok(at(900)));
    assert_eq!(expire(until(9_000, 1)), Ok(at(1_800)));
    assert_eq!(expire(until(600, 1)), Err("HOLD_LIMIT"));
    assert_eq!(expire(until(900, 600)), Err("HOLD_ENDED"));
    let at_its_limit = Booking { hold_expire_time: at(1_800), ..booking(State::AwaitingPayment) };
    assert_eq!(expire(at_its_limit.extend_hold(at(9_000), at(1), "a")), Err("HOLD_LIMIT"));
}

#[test]
fn what_has_run_out_is_not_moved() {
    let held = booking(State::Held);
    let (to, agreed) = (elsewhere(&held), held.agreement());
    assert_eq!(
        held.clone().reschedule(to.clone(), agreed, at(600), "a").map_err(|e| e.reason()).err(),
        Some("HOLD_ENDED")
    );
    assert_eq!(held.move_to(to.clone(), 0, at(600), "a").map_err(|e| e.reason()).err(), Some("HOLD_ENDED"));
    assert!(booking(State::Confirmed).reschedule(to, agreed, at(600), "a").is_ok());
}

#[test]
fn moving_changes_the_place_and_nothing_else() {
    let before = booking(State::Confirmed);
    let to = elsewhere(&before);
    let after = before.clone().reschedule(to.clone(), before.agreement(), at(1), "a").expect("allowed").booking;
    let back = Booking {
        start_time: before.start_time,
        end_time: before.end_time,
        therapist: before.therapist,
        requested: false,
        assignment: String::new(),
        version: 1,
        ..after.clone()
    };
    assert_eq!(back, before);
    assert_eq!((after.start_time, after.therapist, after.requested), (to.start_time, to.therapist, true));
}

#[test]
fn a_longer_visit_costs_more_and_asks_no_greater_deposit() {
    let after = longer(booking(State::InService)).expect("allowed").booking;
    assert_eq!((after.price.minor(), after.list_price.minor(), after.deposit.minor()), (21_000, 25_000, 3_200));
    assert_eq!((after.extension_minutes, after.add_ons.len()), (15, 0));
    let add_on = ItemId::new(at(0));
    let by = Extension { minutes: 15, price: Money::new(5_000, Currency::CNY), add_on: Some(add_on) };
    let running = booking(State::InService);
    let to = elsewhere(&running);
    let after = running.extend(to, &by, at(1), "a").expect("allowed").booking;
    assert_eq!((after.extension_minutes, after.add_ons), (0, vec![add_on]));
}

#[test]
fn nobody_comes_too_early() {
    let check_in = |now| booking(State::Confirmed).check_in(SignedDuration::from_mins(60), at(now), "a");
    let refused = check_in(3_599).expect_err("too early");
    assert_eq!((refused.reason(), refused.metadata()[0].1.as_str()), ("TOO_EARLY", "1970-01-01T01:00:00Z"));
    assert_eq!(check_in(3_600).map(|change| change.booking.state).ok(), Some(State::CheckedIn));
    assert_eq!(check_in(9_999).map(|change| change.booking.state).ok(), Some(State::CheckedIn));
}

#[test]
fn nobody_is_missed_before_the_grace_time_is_over() {
    let no_show = |now| booking(State::Confirmed).no_show(SignedDuration::from_mins(15), at(now), "a");
    assert_eq!(no_show(8_099).map_err(|e| e.reason()).err(), Some("TOO_EARLY"));
    assert_eq!(no_show(8_100).map(|change| change.booking.state).ok(), Some(State::NoShow));
}

#[test]
fn a_hold_does_not_expire_early() {
    assert_eq!(booking(State::Held).expire(at(599), "a").map_err(|e| e.reason()).err(), Some("HOLD_RUNS"));
}

#[test]
fn nothing_to_pay_means_nothing_to_wait_for() {
    let free = Booking { deposit: Money::zero(Currency::CNY), ..booking(State::Held) };
    assert_eq!(free.order_made(at(1), "a").map(|change| change.booking.state).ok(), Some(State::Confirmed));
}

#[test]
fn every_state_has_a_name_that_reads_back() {
    for (state, name) in State::ALL {
        assert_eq!((state.as_str(), State::parse(name)), (name, Some(state)));
    }
    assert_eq!(State::parse("held"), None);
}
