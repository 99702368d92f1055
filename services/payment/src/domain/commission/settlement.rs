//! What a store owes its therapists and partners for a period, to be paid out.
//!
//! ```text
//! DRAFT ──▶ CONFIRMED ──▶ PAID
//! ```
//!
//! A draft takes all that was earned at its store in its period, can be paid out by then, and is in no list. What is in a draft
//! can still be taken back; from its confirmation on its amounts stay, and what is taken back of it goes off the next list of
//! the store, whatever that one's period. So a payee may get less than nothing by a list: that is what he pays back, or what
//! is withheld from his wages. Paying a list books what each gets, once.

use jiff::civil::Date;
use kernel::{
    Currency, Error, Money, Result, Timestamp,
    ids::{CommissionSettlementId, StoreId},
};

use super::Payee;
use crate::domain::{
    etag,
    ledger::{Account, Entry, Kind, SubAccount, Transaction},
};

/// A settlement list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Its id.
    pub id: CommissionSettlementId,
    /// Of which store.
    pub store: StoreId,
    /// Of what is in this currency.
    pub currency: Currency,
    /// The first day of the store on which its visits were completed.
    pub start_date: Date,
    /// The last day.
    pub end_date: Date,
    /// Where it is in its life.
    pub state: State,
    /// When it was drafted.
    pub create_time: Timestamp,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// Where a list is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// What is in it can still be taken back.
    Draft,
    /// Its amounts stay.
    Confirmed {
        /// Since when.
        time: Timestamp,
    },
    /// Everybody has got his.
    Paid {
        /// When it was confirmed.
        confirm_time: Timestamp,
        /// Since when.
        time: Timestamp,
    },
}

/// What somebody gets by a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Who.
    pub payee: Payee,
    /// By how many parts of visits.
    pub accruals: i64,
    /// What he has earned.
    pub earned: Money,
    /// What of it was taken back.
    pub reversed: Money,
    /// What is taken back of earlier lists.
    pub clawed_back: Money,
}

impl Line {
    /// What he gets; below zero if he owes it.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`, which no sound line has.
    pub fn amount(&self) -> Result<Money> {
        self.earned.try_sub(self.reversed)?.try_sub(self.clawed_back)
    }
}

impl Settlement {
    /// Changes with every change.
    pub fn etag(&self) -> String {
        etag::etag(self.version)
    }

    /// Fixes the amounts.
    ///
    /// # Errors
    /// `ETAG_MISMATCH` if an etag is given and not that of the list as it is; `WRONG_STATE` unless it is a draft.
    pub fn confirm(self, given: &str, now: Timestamp) -> Result<Self> {
        etag::check("etag", given, self.version)?;
        match self.state {
            State::Draft => Ok(Self { state: State::Confirmed { time: now }, version: self.version + 1, ..self }),
            State::Confirmed { .. } | State::Paid { .. } => Err(wrong("the list was confirmed before")),
        }
    }

    /// Everybody gets his, or gives back what he owes: the list after, and what to book, which is nothing if that is nothing for
    /// everybody.
    ///
    /// # Errors
    /// `ETAG_MISMATCH`; `WRONG_STATE` unless it is confirmed and not paid.
    pub fn pay(self, given: &str, lines: &[Line], now: Timestamp) -> Result<(Self, Option<Transaction>)> {
        etag::check("etag", given, self.version)?;
        let confirm_time = match self.state {
            State::Confirmed { time } => time,
            State::Draft => return Err(wrong("the list is a draft; confirm it first")),
            State::Paid { .. } => return Err(wrong("the list was paid before")),
        };
        let posting = self.posting(lines)?;
        let state = State::Paid { confirm_time, time: now };
        Ok((Self { state, version: self.version + 1, ..self }, posting))
    }

    /// What is in a list altogether.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`.
    pub fn total(&self, lines: &[Line]) -> Result<Money> {
        let amounts = lines.iter().map(Line::amount).collect::<Result<Vec<_>>>()?;
        Money::try_sum(self.currency, amounts)
    }

    fn posting(&self, lines: &[Line]) -> Result<Option<Transaction>> {
        let mut entries = Vec::with_capacity(lines.len() + 1);
        for line in lines {
            entries.extend(side(line.payee.account().at(self.store).of(line.payee.party()), line.amount()?)?);
        }
        let total = self.total(lines)?;
        entries.extend(side(Account::Bank.at(self.store), Money::zero(self.currency).try_sub(total)?)?);
        if entries.is_empty() {
            return Ok(None);
        }
        Transaction::try_new(Kind::CommissionPaid, self.id, entries).map(Some)
    }
}

/// A debit of what is above zero, a credit of what is below.
fn side(on: SubAccount, amount: Money) -> Result<Option<Entry>> {
    let zero = Money::zero(amount.currency());
    match amount.minor() {
        0 => Ok(None),
        1.. => Entry::debit(on, amount).map(Some),
        _ => Entry::credit(on, zero.try_sub(amount)?).map(Some),
    }
}

fn wrong(message: &'static str) -> Error {
    Error::precondition("WRONG_STATE", message)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use kernel::{Uuid, ids::TherapistId};

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn draft() -> Settlement {
        Settlement {
            id: CommissionSettlementId::from_uuid(Uuid::from_u128(1)),
            store: StoreId::from_uuid(Uuid::from_u128(2)),
            currency: Currency::CNY,
            start_date: date(2027, 3, 1),
            end_date: date(2027, 3, 31),
            state: State::Draft,
            create_time: NOW,
            version: 1,
        }
    }

    fn line(payee: Payee, earned: i64, reversed: i64) -> Line {
        let money = |minor| Money::new(minor, Currency::CNY);
        Line { payee, accruals: 1, earned: money(earned), reversed: money(reversed), clawed_back: money(0) }
    }

    fn lin() -> Payee {
        Payee::Therapist(TherapistId::from_uuid(Uuid::from_u128(7)))
    }

    #[test]
    fn a_list_is_confirmed_and_paid_once_each_in_that_order() {
        let reason = |error: Error| error.reason();
        let lines = [line(lin(), 100, 40), line(Payee::Partner("meituan".to_owned()), 30, 30)];
        assert_eq!(draft().pay("", &lines, NOW).map_err(reason).err(), Some("WRONG_STATE"));
        assert_eq!(draft().confirm("2", NOW).map_err(reason).err(), Some("ETAG_MISMATCH"));
        let confirmed = draft().confirm("1", NOW).expect("confirmed");
        assert_eq!(confirmed.clone().confirm("", NOW).map_err(reason).err(), Some("WRONG_STATE"));
        assert_eq!(confirmed.clone().pay("1", &lines, NOW).map_err(reason).err(), Some("ETAG_MISMATCH"));
        let (paid, posting) = confirmed.pay("2", &lines, NOW).expect("paid");
        assert_eq!((paid.etag().as_str(), paid.total(&lines).expect("in range").minor()), ("3", 60));
        let posting = posting.expect("something to book");
        assert_eq!(posting.entries().len(), 2, "nothing for whom nothing is left");
        assert_eq!(paid.clone().pay("", &lines, NOW).map_err(reason).err(), Some("WRONG_STATE"));
        assert_eq!(paid.confirm("", NOW).map_err(reason).err(), Some("WRONG_STATE"));
    }

    #[test]
    fn who_owes_more_than_he_gets_gives_it_back() {
        let owes = |earned, clawed_back| Line {
            clawed_back: Money::new(clawed_back, Currency::CNY),
            ..line(lin(), earned, 0)
        };
        let meituan = |earned| line(Payee::Partner("meituan".to_owned()), earned, 0);
        let booked = |lines: &[Line]| {
            let (_, posting) = draft().confirm("", NOW).expect("confirmed").pay("", lines, NOW).expect("paid");
            let entries = posting.map(|posting| posting.entries().to_vec()).unwrap_or_default();
            entries.into_iter().map(|entry| (entry.on.account.code(), entry.amount.minor())).collect::<Vec<_>>()
        };
        let (payable, bank) = ("commission_payable", "bank");
        assert_eq!(booked(&[owes(100, 130)]), [(payable, -30), (bank, 30)]);
        assert_eq!(booked(&[owes(100, 130), meituan(50)]), [(payable, -30), ("partner_payable", 50), (bank, -20)]);
        assert_eq!(booked(&[owes(100, 130), meituan(30)]), [(payable, -30), ("partner_payable", 30)]);
        assert_eq!(booked(&[owes(100, 100)]), []);
    }

    #[test]
    fn a_list_of_nothing_books_nothing() {
        let confirmed = draft().confirm("", NOW).expect("confirmed");
        let (_, posting) = confirmed.pay("", &[line(lin(), 100, 100)], NOW).expect("paid");
        assert_eq!(posting, None);
    }
}
