//! People who come together. Once it is held, each visit of a group stands for itself: what the group is as a whole
//! follows from them.

use kernel::{
    Timestamp,
    ids::{GroupId, MemberId, StoreId},
};

use super::booking::{Booking, State};

/// Who pays for the visits of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payer {
    /// The organiser: every order is his.
    One,
    /// Everybody for himself.
    Split,
}

impl Payer {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::One => "ONE",
            Self::Split => "SPLIT",
        }
    }

    /// Reads the name in the database.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::One, Self::Split].into_iter().find(|payer| payer.as_str() == name)
    }
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Where.
    pub store: StoreId,
    /// Who brings the others.
    pub organiser: MemberId,
    /// Who pays.
    pub payer: Payer,
    /// When it was made.
    pub create_time: Timestamp,
    /// Counts the events that were told of it, from 1.
    pub version: i64,
}

impl Group {
    /// Who owes the order of a guest, whose visit it is.
    pub fn payer_for(&self, guest: MemberId) -> MemberId {
        match self.payer {
            Payer::One => self.organiser,
            Payer::Split => guest,
        }
    }

    /// Whether a member may see it: he organises it, or one of the visits is his.
    pub fn belongs_to(&self, member: MemberId, bookings: &[Booking]) -> bool {
        self.organiser == member || bookings.iter().any(|booking| booking.customer == member)
    }
}

/// How far a group is as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// At least one visit waits for its deposit.
    Held,
    /// All visits that are left are confirmed, run or are done.
    Confirmed,
    /// No visit is left.
    Ended,
}

impl Standing {
    /// That of a group with visits in these states.
    pub fn of(states: impl IntoIterator<Item = State>) -> Self {
        states.into_iter().fold(Self::Ended, |standing, state| match (standing, state) {
            (_, State::Held | State::AwaitingPayment) | (Self::Held, _) => Self::Held,
            (Self::Ended, state) if is_over(state) => Self::Ended,
            _ => Self::Confirmed,
        })
    }
}

/// Whether a guest does not come: given up, missed, or not paid for.
pub fn is_over(state: State) -> bool {
    matches!(state, State::Cancelled | State::NoShow | State::Expired)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_held_until_all_who_are_left_are_confirmed() {
        use State::{AwaitingPayment, Cancelled, Completed, Confirmed, Expired, Held, NoShow};
        let cases: [(&[State], Standing); 7] = [
            (&[Held, Confirmed], Standing::Held),
            (&[Cancelled, AwaitingPayment], Standing::Held),
            (&[Confirmed, Held, Cancelled], Standing::Held),
            (&[Confirmed, Expired], Standing::Confirmed),
            (&[NoShow, Completed], Standing::Confirmed),
            (&[NoShow, Expired, Cancelled], Standing::Ended),
            (&[], Standing::Ended),
        ];
        for (states, standing) in cases {
            assert_eq!(Standing::of(states.iter().copied()), standing, "{states:?}");
        }
    }
}
