//! One attempt to pay a part of an order.

use kernel::{Money, Timestamp, ids::PaymentId};

/// One attempt to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its id; the provider knows the charge by it too.
    pub id: PaymentId,
    /// Which part of the order it pays.
    pub purpose: Purpose,
    /// The way it is paid.
    pub tender: Tender,
    /// How much.
    pub amount: Money,
    /// Where it is in its life.
    pub state: State,
    /// What the provider answered; `None` for cash and until the provider has answered.
    pub charge: Option<Charge>,
    /// When it was started.
    pub create_time: Timestamp,
}

impl Payment {
    /// Neither captured nor failed.
    pub fn is_pending(&self) -> bool {
        self.state == State::Pending
    }

    /// The money is ours, owed or not.
    pub fn is_captured(&self) -> bool {
        matches!(self.state, State::Captured { .. })
    }

    /// Captured when it was no longer owed.
    pub fn is_surplus(&self) -> bool {
        matches!(self.state, State::Captured { surplus: true, .. })
    }
}

/// Where a payment is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The customer can pay, or is paying.
    Pending,
    /// The money is ours.
    Captured {
        /// When it came.
        time: Timestamp,
        /// It came when it was no longer owed: it goes back whole and doesn't count as paid.
        surplus: bool,
    },
    /// It came to nothing.
    Failed {
        /// Why, in a word for programs.
        reason: String,
    },
}

/// A charge at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The provider's id for it.
    pub id: String,
    /// Where the customer pays.
    pub pay_uri: String,
}

/// Which part of an order a payment pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// What must be paid first.
    Deposit,
    /// All that is left.
    Balance,
}

impl Purpose {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Balance => "balance",
        }
    }

    /// Reads the stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Deposit, Self::Balance].into_iter().find(|purpose| purpose.as_str() == word)
    }
}

/// The way to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tender {
    /// The sandbox provider.
    Sandbox,
    /// Cash at the desk.
    Cash,
}

impl Tender {
    /// The word that is stored; for provider tenders also the provider's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Cash => "cash",
        }
    }

    /// Reads the stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Sandbox, Self::Cash].into_iter().find(|tender| tender.as_str() == word)
    }
}
