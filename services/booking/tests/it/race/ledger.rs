//! What clients were told, which must be so for ever.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use kernel::Timestamp;
use proto::booking::v1::{self as pb, booking::State};
use tonic::Status;

use super::dice::Decision;
use crate::world::{field, reason};

/// A booking that was acknowledged.
#[derive(Debug, Clone)]
pub struct Known {
    /// As its newest answer says.
    pub booking: pb::Booking,
    /// Whose it is.
    pub token: String,
}

/// How often an operation came to what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Count {
    /// It was done.
    pub done: u64,
    /// It was refused, by reason.
    pub refused: BTreeMap<String, u64>,
}

/// All that was told in a run.
#[derive(Debug, Default)]
pub struct Told {
    /// The bookings, in the order in which they were acknowledged first.
    pub bookings: Vec<Known>,
    /// Every answer that was a booking.
    pub answers: Vec<pb::Booking>,
    /// The requests that were answered.
    pub answered: Vec<String>,
    /// The requests that were refused, and so must have left no trace.
    pub refused: Vec<String>,
    /// Bookings whose deposit was reported as paid.
    pub paid: Vec<String>,
    /// Blocks that were made and not taken away.
    pub blocks: Vec<String>,
    /// Groups that were held, with whoever brought them.
    pub groups: Vec<(String, String)>,
    /// Items, and starts at which somebody could not have them.
    pub missed: Vec<(String, Timestamp)>,
    /// Entries of the waitlist, with whoever waits.
    pub entries: Vec<(String, String)>,
    /// Tickets of the queue, with whoever waits.
    pub tickets: Vec<(String, String)>,
    /// Shifts of the second day, with their therapists, that were made and not taken away.
    pub shifts: Vec<(String, String)>,
    /// What must not have happened.
    pub faults: Vec<String>,
    /// By operation.
    pub counts: BTreeMap<&'static str, Count>,
}

/// [`Told`], by many at once.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Told>);

impl Ledger {
    /// Everything.
    pub fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A booking was answered.
    pub fn note(&self, booking: &pb::Booking, token: &str) {
        let mut told = self.told();
        told.answers.push(booking.clone());
        match told.bookings.iter_mut().find(|known| known.booking.name == booking.name) {
            Some(known) if known.booking.version < booking.version => known.booking = booking.clone(),
            Some(_) => {}
            None => told.bookings.push(Known { booking: booking.clone(), token: token.to_owned() }),
        }
    }

    /// A booking that was in one of these states when it was heard of last; mostly one of the newest, so that clients
    /// meet at the same ones.
    pub fn pick(&self, decision: &Decision, states: &[State]) -> Option<Known> {
        let told = self.told();
        let fitting: Vec<&Known> =
            told.bookings.iter().filter(|known| states.contains(&known.booking.state())).collect();
        let newest = &fitting[fitting.len().saturating_sub(6)..];
        decision
            .pick(decision.which, if decision.which.is_multiple_of(4) { &fitting } else { newest })
            .map(|known| (*known).clone())
    }

    /// Of the bookings that were in one of these states when they were heard of last, the one that starts first.
    pub fn first(&self, states: &[State]) -> Option<Known> {
        let told = self.told();
        let fitting = told.bookings.iter().filter(|known| states.contains(&known.booking.state()));
        fitting.min_by_key(|known| known.booking.start_time.map(|start| start.seconds)).cloned()
    }

    /// Something that must not be.
    pub fn fault(&self, what: String) {
        self.told().faults.push(what);
    }
}

/// In a word why something was refused: the reason, or for bad input its field.
pub fn why(status: &Status) -> String {
    let field = field(status);
    if field.is_empty() { reason(status) } else { field }
}
