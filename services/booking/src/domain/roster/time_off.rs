//! A therapist's wish for time off.
//!
//! ```text
//! REQUESTED ─► APPROVED ─► WITHDRAWN (before it begins)
//!   │  └─────► REJECTED        ▲
//!   └──────────────────────────┘
//! ```
//!
//! A transition consumes the request. One that the state does not allow fails with WRONG_STATE and changes nothing.

use kernel::{
    Error, Result, Timestamp,
    ids::{BlockId, StoreId, TherapistId, TimeOffId},
};

/// What a manager said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Who.
    pub decider: String,
    /// When.
    pub decide_time: Timestamp,
    /// Why.
    pub reason: String,
}

/// Where a request stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It waits for the manager.
    Requested,
    /// The time is off.
    Approved {
        /// By whom.
        decision: Decision,
        /// What keeps the time.
        block: BlockId,
    },
    /// Refused.
    Rejected(Decision),
    /// Taken back, before or after it was approved.
    Withdrawn(Option<Decision>),
}

impl State {
    /// The names in the database.
    pub const NAMES: [&'static str; 4] = ["REQUESTED", "APPROVED", "REJECTED", "WITHDRAWN"];

    /// The name in the database.
    pub fn as_str(&self) -> &'static str {
        let [requested, approved, rejected, withdrawn] = Self::NAMES;
        match self {
            Self::Requested => requested,
            Self::Approved { .. } => approved,
            Self::Rejected(_) => rejected,
            Self::Withdrawn(_) => withdrawn,
        }
    }

    /// What the manager said, if he has.
    pub fn decision(&self) -> Option<&Decision> {
        match self {
            Self::Requested => None,
            Self::Approved { decision, .. } | Self::Rejected(decision) => Some(decision),
            Self::Withdrawn(decision) => decision.as_ref(),
        }
    }

    /// What keeps the time.
    pub fn block(&self) -> Option<BlockId> {
        match self {
            Self::Approved { block, .. } => Some(*block),
            _ => None,
        }
    }
}

/// A wish for time off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeOff {
    /// Its id.
    pub id: TimeOffId,
    /// Who would be off.
    pub therapist: TherapistId,
    /// Where he works.
    pub store: StoreId,
    /// From when.
    pub start_time: Timestamp,
    /// Until when.
    pub end_time: Timestamp,
    /// For the manager.
    pub reason: String,
    /// Who asked, `staff/<uuid>`.
    pub requester: String,
    /// When it was asked.
    pub create_time: Timestamp,
    /// Where it stands.
    pub state: State,
    /// Counts the changes, from 1.
    pub version: i64,
}

impl TimeOff {
    /// The time is off; `block` keeps it.
    pub fn approve(self, decision: Decision, block: BlockId) -> Result<Self> {
        match self.state {
            State::Requested => Ok(self.into_state(State::Approved { decision, block })),
            _ => Err(self.wrong_state("approved")),
        }
    }

    /// It is refused.
    pub fn reject(self, decision: Decision) -> Result<Self> {
        match self.state {
            State::Requested => Ok(self.into_state(State::Rejected(decision))),
            _ => Err(self.wrong_state("rejected")),
        }
    }

    /// It is taken back.
    pub fn withdraw(mut self, now: Timestamp) -> Result<Self> {
        match std::mem::replace(&mut self.state, State::Withdrawn(None)) {
            State::Requested => Ok(self.into_state(State::Withdrawn(None))),
            State::Approved { decision, .. } if now < self.start_time => {
                Ok(self.into_state(State::Withdrawn(Some(decision))))
            }
            state => Err(Self { state, ..self }.wrong_state("withdrawn")),
        }
    }

    fn into_state(self, state: State) -> Self {
        Self { state, version: self.version + 1, ..self }
    }

    fn wrong_state(&self, wanted: &str) -> Error {
        let text = format!("the request is {} and can't be {wanted}", self.state.as_str());
        Error::precondition("WRONG_STATE", text).with("state", self.state.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(at: Timestamp) -> TimeOff {
        TimeOff {
            id: TimeOffId::new(at),
            therapist: TherapistId::new(at),
            store: StoreId::new(at),
            start_time: Timestamp::from_second(1_000).expect("in range"),
            end_time: Timestamp::from_second(2_000).expect("in range"),
            reason: String::new(),
            requester: "staff/1".to_owned(),
            create_time: at,
            state: State::Requested,
            version: 1,
        }
    }

    fn word() -> Decision {
        Decision { decider: "staff/2".to_owned(), decide_time: Timestamp::UNIX_EPOCH, reason: "fair".to_owned() }
    }

    #[test]
    fn every_way_through_its_life() {
        let (early, late) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(1_000).expect("in range"));
        let block = BlockId::new(early);
        let asked = || request(early);
        let approved = || asked().approve(word(), block).expect("approved");
        assert_eq!((approved().version, approved().state.block()), (2, Some(block)));
        let withdrawn = approved().withdraw(early).expect("withdrawn");
        assert_eq!((withdrawn.version, withdrawn.state.clone()), (3, State::Withdrawn(Some(word()))));
        assert_eq!(asked().withdraw(late).expect("withdrawn").state, State::Withdrawn(None));
        let wrong = |outcome: Result<TimeOff>| outcome.expect_err("a wrong state").reason() == "WRONG_STATE";
        assert!(wrong(approved().withdraw(late)), "it has begun");
        assert!(wrong(approved().reject(word())) && wrong(approved().approve(word(), block)));
        let rejected = asked().reject(word()).expect("rejected");
        assert!(wrong(rejected.clone().withdraw(early)) && wrong(rejected.approve(word(), block)));
        assert!(wrong(withdrawn.withdraw(early)));
    }
}
