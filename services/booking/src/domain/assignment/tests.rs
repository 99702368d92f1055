//! The orders of every policy, and the figures of fairness.

use kernel::Uuid;
use proptest::prelude::*;

use super::{
    fairness::PARTS,
    rotation::{Cause, Change, Deed, Refusal, Turn},
    *,
};
use crate::domain::span::Span;

/// A generator of numbers that is the same everywhere (SplitMix64), so that a printed seed is enough to run a case again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }
}

fn id(n: u128) -> TherapistId {
    TherapistId::from_uuid(Uuid::from_u128(n))
}

fn candidate(n: u128, work: i64) -> Candidate<'static> {
    Candidate { therapist: id(n), by_name: usize::try_from(n).expect("small"), work, on: &[], busy: &[], kept: &[] }
}

fn order(policy: AssignmentPolicy, context: &Context, candidates: &[Candidate<'_>]) -> Vec<u128> {
    rank(policy, context, candidates).iter().map(|ranked| ranked.therapist.uuid().as_u128()).collect()
}

fn reasons(policy: AssignmentPolicy, context: &Context, candidates: &[Candidate<'_>]) -> Vec<String> {
    rank(policy, context, candidates).into_iter().map(|ranked| ranked.reason).collect()
}

fn listed(ids: &[u128]) -> Rotation {
    Rotation { version: 9, turns: ids.iter().map(|n| Turn { therapist: id(*n), skipped: false }).collect() }
}

#[test]
fn least_work_goes_first_and_equals_by_name() {
    let all = [candidate(3, 60), candidate(2, 0), candidate(1, 60)];
    assert_eq!(order(AssignmentPolicy::LeastWork, &Context::default(), &all), [2, 1, 3]);
    assert_eq!(
        reasons(AssignmentPolicy::LeastWork, &Context::default(), &all)[1],
        "LEAST_WORK: 60 min of work that day"
    );
}

#[test]
fn the_turn_list_goes_before_those_off_it_and_they_before_the_skipped() {
    let mut rotation = listed(&[5, 4, 3, 2]);
    rotation.turns[0].skipped = true;
    let last_turns = HashMap::from([(id(7), 3), (id(6), 8)]);
    let context = Context { rotation, last_turns, ..Context::default() };
    let all = [2, 3, 5, 6, 7, 8].map(|n| candidate(n, 0));
    assert_eq!(order(AssignmentPolicy::Rotation, &context, &all), [3, 2, 8, 7, 6, 5]);
    assert_eq!(
        reasons(AssignmentPolicy::Rotation, &context, &all),
        [
            "ROTATION: turn 3 of 4, passed over: 1 skipped, 1 not free",
            "ROTATION: turn 4 of 4, passed over: 1 skipped, 1 not free",
            "ROTATION: off the list, no turn yet",
            "ROTATION: off the list, last turn at change 3",
            "ROTATION: off the list, last turn at change 8",
            "ROTATION: turn 1 of 4, himself skipped",
        ]
    );
}

#[test]
fn favourites_go_before_history_and_lately_counts_more_than_long_ago() {
    let day = |days: i64| Some(Timestamp::from_second(days * 86_400).expect("in range"));
    let visits = HashMap::from([
        (id(1), Visits { before: 3, last: day(100), ..Visits::default() }),
        (id(2), Visits { lately: 1, last: day(990), ..Visits::default() }),
        (id(3), Visits { lately: 1, last: day(980), ..Visits::default() }),
    ]);
    let context = Context {
        now: day(1_000).expect("a day"),
        visits,
        liking: Liking { favourites: HashSet::from([id(4)]), avoided: HashSet::from([id(2)]) },
        ..Context::default()
    };
    let all = [1, 2, 3, 4, 5].map(|n| candidate(n, 0));
    assert_eq!(order(AssignmentPolicy::Preference, &context, &all), [4, 3, 1, 5, 2]);
    let reasons = reasons(AssignmentPolicy::Preference, &context, &all);
    assert_eq!(reasons[0], "PREFERENCE: favourite, no visits yet");
    assert_eq!(reasons[4], "PREFERENCE: 1 visits, the last 10 days ago; avoided by the customer");
}

#[test]
fn who_is_avoided_comes_last_whatever_the_policy() {
    let liking = Liking { avoided: HashSet::from([id(1)]), ..Liking::default() };
    let context = Context { liking, rotation: listed(&[1, 2]), ..Context::default() };
    for (policy, name) in AssignmentPolicy::ALL {
        assert_eq!(order(policy, &context, &[candidate(1, 0), candidate(2, 60)]), [2, 1], "{name}");
    }
}

#[test]
fn the_unrated_stand_where_the_average_stands() {
    let context = Context { ratings: HashMap::from([(id(1), 400), (id(2), 480), (id(3), 500)]), ..Context::default() };
    let all = [1, 2, 3, 4].map(|n| candidate(n, 0));
    assert_eq!(order(AssignmentPolicy::Rating, &context, &all), [3, 2, 4, 1]);
    assert_eq!(reasons(AssignmentPolicy::Rating, &context, &all)[2], "RATING: not rated yet, counts as 4.60");
    assert_eq!(order(AssignmentPolicy::Rating, &Context::default(), &[candidate(2, 0), candidate(1, 5)]), [2, 1]);
}

#[test]
fn the_visit_goes_where_it_leaves_no_gap() {
    let on = [Span::new(0, 480)];
    let kept = [Span::new(100, 160)];
    let (adjacent, apart) = ([Span::new(40, 100)], [Span::new(60, 70)]);
    let with = |n, busy| Candidate { on: &on, busy, kept: &kept, ..candidate(n, 0) };
    let context = Context { shortest_visit: 60, ..Context::default() };
    let all = [with(1, &apart[..]), with(2, &adjacent[..]), with(3, &[])];
    assert_eq!(order(AssignmentPolicy::LeastFragmentation, &context, &all), [2, 3, 1]);
    assert_eq!(
        reasons(AssignmentPolicy::LeastFragmentation, &context, &all)[2],
        "LEAST_FRAGMENTATION: +30 min too short to sell, +1 gaps"
    );
}

proptest! {
    /// The same candidates in another order are ranked the same, all of them, and each policy gives a total order.
    #[test]
    fn an_order_depends_on_nothing_but_the_facts(
        works in prop::collection::vec(0_i64..3, 1..12),
        seed in any::<u64>(),
        listed_ones in prop::collection::vec((0_u128..12, any::<bool>()), 0..12),
        times in prop::collection::hash_map(0_u128..12, 0_i64..4, 0..12),
    ) {
        let mut context = Context { shortest_visit: 60, ..Context::default() };
        for (n, skipped) in listed_ones {
            if context.rotation.turn(id(n)).is_none() {
                context.rotation.turns.push(Turn { therapist: id(n), skipped });
            }
        }
        for (n, time) in times {
            context.ledger.virtual_times.insert(id(n), time * PARTS);
            context.ratings.insert(id(n), 400 + time);
            context.visits.insert(id(n), Visits { lately: time, ..Visits::default() });
        }
        let candidates: Vec<_> = (0_u128..).zip(&works).map(|(n, work)| candidate(n, *work)).collect();
        let mut shuffled = candidates.clone();
        let mut dice = Dice(seed);
        for i in (1..shuffled.len()).rev() {
            let j = usize::try_from(dice.roll(u64::try_from(i + 1).expect("small"))).expect("small");
            shuffled.swap(i, j);
        }
        for (policy, _) in AssignmentPolicy::ALL {
            let ranked = rank(policy, &context, &candidates);
            prop_assert_eq!(&ranked, &rank(policy, &context, &shuffled));
            prop_assert_eq!(ranked.iter().map(|one| one.therapist).collect::<HashSet<_>>().len(), works.len());
        }
    }

    /// Whatever happens, the log makes the list again, and nobody is on it twice.
    #[test]
    fn a_log_makes_its_list(deeds in prop::collection::vec((0_u128..8, 0_u8..10, 1_usize..9), 0..200)) {
        let (mut rotation, mut log) = (Rotation::default(), Vec::<Change>::new());
        for (n, deed, place) in deeds {
            let deed = match deed {
                0 | 1 => Deed::Join,
                2 => Deed::Leave,
                3 => Deed::StartShift,
                4 => Deed::UseTurn,
                5 => Deed::ReturnTurn,
                6 => Deed::Skip,
                7 => Deed::Resume,
                8 => Deed::Refuse(Refusal::Turns(2)),
                _ => Deed::Move(place),
            };
            let Ok(change) = rotation.plan(id(n), deed) else { continue };
            let length = rotation.turns.len();
            rotation.apply(&change);
            log.push(change);
            let joined = usize::from(change.cause == Cause::Join);
            let left = usize::from(change.cause == Cause::Leave);
            prop_assert_eq!(rotation.turns.len(), length + joined - left);
            prop_assert_eq!(rotation.turn(change.therapist).map(|(place, _)| place), change.after);
        }
        prop_assert_eq!(Rotation::replay(&log), rotation);
    }
}

#[test]
fn the_rules_of_the_turn_list() {
    let mut rotation = listed(&[1, 2, 3, 4]);
    let places = |rotation: &Rotation| -> Vec<u128> {
        rotation.turns.iter().map(|turn| turn.therapist.uuid().as_u128()).collect()
    };
    for (n, deed, expected) in [
        (1, Deed::UseTurn, [2, 3, 4, 1]),
        (2, Deed::Refuse(Refusal::Stay), [2, 3, 4, 1]),
        (2, Deed::Refuse(Refusal::Turns(2)), [3, 4, 2, 1]),
        (3, Deed::Refuse(Refusal::ToEnd), [4, 2, 1, 3]),
        (2, Deed::Refuse(Refusal::Turns(9)), [4, 1, 3, 2]),
        (3, Deed::ReturnTurn, [3, 4, 1, 2]),
        (2, Deed::Move(2), [3, 2, 4, 1]),
        (4, Deed::UseTurnByRequest, [3, 2, 1, 4]),
        (2, Deed::Skip, [3, 2, 1, 4]),
        (1, Deed::StartShift, [3, 2, 1, 4]),
    ] {
        let change = rotation.plan(id(n), deed).expect("allowed");
        rotation.apply(&change);
        assert_eq!(places(&rotation), expected, "{deed:?}");
    }
    assert!(rotation.turns[1].skipped);
    let reason = |n, deed| rotation.plan(id(n), deed).err().map(|error| error.reason().to_owned());
    assert_eq!(reason(1, Deed::Join).as_deref(), Some("ON_ROTATION"));
    for deed in [Deed::Leave, Deed::Skip, Deed::Resume, Deed::Refuse(Refusal::Stay), Deed::Move(1), Deed::StartShift] {
        assert_eq!(reason(9, deed).as_deref(), Some("NOT_ON_ROTATION"), "{deed:?}");
    }
    for place in [0, 5] {
        assert_eq!(reason(1, Deed::Move(place)).as_deref(), Some("INVALID_ARGUMENT"));
    }
    assert_eq!(rotation.plan(id(9), Deed::UseTurn).map(|change| change.after).ok(), Some(None));
}

/// Gives visits to the first in line among those who happen to be free, and returns the minutes each got.
fn give(context: &mut Context, dice: &mut Dice, staff: &[u128], visits: usize) -> HashMap<u128, i64> {
    let mut minutes = HashMap::new();
    for _ in 0..visits {
        // A quarter of them is busy at any time.
        let mut free: Vec<_> = staff.iter().filter(|_| dice.roll(4) > 0).map(|n| candidate(*n, 0)).collect();
        if free.is_empty() {
            free = staff.iter().map(|n| candidate(*n, 0)).collect();
        }
        let length = 30 + 15 * i64::try_from(dice.roll(7)).expect("small");
        let first = order(AssignmentPolicy::WeightedFairness, context, &free)[0];
        context.ledger.credit(id(first), length);
        *minutes.entry(first).or_insert(0) += length;
    }
    minutes
}

fn share(minutes: &HashMap<u128, i64>, n: u128) -> f64 {
    let total: i64 = minutes.values().sum();
    f64::from(i32::try_from(minutes[&n]).expect("small")) / f64::from(i32::try_from(total).expect("small"))
}

fn weighted(weights: &[(u128, i64)]) -> Context {
    let weights = weights.iter().map(|(n, weight)| (id(*n), *weight)).collect();
    Context { ledger: Ledger { weights, ..Ledger::default() }, ..Context::default() }
}

#[test]
fn of_ten_thousand_visits_each_gets_his_share() {
    let weights = [(1, 50), (2, 100), (3, 100), (4, 150), (5, 200), (6, 80), (7, 120), (8, 100)];
    let total: i64 = weights.iter().map(|(_, weight)| weight).sum();
    let staff: Vec<u128> = weights.iter().map(|(n, _)| *n).collect();
    for seed in 1..=20 {
        let minutes = give(&mut weighted(&weights), &mut Dice(seed), &staff, 10_000);
        for (n, weight) in weights {
            let fair =
                f64::from(i32::try_from(weight).expect("small")) / f64::from(i32::try_from(total).expect("small"));
            let off = share(&minutes, n) / fair - 1.0;
            assert!(off.abs() < 0.02, "seed {seed}: therapist {n} of weight {weight} is {:+.2} % off", off * 100.0);
        }
    }
}

#[test]
fn a_newcomer_neither_floods_nor_starves() {
    let weights = [(1, 100), (2, 50), (3, 200), (4, 100), (5, 150)];
    for seed in 1..=20 {
        let (mut context, mut dice) = (weighted(&weights), Dice(seed));
        give(&mut context, &mut dice, &[1, 2, 3, 4], 5_000);
        let (mut his, mut all) = (0, 0);
        for visit in 1..=5_000 {
            for (n, minutes) in give(&mut context, &mut dice, &[1, 2, 3, 4, 5], 1) {
                all += minutes;
                his += if n == 5 { minutes } else { 0 };
            }
            // A quarter of all since he came, give or take a tenth; and two of the longest visits while a tenth is less.
            let (off, fair) = (his - all / 4, all / 4);
            assert!(off.abs() <= (fair / 10).max(240), "seed {seed}: {his} of {all} min after {visit} visits");
        }
    }
}

#[test]
fn whoever_was_away_catches_up_on_a_day_at_most() {
    let staff = [1, 2, 3, 4];
    let (mut context, mut dice) = (weighted(&[]), Dice(7));
    give(&mut context, &mut dice, &staff, 1_000);
    give(&mut context, &mut dice, &staff[..3], 1_000);
    let minutes = give(&mut context, &mut dice, &staff, 200);
    let fair: i64 = minutes.values().sum::<i64>() / 4;
    assert!((0..=480).contains(&(minutes[&4] - fair)), "{minutes:?}");
}

#[test]
fn whoever_alone_can_give_some_visits_does_not_spoil_the_shares_of_the_others() {
    let (mut context, mut dice) = (weighted(&[(2, 100), (3, 200)]), Dice(11));
    let mut minutes = HashMap::from([(2, 0), (3, 0)]);
    for _ in 0..2_000 {
        give(&mut context, &mut dice, &[1], 3);
        for (n, got) in give(&mut context, &mut dice, &[1, 2, 3], 1) {
            *minutes.entry(n).or_insert(0) += got;
        }
    }
    let off = share(&HashMap::from([(2, minutes[&2]), (3, minutes[&3])]), 2) * 3.0 - 1.0;
    assert!(off.abs() < 0.02, "{minutes:?}");
}

#[test]
fn a_visit_given_up_leaves_no_trace_in_the_shares() {
    let mut ledger = Ledger::default();
    ledger.credit(id(1), 60);
    ledger.credit(id(2), 60);
    let before = ledger.standing(id(1));
    let added = ledger.credit(id(1), 90);
    assert_eq!(ledger.standing(id(1)), before + 90 * PARTS / 100);
    ledger.give_back(id(1), added);
    assert_eq!(ledger.standing(id(1)), before);
}
