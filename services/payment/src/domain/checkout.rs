//! Payments that come to pass together.

use kernel::{Timestamp, ids::CheckoutId};

/// Which payments come to pass together, or not at all: those that name the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkout {
    /// Its id.
    pub id: CheckoutId,
    /// When it comes to nothing by itself.
    pub expire_time: Timestamp,
}

/// Where a checkout is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckoutState {
    /// What its tenders pay is set aside, until the provider's outcome is known.
    Open,
    /// All of it is captured.
    Captured,
    /// It came to nothing; what was set aside is free again.
    Voided,
}

impl CheckoutState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Captured, Self::Voided];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Captured => "captured",
            Self::Voided => "voided",
        }
    }

    /// Reads the stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}
