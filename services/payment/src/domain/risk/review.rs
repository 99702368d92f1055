//! What somebody has to look at.

use kernel::{
    Error, Money, Result, Timestamp, Uuid,
    ids::{MemberId, RiskReviewId, StoreId},
};

use super::{Operation, OperationKind, Reason};

/// An operation that broke a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Its id: the same operation is reviewed once.
    pub id: RiskReviewId,
    /// What sort of operation.
    pub operation: OperationKind,
    /// What it is about, a resource name.
    pub target: String,
    /// Whose.
    pub customer: MemberId,
    /// Where.
    pub store: StoreId,
    /// Who did it.
    pub actor: String,
    /// How much it is about.
    pub amount: Money,
    /// The rules that decided, one at least.
    pub reasons: Vec<Reason>,
    /// The request that waits for the approval, if it does.
    pub held: Option<Vec<u8>>,
    /// What is, or would be, made by it.
    pub source: Uuid,
    /// What became of it.
    pub state: State,
    /// When it was tried.
    pub create_time: Timestamp,
}

/// What became of a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Somebody has to look at it.
    Open,
    /// Somebody has.
    Resolved {
        /// It is all right.
        approved: bool,
        /// When.
        time: Timestamp,
        /// Who.
        by: String,
        /// Why, as he said.
        reason: String,
    },
    /// It was refused by a rule.
    Refused,
}

impl Review {
    /// The id of the review of what is made by an operation.
    pub fn id_of(source: Uuid) -> RiskReviewId {
        RiskReviewId::derive(source, "risk review")
    }

    /// Of an operation that happens, or is held with its request.
    pub fn open(operation: &Operation, reasons: Vec<Reason>, held: Option<Vec<u8>>, now: Timestamp) -> Self {
        Self::new(operation, reasons, held, State::Open, now)
    }

    /// Of an operation that is refused.
    pub fn refused(operation: &Operation, reasons: Vec<Reason>, now: Timestamp) -> Self {
        Self::new(operation, reasons, None, State::Refused, now)
    }

    fn new(operation: &Operation, reasons: Vec<Reason>, held: Option<Vec<u8>>, state: State, now: Timestamp) -> Self {
        let id = match state {
            // What is tried again, and then is to be reviewed, is reviewed nevertheless.
            State::Refused => RiskReviewId::derive(operation.source, "risk refusal"),
            State::Open | State::Resolved { .. } => Self::id_of(operation.source),
        };
        Self {
            id,
            operation: operation.kind,
            target: operation.target.clone(),
            customer: operation.customer,
            store: operation.store,
            actor: operation.actor.clone(),
            amount: operation.amount,
            reasons,
            held,
            source: operation.source,
            state,
            create_time: now,
        }
    }

    /// Approves or rejects it.
    ///
    /// # Errors
    /// `WRONG_STATE` unless it is open; `OWN_OPERATION` for who has done it.
    pub fn resolve(self, approved: bool, by: &str, reason: &str, now: Timestamp) -> Result<Self> {
        if self.state != State::Open {
            return Err(Error::precondition(
                "WRONG_STATE",
                "the review is not open: it was resolved before, or refused",
            ));
        }
        if self.actor == by {
            return Err(Error::precondition("OWN_OPERATION", "somebody else has to look at what you have done"));
        }
        let state = State::Resolved { approved, time: now, by: by.to_owned(), reason: reason.to_owned() };
        Ok(Self { state, ..self })
    }
}
