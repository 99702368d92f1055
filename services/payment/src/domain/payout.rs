//! Money that goes back by hand: what the end of a card or contract gives that can't, or must not, go back to where it was
//! paid from, and what is above all that was paid.
//!
//! It is owed in `refunds_payable` to whose it is, until staff hand it over in cash or have sent it by bank.

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{MemberId, OrderId, PayoutId, StoreId},
};

use super::ledger::{Account, Kind, SubAccount, Transaction};

/// Money that somebody has to get by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payout {
    /// Its id.
    pub id: PayoutId,
    /// What it is about.
    pub order: OrderId,
    /// Which store owes it.
    pub store: StoreId,
    /// Who gets it.
    pub payee: MemberId,
    /// How much; above zero.
    pub amount: Money,
    /// Of it, what was paid for the order and goes back.
    pub of_price: Money,
    /// Why, in a word for programs.
    pub reason: String,
    /// Where it is in its life.
    pub state: State,
    /// When it was decided.
    pub create_time: Timestamp,
}

/// Where a payout is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is owed.
    Due,
    /// Who has to get it has it.
    Paid {
        /// How.
        method: Method,
        /// Who has paid it.
        actor: String,
        /// When.
        time: Timestamp,
    },
}

/// How a payout is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// In cash, at the desk.
    Cash,
    /// By a transfer to an account of who gets it.
    BankTransfer {
        /// The bank's number of it.
        reference: String,
    },
}

impl Method {
    /// The word that is stored.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::BankTransfer { .. } => "bank_transfer",
        }
    }

    /// The bank's number; empty for cash.
    pub fn reference(&self) -> &str {
        match self {
            Self::Cash => "",
            Self::BankTransfer { reference } => reference,
        }
    }

    /// Reads what is stored; `None` if no code of ours can have stored it.
    pub fn from_stored(word: &str, reference: String) -> Option<Self> {
        match word {
            "cash" if reference.is_empty() => Some(Self::Cash),
            "bank_transfer" if !reference.is_empty() => Some(Self::BankTransfer { reference }),
            _ => None,
        }
    }
}

impl Payout {
    /// Where it is owed.
    fn owed(&self) -> SubAccount {
        Account::RefundsPayable.at(self.store).of(self.payee)
    }

    /// Takes it from where it was owed until now.
    ///
    /// # Errors
    /// Internal, unless it is above zero.
    pub fn decided(&self, from: SubAccount) -> Result<Transaction> {
        Ok(Transaction::moving(Kind::PayoutDecided, self.id, from, self.owed(), self.amount)?.of_order(self.order))
    }

    /// It is paid; what is booked of that.
    ///
    /// # Errors
    /// `PAYOUT_PAID`, if it was before.
    pub fn pay(&mut self, method: Method, actor: &str, now: Timestamp) -> Result<Transaction> {
        if let State::Paid { time, .. } = self.state {
            let message = "it was paid already";
            return Err(Error::precondition("PAYOUT_PAID", message).with("payout", self.id).with("pay_time", time));
        }
        let account = match method {
            Method::Cash => Account::CashDrawer,
            Method::BankTransfer { .. } => Account::Bank,
        };
        self.state = State::Paid { method, actor: actor.to_owned(), time: now };
        let from = self.owed();
        let done = Transaction::moving(Kind::PayoutDone, self.id, from, account.at(self.store), self.amount)?;
        Ok(done.of_order(self.order))
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Currency, Uuid};

    use super::*;

    #[test]
    fn a_payout_is_made_once() {
        let id = Uuid::from_u128;
        let mut payout = Payout {
            id: PayoutId::from_uuid(id(1)),
            order: OrderId::from_uuid(id(2)),
            store: StoreId::from_uuid(id(3)),
            payee: MemberId::from_uuid(id(4)),
            amount: Money::new(5, Currency::CNY),
            of_price: Money::new(4, Currency::CNY),
            reason: "CARD_REFUNDED".to_owned(),
            state: State::Due,
            create_time: Timestamp::UNIX_EPOCH,
        };
        let how = Method::BankTransfer { reference: "7".to_owned() };
        let booked = payout.pay(how.clone(), "staff/x", Timestamp::UNIX_EPOCH).expect("paid");
        assert_eq!(booked.entries()[1].on.account, Account::Bank);
        let again = payout.pay(Method::Cash, "staff/x", Timestamp::UNIX_EPOCH);
        assert_eq!(again.map_err(|error| error.reason()), Err("PAYOUT_PAID"));
        for method in [Method::Cash, how] {
            assert_eq!(Method::from_stored(method.as_str(), method.reference().to_owned()), Some(method));
        }
        assert_eq!(Method::from_stored("cash", "7".to_owned()), None);
    }
}
