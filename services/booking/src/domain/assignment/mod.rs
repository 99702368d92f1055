//! Who gives a visit for which nobody is named, and in which order the others would.
//!
//! [`rank`] orders the therapists whom a visit could have by the store's policy and says why each stands where he does;
//! [`Standing::score`] is the same order without the words, for searches that look at thousands of starts. Both are
//! pure: they go by the candidates, which describe the visit and the therapists' day, and by a [`Context`], which holds
//! what is known besides and was read before. Nobody is dropped: whoever can be had stands somewhere in the order, so
//! that a time that is offered can be held.
//!
//! | policy | first comes |
//! |---|---|
//! | LEAST_WORK | whoever has the least work that day |
//! | ROTATION | the first of the turn list who is not passed over; then those off the list, the longest without a turn first ([`rotation`]) |
//! | WEIGHTED_FAIRNESS | whoever has been credited the fewest minutes by his weight ([`fairness`]) |
//! | PREFERENCE | the customer's favourites; then whom he had most and most lately ([`history`]) |
//! | RATING | the best rated; who is not rated stands where the average stands |
//! | LEAST_FRAGMENTATION | in whose day the visit leaves the least time too short to sell ([`gaps`]) |
//!
//! Under every policy those whom the customer avoids come last, and equals are told apart by least work, then by name,
//! then by id, so that the same candidates in any order are ranked the same.
//!
//! # For whoever keeps a visit
//!
//! 1. Plan: [`crate::flows::assignment::context`], then give the engine [`order`] in the place of `least_work`. What
//!    [`rank`] says of the therapist whom it took, among [`candidates`], goes into the booking.
//! 2. In the transaction, after sharing the roster and taking the caps, before any row is locked:
//!    [`crate::flows::assignment::settle`]. It takes the store's lock (policies with state only) and gives another context
//!    if the planned one is out of date: plan again by that one.
//! 3. When the booking's row is in: [`crate::flows::assignment::record`] for each therapist of the visit.
//! 4. To give a visit up before it began: [`crate::flows::assignment::lock_of`] before the booking is locked,
//!    [`crate::flows::assignment::give_back`] after.

pub mod fairness;
pub mod gaps;
pub mod history;
mod order;
mod reason;
pub mod rotation;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use kernel::{Timestamp, ids::TherapistId};

pub use self::order::{candidates, order};
use self::{
    fairness::Ledger,
    gaps::Gaps,
    history::{Preference, Visits},
    rotation::Rotation,
};
use super::{policy::AssignmentPolicy, span::Span};

/// A therapist whom a visit could have, and his day.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Who.
    pub therapist: TherapistId,
    /// His place among the store's therapists by name; the same in every call for one visit.
    pub by_name: usize,
    /// Minutes of work that he has that day without the visit.
    pub work: i64,
    /// When he is on duty, as a list. Only LEAST_FRAGMENTATION looks at it and the next two.
    pub on: &'a [Span],
    /// When he is taken, as a list.
    pub busy: &'a [Span],
    /// When the visit would keep him, as a list.
    pub kept: &'a [Span],
}

/// What is known besides the candidates: of the store, of its therapists and of the customer. What the policy does not
/// look at is left empty.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// When it was read.
    pub now: Timestamp,
    /// The store's turn list.
    pub rotation: Rotation,
    /// The version of the turn list that last gave each therapist a turn; nobody without one is in it.
    pub last_turns: HashMap<TherapistId, i64>,
    /// The store's credited work.
    pub ledger: Ledger,
    /// The customer's visits to each therapist.
    pub visits: HashMap<TherapistId, Visits>,
    /// Whom the customer likes, and whom not.
    pub liking: Liking,
    /// Ratings in hundredths of a star of those who have one.
    pub ratings: HashMap<TherapistId, i64>,
    /// Minutes of the shortest visit that the store sells; shorter gaps are lost.
    pub shortest_visit: i64,
}

/// What a customer has said of therapists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Liking {
    /// Whom he likes best.
    pub favourites: HashSet<TherapistId>,
    /// Whom he does not want.
    pub avoided: HashSet<TherapistId>,
}

impl Liking {
    /// Notes what he says of one.
    pub fn add(&mut self, therapist: TherapistId, preference: Preference) {
        let set = match preference {
            Preference::Favourite => &mut self.favourites,
            Preference::Avoided => &mut self.avoided,
        };
        set.insert(therapist);
    }
}

impl Context {
    /// Where somebody stands who is not rated: the average of those who are, 0 if nobody is.
    fn neutral_rating(&self) -> i64 {
        let sum: i64 = self.ratings.values().sum();
        i64::try_from(self.ratings.len()).ok().and_then(|count| sum.checked_div(count)).unwrap_or(0)
    }
}

/// A therapist's place in the order; the smallest comes first. No two therapists have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Score {
    avoided: bool,
    by_policy: (i64, i64, i64),
    work: i64,
    by_name: usize,
    therapist: TherapistId,
}

/// What a policy says of a therapist whatever the visit: to be made once for each therapist of a search.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    avoided: bool,
    by_policy: (i64, i64, i64),
    /// Minutes of the shortest visit, if the policy looks at the gaps that this one leaves.
    shortest_visit: Option<i64>,
}

impl Standing {
    /// Where `therapist` stands under `policy`.
    pub fn of(policy: AssignmentPolicy, context: &Context, therapist: TherapistId) -> Self {
        let by_policy = match policy {
            AssignmentPolicy::LeastWork | AssignmentPolicy::LeastFragmentation => (0, 0, 0),
            AssignmentPolicy::Rotation => match context.rotation.turn(therapist) {
                Some((place, turn)) => (if turn.skipped { 2 } else { 0 }, count(place), 0),
                None => (1, context.last_turns.get(&therapist).copied().unwrap_or(0), 0),
            },
            // A newcomer goes before his equals: he moves on with the least of them until he has had a visit.
            AssignmentPolicy::WeightedFairness => {
                let known = context.ledger.virtual_times.contains_key(&therapist);
                (context.ledger.standing(therapist), i64::from(known), 0)
            }
            AssignmentPolicy::Preference => {
                let visits = context.visits.get(&therapist).copied().unwrap_or_default();
                let favourite = i64::from(context.liking.favourites.contains(&therapist));
                (-favourite, -visits.points(), -visits.last.map_or(0, Timestamp::as_second))
            }
            AssignmentPolicy::Rating => {
                (-context.ratings.get(&therapist).copied().unwrap_or_else(|| context.neutral_rating()), 0, 0)
            }
        };
        let gaps = policy == AssignmentPolicy::LeastFragmentation;
        Self {
            avoided: context.liking.avoided.contains(&therapist),
            by_policy,
            shortest_visit: gaps.then_some(context.shortest_visit),
        }
    }

    /// Where the therapist stands for the visit that `candidate` describes.
    pub fn score(&self, candidate: &Candidate<'_>) -> Score {
        let by_policy = self.shortest_visit.map_or(self.by_policy, |shortest| {
            let gaps = Gaps::left_by(candidate.on, candidate.busy, candidate.kept, shortest);
            (gaps.lost, gaps.pieces, 0)
        });
        Score {
            avoided: self.avoided,
            by_policy,
            work: candidate.work,
            by_name: candidate.by_name,
            therapist: candidate.therapist,
        }
    }
}

/// A therapist in his place of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// Who.
    pub therapist: TherapistId,
    /// Why he stands there, for people: the policy and the facts that it went by.
    pub reason: String,
}

/// Orders the candidates, the first to be taken first, and says why.
pub fn rank(policy: AssignmentPolicy, context: &Context, candidates: &[Candidate<'_>]) -> Vec<Ranked> {
    let mut scored: Vec<_> = candidates
        .iter()
        .map(|candidate| (Standing::of(policy, context, candidate.therapist).score(candidate), candidate))
        .collect();
    scored.sort_unstable_by_key(|(score, _)| *score);
    scored
        .iter()
        .map(|(_, candidate)| Ranked {
            therapist: candidate.therapist,
            reason: reason::reason(policy, context, candidates, candidate),
        })
        .collect()
}

/// A count as a number to compare.
fn count(places: usize) -> i64 {
    i64::try_from(places).unwrap_or(i64::MAX)
}
