//! Sessions that are set aside or were had.

use kernel::{
    Money, Timestamp, Uuid,
    ids::{ContractId, ContractUseId, LedgerTransferId, PaymentId, StoreId},
};

/// A session of a contract that is not free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Which item of the terms; `None` if the contract is for a time.
    pub position: Option<usize>,
    /// Which of its sessions, from 0.
    pub ordinal: u32,
    /// It was had; else it is set aside.
    pub had: bool,
}

/// A use of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Its id.
    pub id: ContractUseId,
    /// Of which contract.
    pub contract: ContractId,
    /// What is had.
    pub item: String,
    /// Which item of the terms; `None` if the contract is for a time.
    pub position: Option<usize>,
    /// Which of its sessions, from 0.
    pub ordinal: u32,
    /// Where.
    pub store: StoreId,
    /// What it is worth; 0 if the contract is for a time.
    pub value: Money,
    /// The payment of a visit's order by which it is used; `None` if it was reserved by itself.
    pub payment: Option<PaymentId>,
    /// Whether it is decided.
    pub state: UseState,
    /// When it was set aside.
    pub create_time: Timestamp,
}

/// Whether a use is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UseState {
    /// It is not.
    Reserved,
    /// The visit took place.
    Committed(Timestamp),
    /// It did not.
    Voided(Timestamp),
    /// What it paid for was given back: the session is free again.
    Returned {
        /// When it was had.
        had: Timestamp,
        /// When it was given back.
        time: Timestamp,
    },
}

impl Use {
    /// The transfer that sets its value aside; `None` if it is worth nothing.
    pub fn transfer(&self) -> Option<LedgerTransferId> {
        (!self.value.is_zero()).then(|| LedgerTransferId::derive(self.id.uuid(), "contract use"))
    }

    /// Whether it was asked for with the same content.
    pub fn is_same(&self, contract: ContractId, item: &str, store: StoreId) -> bool {
        self.contract == contract && self.item == item && self.store == store
    }

    /// What the ledger knows it by.
    pub fn source(&self) -> Uuid {
        self.id.uuid()
    }
}

impl UseState {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Committed(_) => "committed",
            Self::Voided(_) => "voided",
            Self::Returned { .. } => "returned",
        }
    }

    /// When it was decided.
    pub const fn decide_time(self) -> Option<Timestamp> {
        match self {
            Self::Reserved => None,
            Self::Committed(time) | Self::Voided(time) | Self::Returned { had: time, .. } => Some(time),
        }
    }

    /// When it was given back.
    pub const fn return_time(self) -> Option<Timestamp> {
        match self {
            Self::Returned { time, .. } => Some(time),
            Self::Reserved | Self::Committed(_) | Self::Voided(_) => None,
        }
    }

    /// Reads what is stored; `None` if no code of ours can have stored it.
    pub fn from_stored(word: &str, decide_time: Option<Timestamp>, return_time: Option<Timestamp>) -> Option<Self> {
        match (word, decide_time, return_time) {
            ("reserved", None, None) => Some(Self::Reserved),
            ("committed", Some(time), None) => Some(Self::Committed(time)),
            ("voided", Some(time), None) => Some(Self::Voided(time)),
            ("returned", Some(had), Some(time)) => Some(Self::Returned { had, time }),
            _ => None,
        }
    }
}
