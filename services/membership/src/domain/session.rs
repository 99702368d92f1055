//! Signed-in sessions.

use kernel::{
    Timestamp, Uuid,
    ids::{MemberId, SessionId, StaffId},
};

/// Who is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A customer.
    Member(MemberId),
    /// Somebody who works for the chain.
    Staff(StaffId),
}

impl Owner {
    /// The resource name.
    pub fn name(self) -> String {
        match self {
            Self::Member(id) => id.name(),
            Self::Staff(id) => id.name(),
        }
    }

    /// The bare id.
    pub fn uuid(self) -> Uuid {
        match self {
            Self::Member(id) => id.uuid(),
            Self::Staff(id) => id.uuid(),
        }
    }
}

/// Why a session ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// Its owner signed out.
    SignedOut,
    /// A refresh token came a second time: one of the two who had it is a thief.
    TokenReused,
}

impl EndReason {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "SIGNED_OUT",
            Self::TokenReused => "TOKEN_REUSED",
        }
    }
}

/// A refresh token that somebody shows, with its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The session.
    pub session: SessionId,
    /// Whose it is.
    pub owner: Owner,
    /// It was ended.
    pub ended: bool,
    /// When the token was used.
    pub use_time: Option<Timestamp>,
    /// Until when the token is good.
    pub expire_time: Timestamp,
}

/// What a shown token is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// New tokens.
    Good,
    /// Nothing: it is too old.
    Expired,
    /// Nothing: its session is over.
    Ended,
    /// The end of the session: it was used before.
    Reused,
}

impl Shown {
    /// What the token is worth at `now`.
    pub fn worth(&self, now: Timestamp) -> Worth {
        if self.ended {
            Worth::Ended
        } else if self.use_time.is_some() {
            Worth::Reused
        } else if now >= self.expire_time {
            Worth::Expired
        } else {
            Worth::Good
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_token_betrays_a_thief_even_when_it_is_old() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        let fresh = Shown {
            session: SessionId::new(at(0)),
            owner: Owner::Member(MemberId::new(at(0))),
            ended: false,
            use_time: None,
            expire_time: at(100),
        };
        assert_eq!(fresh.worth(at(99)), Worth::Good);
        assert_eq!(fresh.worth(at(100)), Worth::Expired);
        let used = Shown { use_time: Some(at(1)), ..fresh };
        assert_eq!(used.worth(at(200)), Worth::Reused);
        assert_eq!(Shown { ended: true, ..used }.worth(at(2)), Worth::Ended);
    }
}
