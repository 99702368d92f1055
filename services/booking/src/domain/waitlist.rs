//! Who waits for a time that is taken.
//!
//! ```text
//! WAITING ─► OFFERED ─► TAKEN (the offered visit became sure)
//!  │ │ ▲        │ │
//!  │ │ └────────┤ └─► LEFT
//!  │ │          └─► LAPSED (he let too many offers pass)
//!  │ └─► LEFT
//!  └─► OVER (the times that he waits for are past)
//! ```
//!
//! A deposit that comes late can still make an offer TAKEN that had been let pass.

use kernel::{
    Error, Result, Timestamp,
    ids::{BookingId, MemberId, StoreId, WaitlistEntryId},
};

use super::{
    booking::Channel,
    chosen::Choice,
    span::{Span, list, minute, minute_after, subtract},
    visit::{DAY, Wish},
};

/// Whoever lets so many offers pass is taken off.
pub const MOST_PASSED: i32 = 3;

/// Where an entry is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// In line.
    Waiting,
    /// A time is held for him.
    Offered,
    /// He took an offer.
    Taken,
    /// He let too many offers pass.
    Lapsed,
    /// He left.
    Left,
    /// The times that he waited for are past.
    Over,
}

impl State {
    /// Every state with its name in the database.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Waiting, "WAITING"),
        (Self::Offered, "OFFERED"),
        (Self::Taken, "TAKEN"),
        (Self::Lapsed, "LAPSED"),
        (Self::Left, "LEFT"),
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

/// Somebody's place on the waitlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub id: WaitlistEntryId,
    /// Where.
    pub store: StoreId,
    /// Who waits.
    pub customer: MemberId,
    /// For what.
    pub choice: Choice,
    /// With whom.
    pub wish: Wish,
    /// Through which way he joined.
    pub channel: Channel,
    /// Visits that start at or after this.
    pub start_time: Timestamp,
    /// Visits that start before this.
    pub end_time: Timestamp,
    /// Where it is in its life.
    pub state: State,
    /// The visit that was offered last.
    pub booking: Option<BookingId>,
    /// How many offers he let pass. Whoever had fewer goes before.
    pub passed_count: i32,
    /// When he joined.
    pub create_time: Timestamp,
    /// Counts the changes, from 1.
    pub version: i64,
}

impl Entry {
    /// A visit is held for him.
    pub fn offer(mut self, booking: BookingId) -> Result<Self> {
        self.check_state(&[State::Waiting])?;
        self.booking = Some(booking);
        Ok(self.step_to(State::Offered))
    }

    /// The visit that was offered to him is sure. `None` if he took another before.
    pub fn take(mut self, booking: BookingId) -> Option<Self> {
        if self.state == State::Taken {
            return None;
        }
        self.booking = Some(booking);
        Some(self.step_to(State::Taken))
    }

    /// The visit that was offered to him is given up: he is in line again, unless that was once too often. `None` if it is
    /// not the one that is offered to him now.
    pub fn pass(mut self, booking: BookingId) -> Option<Self> {
        if self.state != State::Offered || self.booking != Some(booking) {
            return None;
        }
        self.passed_count += 1;
        let next = if self.passed_count < MOST_PASSED { State::Waiting } else { State::Lapsed };
        Some(self.step_to(next))
    }

    /// He leaves.
    pub fn leave(self) -> Result<Self> {
        self.check_state(&[State::Waiting, State::Offered])?;
        Ok(self.step_to(State::Left))
    }

    /// The times that he waits for are past. `None` if they are not, or he does not wait.
    pub fn end(self, now: Timestamp) -> Option<Self> {
        (self.state == State::Waiting && self.end_time <= now).then(|| self.step_to(State::Over))
    }

    /// The starts that he waits for.
    pub fn window(&self) -> Span {
        Span::new(minute_after(self.start_time), minute_after(self.end_time))
    }

    /// Fails with WRONG_STATE unless it is in one of `states`.
    pub fn check_state(&self, states: &[State]) -> Result<()> {
        if states.contains(&self.state) {
            return Ok(());
        }
        let text = format!("the entry is {}; that can't be done any more", self.state.as_str());
        Err(Error::precondition("WRONG_STATE", text).with("state", self.state.as_str()))
    }

    fn step_to(mut self, state: State) -> Self {
        self.state = state;
        self.version += 1;
        self
    }
}

/// Starts that a time that got free may have made possible. With limits on a therapist's work, a visit that is given up
/// makes room anywhere in his day.
pub fn around(freed: Span) -> Span {
    Span::new(freed.start - DAY, freed.end + DAY)
}

/// The starts within `window` at which a visit of so many minutes overlaps none of `not`: what the customer has at that
/// time already, and what he let pass.
pub fn open_starts(window: Span, minutes: i64, not: &[(Timestamp, Timestamp)]) -> Vec<Span> {
    let closed = not.iter().map(|(start, end)| Span::new(minute(*start) - minutes + 1, minute_after(*end)));
    subtract(&list(vec![window]), &list(closed.filter(|span| span.start < span.end).collect()))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use kernel::{Uuid, ids::ItemId};
    use proptest::prelude::*;

    use super::*;

    fn entry() -> Entry {
        let at = Timestamp::UNIX_EPOCH;
        Entry {
            id: WaitlistEntryId::from_uuid(Uuid::from_u128(1)),
            store: StoreId::from_uuid(Uuid::from_u128(2)),
            customer: MemberId::from_uuid(Uuid::from_u128(3)),
            choice: Choice::Item(ItemId::from_uuid(Uuid::from_u128(4)), Vec::new()),
            wish: Wish::default(),
            channel: Channel::Web,
            start_time: at,
            end_time: at + SignedDuration::from_hours(1),
            state: State::Waiting,
            booking: None,
            passed_count: 0,
            create_time: at,
            version: 1,
        }
    }

    fn booking(n: u128) -> BookingId {
        BookingId::from_uuid(Uuid::from_u128(n))
    }

    #[test]
    fn the_third_offer_that_is_let_pass_is_the_last() {
        let mut entry = entry();
        for n in 1..=3 {
            entry = entry.offer(booking(n)).expect("he waits").pass(booking(n)).expect("it is his offer");
        }
        assert_eq!((entry.state, entry.passed_count, entry.version), (State::Lapsed, 3, 7));
        assert!(entry.offer(booking(4)).is_err());
    }

    #[test]
    fn only_the_offer_that_runs_can_be_let_pass_but_any_can_be_taken() {
        let offered = entry().offer(booking(1)).expect("he waits");
        assert!(offered.clone().pass(booking(2)).is_none());
        let again = offered.pass(booking(1)).expect("his").offer(booking(2)).expect("he waits");
        let taken = again.take(booking(1)).expect("paid late");
        assert_eq!((taken.state, taken.booking), (State::Taken, Some(booking(1))));
        assert!(taken.clone().pass(booking(2)).is_none());
        assert!(taken.clone().take(booking(2)).is_none());
        assert_eq!(taken.leave().err().map(|error| error.reason().to_owned()).as_deref(), Some("WRONG_STATE"));
    }

    #[test]
    fn waiting_is_over_when_the_last_start_is_past() {
        let end = entry().end_time;
        assert!(entry().end(end - SignedDuration::from_secs(1)).is_none());
        assert_eq!(entry().end(end).map(|entry| entry.state), Some(State::Over));
        assert!(entry().offer(booking(1)).expect("he waits").end(end).is_none());
    }

    proptest! {
        #[test]
        fn a_start_is_open_exactly_if_the_visit_overlaps_nothing(
            minutes in 1_i64..90,
            not in proptest::collection::vec((0_i64..300, 1_i64..90), 0..4),
        ) {
            let at = |minute: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
            let spans: Vec<_> = not.iter().map(|(start, length)| (at(*start), at(start + length))).collect();
            let open = open_starts(Span::new(0, 300), minutes, &spans);
            for start in 0..300 {
                let visit = Span::new(start, start + minutes);
                let clear = not.iter().all(|(from, length)| !visit.overlaps(Span::new(*from, from + length)));
                let is_open = open.iter().any(|span| span.start <= start && start < span.end);
                prop_assert_eq!(is_open, clear, "at {}", start);
            }
        }
    }
}
