//! Adding to an order: the visit became longer, or something was added to it.

use kernel::{Error, ErrorKind, Money, Result, Uuid, ids};

use super::{Line, ORDER_CLOSED, Order, State, currency_mismatch};
use crate::domain::{
    Happened, Outcome,
    ledger::{Account, Kind},
};

/// What is added to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amendment {
    /// Its id; an order has each one once.
    pub id: Uuid,
    /// What it is for, such as `items/<uuid>`.
    pub item: String,
    /// What the customer reads.
    pub display_name: String,
    /// How much more it costs; not below zero.
    pub amount: Money,
}

impl Order {
    /// Adds a line. What was paid counts on. An order that was paid in full waits for its balance again, and its money is
    /// the customer's again until that has come. Adding the same a second time changes nothing.
    ///
    /// # Errors
    /// `ORDER_CLOSED`; `AMENDMENT_EXISTS` if there is an amendment of that id with other content; `InvalidArgument` for
    /// less than zero, `CURRENCY_MISMATCH` for another currency.
    pub fn amend(mut self, added: Amendment) -> Result<Outcome> {
        let Amendment { id, item, display_name, amount } = added;
        let line = Line { item, display_name, amount, amendment: Some(id) };
        if let Some(known) = self.lines.iter().find(|known| known.amendment == Some(id)) {
            if *known == line {
                return Ok(Outcome::unchanged(self));
            }
            let message = "the order has an amendment of this id with other content";
            return Err(Error::new(ErrorKind::AlreadyExists, "AMENDMENT_EXISTS", message).with("amendment", id));
        }
        if amount.is_negative() {
            return Err(Error::invalid("line.amount", "must not be below zero"));
        }
        if amount.currency() != self.currency() {
            return Err(currency_mismatch("line.amount", self.currency()));
        }
        if matches!(self.state, State::Closed { .. }) {
            return Err(Error::precondition(ORDER_CLOSED, "the order has ended; nothing can be added any more"));
        }
        self.total = self.total.try_add(amount)?;
        self.lines.push(line.clone());
        let (paid, reopens) = (self.paid, self.state == State::Paid && !amount.is_zero());
        if reopens {
            self.state = State::DepositPaid;
        }
        let mut outcome = Outcome::unchanged(self);
        if reopens && !paid.is_zero() {
            let (from, to) = (outcome.order.on(Account::Takings), outcome.order.on(Account::CustomerDeposits));
            outcome.book(Kind::Reopen, id, from, to, paid)?;
        }
        outcome.tell(Happened::Amended(line));
        Ok(outcome)
    }

    /// What the recognition of the order is booked under: once for the order as it was made, and once after each
    /// amendment.
    pub(super) fn recognition(&self) -> Uuid {
        let last = self.lines.iter().rev().find_map(|line| line.amendment);
        last.map_or(self.id.uuid(), |amendment| ids::derive(amendment, "recognise"))
    }
}
