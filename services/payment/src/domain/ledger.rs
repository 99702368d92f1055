//! The double-entry ledger.
//!
//! A transaction moves an amount between accounts; its debits equal its credits. Nothing is ever changed or removed: a
//! mistake is mended by a further transaction. A balance is the sum of an account's entries, debits above zero, so all
//! balances of one currency add up to 0.
//!
//! # Chart of accounts
//!
//! | account | kind | its balance is |
//! |---|---|---|
//! | `provider_receivable` | asset | what the provider has captured for us and not yet given back to customers |
//! | `cash_drawer` | asset | cash taken at the desks, less cash handed back |
//! | `customer_deposits` | liability | money of customers whose visit is not fully paid (and money that came too late) |
//! | `refunds_payable` | liability | refunds decided and not yet done |
//! | `takings` | revenue | orders that were paid in full, less what was given back of them |
//! | `forfeited_deposits` | revenue | what was kept of orders that ended before they were fully paid |
//!
//! # What is booked when
//!
//! | kind | when | debit | credit |
//! |---|---|---|---|
//! | `capture` | money came | `provider_receivable` or `cash_drawer` | `customer_deposits` |
//! | `recognise` | all of an order is paid (again, after something was added) | `customer_deposits` | `takings` |
//! | `reopen` | something was added to an order that was paid in full | `takings` | `customer_deposits` |
//! | `refund_decided` | an order is closed, or money came too late | `customer_deposits`, or `takings` once recognised | `refunds_payable` |
//! | `forfeit` | an order is closed and not all goes back | `customer_deposits` | `forfeited_deposits` |
//! | `refund_done` | money is back | `refunds_payable` | `provider_receivable` or `cash_drawer` |

use kernel::{Error, Money, Result, Uuid};

use super::Tender;

/// An account of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// What the provider has captured for us.
    ProviderReceivable,
    /// Cash at the desks.
    CashDrawer,
    /// Money of customers whose visit is not fully paid.
    CustomerDeposits,
    /// Refunds decided and not yet done.
    RefundsPayable,
    /// Orders that were paid in full.
    Takings,
    /// What was kept of orders that ended before they were fully paid.
    ForfeitedDeposits,
}

impl Account {
    /// The code that is stored and shown.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ProviderReceivable => "provider_receivable",
            Self::CashDrawer => "cash_drawer",
            Self::CustomerDeposits => "customer_deposits",
            Self::RefundsPayable => "refunds_payable",
            Self::Takings => "takings",
            Self::ForfeitedDeposits => "forfeited_deposits",
        }
    }

    /// Where money paid in this way lies.
    pub const fn of_tender(tender: Tender) -> Self {
        match tender {
            Tender::Sandbox => Self::ProviderReceivable,
            Tender::Cash => Self::CashDrawer,
        }
    }
}

/// Why something is booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Money came.
    Capture,
    /// All of an order is paid.
    Recognise,
    /// Something was added to an order that was paid in full.
    Reopen,
    /// Money shall go back.
    RefundDecided,
    /// Money is kept although the visit doesn't take place.
    Forfeit,
    /// Money is back.
    RefundDone,
}

impl Kind {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Recognise => "recognise",
            Self::Reopen => "reopen",
            Self::RefundDecided => "refund_decided",
            Self::Forfeit => "forfeit",
            Self::RefundDone => "refund_done",
        }
    }
}

/// One side of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Which account.
    pub account: Account,
    /// A debit is above zero, a credit below.
    pub amount: Money,
}

/// A balanced set of entries in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    kind: Kind,
    source: Uuid,
    entries: Vec<Entry>,
}

impl Transaction {
    /// A transaction of `kind` about `source` (a payment, refund or order), which has at most one of that kind.
    ///
    /// # Errors
    /// Internal, if there are fewer than two entries, one is zero, they are of two currencies or don't add up to zero.
    pub fn try_new(kind: Kind, source: impl Into<Uuid>, entries: Vec<Entry>) -> Result<Self> {
        let unfit = |what: &str| Error::internal(format!("ledger transaction of kind {}: {what}", kind.as_str()));
        let [first, _, ..] = entries.as_slice() else {
            return Err(unfit("has fewer than two entries"));
        };
        if entries.iter().any(|entry| entry.amount.is_zero()) {
            return Err(unfit("has an entry of zero"));
        }
        let sum = Money::try_sum(first.amount.currency(), entries.iter().map(|entry| entry.amount));
        if !sum.is_ok_and(Money::is_zero) {
            return Err(unfit("does not balance"));
        }
        Ok(Self { kind, source: source.into(), entries })
    }

    /// Moves `amount`, above zero: debits one account and credits the other.
    pub fn transfer(
        kind: Kind,
        source: impl Into<Uuid>,
        debit: Account,
        credit: Account,
        amount: Money,
    ) -> Result<Self> {
        if amount.is_negative() {
            return Err(Error::internal(format!("ledger transaction of kind {}: moves less than zero", kind.as_str())));
        }
        let credited = Money::zero(amount.currency()).try_sub(amount)?;
        let entries = vec![Entry { account: debit, amount }, Entry { account: credit, amount: credited }];
        Self::try_new(kind, source, entries)
    }

    /// Why it is booked.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What it is about.
    pub fn source(&self) -> Uuid {
        self.source
    }

    /// Its sides; two at least.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use kernel::Currency;

    use super::*;

    fn entry(account: Account, minor: i64, currency: Currency) -> Entry {
        Entry { account, amount: Money::new(minor, currency) }
    }

    #[test]
    fn only_balanced_transactions_exist() {
        let cny = Currency::CNY;
        let jpy = Currency::parse("currency", "JPY").expect("known");
        let make = |entries| Transaction::try_new(Kind::Capture, Uuid::nil(), entries).is_ok();
        let debit = entry(Account::CashDrawer, 100, cny);
        assert!(make(vec![debit, entry(Account::CustomerDeposits, -100, cny)]));
        assert!(make(vec![debit, entry(Account::Takings, -60, cny), entry(Account::CustomerDeposits, -40, cny)]));
        assert!(!make(vec![]));
        assert!(!make(vec![debit]));
        assert!(!make(vec![debit, entry(Account::CustomerDeposits, -99, cny)]));
        assert!(!make(vec![debit, entry(Account::CustomerDeposits, -100, jpy)]));
        assert!(!make(vec![entry(Account::CashDrawer, 0, cny), entry(Account::CustomerDeposits, 0, cny)]));
    }

    #[test]
    fn a_transfer_never_runs_backwards() {
        let transfer = |minor| {
            let amount = Money::new(minor, Currency::CNY);
            Transaction::transfer(Kind::Forfeit, Uuid::nil(), Account::CustomerDeposits, Account::Takings, amount)
        };
        assert!(transfer(1).is_ok());
        assert!(transfer(0).is_err());
        assert!(transfer(-1).is_err());
    }
}
