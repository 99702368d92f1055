//! A transaction that may come to pass.

use kernel::{Error, Result, Timestamp, ids::LedgerTransferId};

use super::Transaction;

/// A transaction that may come to pass: until it is decided, what it takes from checked accounts is reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its id.
    pub id: LedgerTransferId,
    /// What is booked if it comes to pass.
    pub transaction: Transaction,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it comes to nothing by itself.
    pub expire_time: Timestamp,
    /// Whether it is decided.
    pub state: TransferState,
}

/// Whether a transfer is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferState {
    /// It is not.
    Pending,
    /// It has come to pass.
    Posted(Timestamp),
    /// It was called off.
    Voided(Timestamp),
    /// Nobody has decided in time.
    Expired(Timestamp),
}

impl Transfer {
    /// A new one.
    ///
    /// # Errors
    /// Internal, if it would expire at once.
    pub fn try_new(
        id: LedgerTransferId,
        transaction: Transaction,
        now: Timestamp,
        expire_time: Timestamp,
    ) -> Result<Self> {
        if expire_time <= now {
            return Err(Error::internal(format!("{id} would expire as it is made")));
        }
        Ok(Self { id, transaction, create_time: now, expire_time, state: TransferState::Pending })
    }
}

impl TransferState {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Posted(_) => "posted",
            Self::Voided(_) => "voided",
            Self::Expired(_) => "expired",
        }
    }

    /// When it was decided.
    pub const fn decide_time(self) -> Option<Timestamp> {
        match self {
            Self::Pending => None,
            Self::Posted(time) | Self::Voided(time) | Self::Expired(time) => Some(time),
        }
    }

    /// Reads what is stored; `None` if no code of ours can have stored it.
    pub fn from_stored(word: &str, decide_time: Option<Timestamp>) -> Option<Self> {
        match (word, decide_time) {
            ("pending", None) => Some(Self::Pending),
            ("posted", Some(time)) => Some(Self::Posted(time)),
            ("voided", Some(time)) => Some(Self::Voided(time)),
            ("expired", Some(time)) => Some(Self::Expired(time)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::{Currency, Money, Uuid};

    use super::*;
    use crate::domain::ledger::{Account, Kind};

    #[test]
    fn a_transfer_has_time_to_be_decided() {
        let now = Timestamp::UNIX_EPOCH;
        let sub = Account::at_head_office;
        let one = Money::new(1, Currency::CNY);
        let transaction =
            Transaction::moving(Kind::Capture, Uuid::nil(), sub(Account::Bank), sub(Account::Takings), one)
                .expect("it balances");
        let make = |until| Transfer::try_new(LedgerTransferId::new(now), transaction.clone(), now, until);
        assert!(make(now).is_err());
        assert_eq!(make(now + Duration::from_secs(1)).expect("later").state, TransferState::Pending);
    }

    #[test]
    fn what_is_stored_reads_back() {
        let at = Timestamp::UNIX_EPOCH;
        for state in
            [TransferState::Pending, TransferState::Posted(at), TransferState::Voided(at), TransferState::Expired(at)]
        {
            assert_eq!(TransferState::from_stored(state.as_str(), state.decide_time()), Some(state));
        }
        assert_eq!(TransferState::from_stored("posted", None), None);
    }
}
