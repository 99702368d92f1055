//! What comes into a drawer and goes out of it.

use kernel::{Money, Result, Uuid, ids::StoreId};

use crate::domain::ledger::{Account, Kind, SubAccount, Transaction};

/// Why something comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MovementKind {
    /// Change, brought for the first drawer of a till.
    Float,
    /// What was counted at the opening is not what should have been there.
    OpeningDifference,
    /// Taken for an order.
    Sale,
    /// Handed back for an order.
    Refund,
    /// Put in for another reason.
    PaidIn,
    /// Taken out for another reason.
    PaidOut,
    /// What was counted at the closing is not what should have been there.
    Difference,
    /// Goes to the bank at the closing.
    Banked,
}

impl MovementKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Float,
        Self::OpeningDifference,
        Self::Sale,
        Self::Refund,
        Self::PaidIn,
        Self::PaidOut,
        Self::Difference,
        Self::Banked,
    ];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::OpeningDifference => "opening_difference",
            Self::Sale => "sale",
            Self::Refund => "refund",
            Self::PaidIn => "paid_in",
            Self::PaidOut => "paid_out",
            Self::Difference => "difference",
            Self::Banked => "banked",
        }
    }

    /// Reads the stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether it is part of what should be in the drawer beyond its opening float: what counts explain is not.
    pub const fn is_expected(self) -> bool {
        matches!(self, Self::Sale | Self::Refund | Self::PaidIn | Self::PaidOut)
    }
}

/// Something that comes into a drawer or goes out of it: one transaction of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Why.
    pub kind: MovementKind,
    /// What it lies on: cash, or what the card terminal took.
    pub account: Account,
    /// The kind of the ledger's transaction.
    pub ledger_kind: Kind,
    /// The source of the ledger's transaction.
    pub source: Uuid,
    /// Above zero if it comes, below if it goes.
    pub amount: Money,
    /// Why, in a word for programs.
    pub reason: String,
}

/// Where cash comes from or goes to that is paid in or out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counterpart {
    /// The bank.
    Bank,
    /// Anything else, until finance has the slip.
    Other,
}

impl Counterpart {
    /// The account on which it lies.
    pub const fn account(self) -> Account {
        match self {
            Self::Bank => Account::Bank,
            Self::Other => Account::Suspense,
        }
    }
}

impl Movement {
    /// Cash that is put in or taken out. `amount` is above zero if it comes.
    pub fn paid(source: Uuid, amount: Money, reason: &str) -> Self {
        let (kind, ledger_kind) = if amount.is_negative() {
            (MovementKind::PaidOut, Kind::CashOut)
        } else {
            (MovementKind::PaidIn, Kind::CashIn)
        };
        Self { kind, account: Account::CashDrawer, ledger_kind, source, amount, reason: reason.to_owned() }
    }

    /// What of an order's posting went through the drawer; `None` if nothing did.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`.
    pub fn of_posting(posting: &Transaction, account: Account, store: StoreId) -> Result<Option<Self>> {
        let on = account.at(store);
        let mut sum: Option<Money> = None;
        for entry in posting.entries().iter().filter(|entry| entry.on == on) {
            sum = Some(sum.map_or(Ok(entry.amount), |sum| sum.try_add(entry.amount))?);
        }
        Ok(sum.filter(|sum| !sum.is_zero()).map(|amount| Self {
            kind: if amount.is_negative() { MovementKind::Refund } else { MovementKind::Sale },
            account,
            ledger_kind: posting.kind(),
            source: posting.source(),
            amount,
            reason: String::new(),
        }))
    }

    /// The same as something that is paid out, and not refunded.
    #[must_use]
    pub fn as_paid(self, reason: &str) -> Self {
        Self { kind: MovementKind::PaidOut, reason: reason.to_owned(), ..self }
    }

    /// What it books at a store, from or to `counterpart`.
    ///
    /// # Errors
    /// Internal, if it is about nothing.
    pub fn booking(&self, store: StoreId, counterpart: Account) -> Result<Transaction> {
        let (cash, other): (SubAccount, SubAccount) = (self.account.at(store), counterpart.at(store));
        if self.amount.is_negative() {
            let amount = Money::zero(self.amount.currency()).try_sub(self.amount)?;
            Transaction::moving(self.ledger_kind, self.source, other, cash, amount)
        } else {
            Transaction::moving(self.ledger_kind, self.source, cash, other, self.amount)
        }
    }

    /// What a movement of opening or closing is booked against.
    pub const fn counterpart(&self) -> Account {
        match self.ledger_kind {
            Kind::CashDifference => Account::CashOverShort,
            _ => Account::Bank,
        }
    }
}
