//! The queue of those who came without a booking.
//!
//! ```text
//! WAITING ─► CALLED (his visit is made)
//!    │ ├───► LEFT
//!    │ └───► LAPSED (he did not answer too often)
//!    └─────► OVER (the store closed)
//! ```
//!
//! - [`line`]: who is next
//! - [`quote`]: when each can begin

pub mod line;
pub mod quote;

use kernel::{
    Error, Result, Timestamp,
    ids::{BookingId, MemberId, QueueTicketId, StoreId},
};

use self::line::Place;
use super::{chosen::Choice, visit::Wish};

/// Whoever does not answer so often when he is called is taken off.
pub const MOST_SKIPPED: i32 = 3;

/// Where a ticket is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// In line.
    Waiting,
    /// His visit is made.
    Called,
    /// He left.
    Left,
    /// He did not answer too often.
    Lapsed,
    /// The store closed before it was his turn.
    Over,
}

impl State {
    /// Every state with its name in the database.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Waiting, "WAITING"),
        (Self::Called, "CALLED"),
        (Self::Left, "LEFT"),
        (Self::Lapsed, "LAPSED"),
        (Self::Over, "OVER"),
    ];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }

    /// Reads the name in the database.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(state, _)| *state)
    }
}

/// Somebody's place in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Where.
    pub store: StoreId,
    /// What is called out: counts the tickets of the store's day, from 1.
    pub number: i32,
    /// Who waits.
    pub customer: MemberId,
    /// For what.
    pub choice: Choice,
    /// With whom.
    pub wish: Wish,
    /// What decides on his place.
    pub place: Place,
    /// Why it is urgent; empty if it is not.
    pub urgent_reason: String,
    /// When he was told to begin, as he came.
    pub quoted_time: Timestamp,
    /// The end of the opening in which he came: then nobody waits any more.
    pub close_time: Timestamp,
    /// Where it is in its life.
    pub state: State,
    /// His visit, once he is called.
    pub booking: Option<BookingId>,
    /// How often he did not answer.
    pub skip_count: i32,
    /// Counts the changes, from 1.
    pub version: i64,
}

impl Ticket {
    /// Which.
    pub fn id(&self) -> QueueTicketId {
        self.place.ticket
    }

    /// His visit is made.
    pub fn call(mut self, booking: BookingId) -> Result<Self> {
        self.check_waiting()?;
        self.booking = Some(booking);
        Ok(self.step_to(State::Called))
    }

    /// He leaves.
    pub fn leave(self) -> Result<Self> {
        self.check_waiting()?;
        Ok(self.step_to(State::Left))
    }

    /// He did not answer: he goes to the [end](line::end), unless that was once too often.
    pub fn skip(mut self, end: Timestamp) -> Result<Self> {
        self.check_waiting()?;
        self.skip_count += 1;
        self.place.queue_time = end;
        self.place.overtook.clear();
        let next = if self.skip_count < MOST_SKIPPED { State::Waiting } else { State::Lapsed };
        Ok(self.step_to(next))
    }

    /// The store closed. `None` if it has not, or he does not wait.
    pub fn end(self, now: Timestamp) -> Option<Self> {
        (self.state == State::Waiting && self.close_time <= now).then(|| self.step_to(State::Over))
    }

    fn check_waiting(&self) -> Result<()> {
        if self.state == State::Waiting {
            return Ok(());
        }
        let text = format!("the ticket is {}; that can't be done any more", self.state.as_str());
        Err(Error::precondition("WRONG_STATE", text).with("state", self.state.as_str()))
    }

    fn step_to(mut self, state: State) -> Self {
        self.state = state;
        self.version += 1;
        self
    }
}
