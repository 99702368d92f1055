//! What is looked at.

use kernel::{
    Money, Uuid,
    ids::{CardId, MemberId, StoreId},
};

/// What sort of operation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OperationKind {
    /// Somebody starts to pay an order.
    Payment,
    /// Staff give something back.
    Refund,
    /// A top-up of a card is begun.
    TopUp,
}

impl OperationKind {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::TopUp => "top_up",
        }
    }

    /// Reads the stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Payment, Self::Refund, Self::TopUp].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// By whom operations are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The customer.
    Member,
    /// The stored-value card.
    Card,
    /// The address of the payer's device.
    Address,
    /// The store.
    Store,
    /// The member of staff who does it.
    Staff,
}

impl Subject {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Card => "card",
            Self::Address => "address",
            Self::Store => "store",
            Self::Staff => "staff",
        }
    }

    /// Reads the stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        let all = [Self::Member, Self::Card, Self::Address, Self::Store, Self::Staff];
        all.into_iter().find(|subject| subject.as_str() == word)
    }
}

/// An operation that is about to happen.
#[derive(Debug, Clone)]
pub struct Operation {
    /// What sort.
    pub kind: OperationKind,
    /// What is made by it: by this it is counted once.
    pub source: Uuid,
    /// What it is about, a resource name.
    pub target: String,
    /// The customer.
    pub customer: MemberId,
    /// Where.
    pub store: StoreId,
    /// The stored-value card, if there is one.
    pub card: Option<CardId>,
    /// The digest of the address of the payer's device, if it is known.
    pub address: Option<String>,
    /// Who does it, as in the audit trail.
    pub actor: String,
    /// How much; 0 or above.
    pub amount: Money,
}

impl Operation {
    /// Which one of a kind of subject it is counted by; `None` if it has none.
    pub fn key(&self, subject: Subject) -> Option<String> {
        match subject {
            Subject::Member => Some(self.customer.uuid().to_string()),
            Subject::Card => self.card.map(|card| card.uuid().to_string()),
            Subject::Address => self.address.clone(),
            Subject::Store => Some(self.store.uuid().to_string()),
            Subject::Staff => Some(self.actor.clone()).filter(|actor| actor.starts_with("staff/")),
        }
    }
}
