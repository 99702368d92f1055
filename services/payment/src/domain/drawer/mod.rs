//! Cash drawers: sessions of tills.
//!
//! What should be in an open drawer is what was counted at its opening and what came and went since. What should be there at
//! an opening is what the till's last drawer has left, and what is *loose*: taken at the store, or handed back, while no
//! drawer was open. So the cash of a store, in the ledger, is what its tills hold and what is loose, always.
//!
//! What a count does not explain is booked at once: at the opening of a till's first drawer as change brought from the bank,
//! else as over or short. So a drawer holds, for the ledger, what was counted in it, at its opening and at its closing.
//!
//! | movement | ledger kind | where it comes from, or goes to |
//! |---|---|---|
//! | float | `cash_in` | bank |
//! | opening difference, difference | `cash_difference` | `cash_over_short` |
//! | sale, refund | `capture`, `refund_done` | the order's accounts |
//! | paid in, paid out | `cash_in`, `cash_out` | bank or `suspense` |
//! | banked | `cash_out` | bank |
//!
//! What a card terminal took while a drawer was open is noted beside, and is no part of what should be in it.

mod movement;

pub use movement::{Counterpart, Movement, MovementKind};

use kernel::{
    Currency, Error, ErrorKind, Money, Result, Timestamp,
    ids::{self, DrawerId, StoreId},
};

use super::ledger::{Account, Kind};

/// Why counted and expected differ if nobody says so.
pub const UNEXPLAINED: &str = "UNEXPLAINED";

/// One session of a till.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawer {
    /// Its id.
    pub id: DrawerId,
    /// Where it is.
    pub store: StoreId,
    /// Which drawer of the store.
    pub till: String,
    /// Counts the sessions of the till, from 1.
    pub number: i32,
    /// Who opened it, a resource name.
    pub opened_by: String,
    /// When.
    pub open_time: Timestamp,
    /// What the till's last drawer had left in it.
    pub carried_in: Money,
    /// What was taken at the store, less what was handed back, while no drawer was open.
    pub loose_in: Money,
    /// What was counted at the opening.
    pub float: Money,
    /// Where it is in its life.
    pub state: State,
}

/// Where a drawer is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Cash goes into it.
    Open,
    /// It was counted for the last time.
    Closed(Closing),
}

/// The end of a drawer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// Who closed it, a resource name.
    pub by: String,
    /// When.
    pub time: Timestamp,
    /// What should have been in it.
    pub expected: Money,
    /// What was.
    pub counted: Money,
    /// What of that stays in the till.
    pub carried: Money,
    /// Why they differ, in a word for programs; empty if they don't.
    pub reason: String,
}

/// What a drawer is opened with.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The id to give it.
    pub id: DrawerId,
    /// Where it is.
    pub store: StoreId,
    /// Which drawer of the store.
    pub till: String,
    /// Who opens it.
    pub by: String,
    /// What was counted in it.
    pub counted: Money,
    /// The number of the till's last drawer, and what that has left in it; `None` if this is its first one.
    pub last: Option<(i32, Money)>,
    /// What was taken at the store, less what was handed back, while no drawer was open.
    pub loose: Money,
}

/// What a drawer is closed with.
#[derive(Debug, Clone)]
pub struct Count {
    /// What came and went in it since its opening.
    pub moved: Money,
    /// What was counted in it.
    pub counted: Money,
    /// What stays in the till; all of it if `None`.
    pub carried: Option<Money>,
    /// Why it differs from what should be in it, if it does.
    pub reason: String,
    /// Who closes it.
    pub by: String,
}

impl Drawer {
    /// Opens a drawer; also what that books.
    ///
    /// # Errors
    /// `InvalidArgument` for an amount below zero, or a till without a name.
    pub fn open(opening: Opening, now: Timestamp) -> Result<(Self, Vec<Movement>)> {
        let Opening { id, store, till, by, counted, last, loose } = opening;
        let till = till.trim().to_owned();
        if till.is_empty() {
            return Err(Error::invalid("till", "must be named"));
        }
        not_below_zero("opening_float", counted)?;
        let (last_number, carried_in) = last.unwrap_or((0, Money::zero(counted.currency())));
        let drawer = Self {
            id,
            store,
            till,
            number: last_number.saturating_add(1),
            opened_by: by,
            open_time: now,
            carried_in,
            loose_in: loose,
            float: counted,
            state: State::Open,
        };
        let (brought, difference) = drawer.opening()?;
        let movements = [
            drawer.own(MovementKind::Float, Kind::CashIn, brought, "opening"),
            drawer.own(MovementKind::OpeningDifference, Kind::CashDifference, difference, "opening"),
        ];
        Ok((drawer, movements.into_iter().flatten().collect()))
    }

    /// By how much what was counted at the opening differs from what should have been there; change that was brought for the
    /// first drawer of a till should.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`.
    pub fn opening_difference(&self) -> Result<Money> {
        Ok(self.opening()?.1)
    }

    /// What was brought for the opening, and what is over or short.
    fn opening(&self) -> Result<(Money, Money)> {
        let unknown = self.float.try_sub(self.carried_in)?.try_sub(self.loose_in)?;
        let nothing = Money::zero(self.currency());
        Ok(if self.number == 1 && unknown.minor() > 0 { (unknown, nothing) } else { (nothing, unknown) })
    }

    /// What should be in it after `moved` came and went.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`.
    pub fn expected(&self, moved: Money) -> Result<Money> {
        self.float.try_add(moved)
    }

    /// Closes it; also what that books.
    ///
    /// # Errors
    /// `DRAWER_CLOSED`; `InvalidArgument` for an amount below zero or more carried than counted, `CURRENCY_MISMATCH` for
    /// another currency.
    pub fn close(mut self, count: Count, now: Timestamp) -> Result<(Self, Vec<Movement>)> {
        self.must_be_open()?;
        let Count { moved, counted, carried, reason, by } = count;
        self.check("counted", counted)?;
        let carried = carried.unwrap_or(counted);
        self.check("carried", carried)?;
        if carried.minor() > counted.minor() {
            return Err(Error::invalid("carried", "must be at most what was counted"));
        }
        let expected = self.expected(moved)?;
        let difference = counted.try_sub(expected)?;
        let reason = match reason.trim() {
            _ if difference.is_zero() => String::new(),
            "" => UNEXPLAINED.to_owned(),
            word => word.to_owned(),
        };
        let banked = carried.try_sub(counted)?;
        let movements = [
            self.own(MovementKind::Difference, Kind::CashDifference, difference, &reason),
            self.own(MovementKind::Banked, Kind::CashOut, banked, "closing"),
        ];
        self.state = State::Closed(Closing { by, time: now, expected, counted, carried, reason });
        Ok((self, movements.into_iter().flatten().collect()))
    }

    /// That cash can go into it.
    ///
    /// # Errors
    /// `DRAWER_CLOSED`.
    pub fn must_be_open(&self) -> Result<()> {
        match self.state {
            State::Open => Ok(()),
            State::Closed(_) => {
                Err(Error::precondition("DRAWER_CLOSED", "the drawer is closed; open another one")
                    .with("drawer", self.id))
            }
        }
    }

    /// That an amount can be one of this drawer's.
    ///
    /// # Errors
    /// `InvalidArgument` below zero, `CURRENCY_MISMATCH` in another currency.
    pub fn check(&self, field: &'static str, amount: Money) -> Result<()> {
        if amount.currency() != self.currency() {
            let currency = self.currency();
            let message = format!("the drawer is in {currency}");
            return Err(Error::new(ErrorKind::InvalidArgument, "CURRENCY_MISMATCH", message)
                .with_violation(field, format!("must be in {currency}")));
        }
        not_below_zero(field, amount)
    }

    /// The currency of what is in it.
    pub fn currency(&self) -> Currency {
        self.float.currency()
    }

    /// A movement that a drawer has once at most; `None` if it is about nothing.
    fn own(&self, kind: MovementKind, ledger_kind: Kind, amount: Money, reason: &str) -> Option<Movement> {
        let source = ids::derive(self.id.uuid(), kind.as_str());
        let (account, reason) = (Account::CashDrawer, reason.to_owned());
        (!amount.is_zero()).then_some(Movement { kind, account, ledger_kind, source, amount, reason })
    }
}

fn not_below_zero(field: &'static str, amount: Money) -> Result<()> {
    if amount.is_negative() { Err(Error::invalid(field, "must not be below zero")) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
