//! Adding to an order, and making it cheaper: its visit became longer, or was moved to a time with another price.

use kernel::{Error, ErrorKind, Money, Result, Timestamp, Uuid, ids};

use super::{Line, ORDER_CLOSED, Order, State, currency_mismatch};
use crate::domain::{
    Happened, Outcome, Payment, Refund,
    ledger::{Account, Kind},
    refund::LOWERED,
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
    /// How much more it costs; below zero if it costs less.
    pub amount: Money,
    /// The reductions that `amount` doesn't contain; never below zero.
    pub discount: Money,
}

impl Order {
    /// Adds a line. What was paid counts on. An order that was paid in full waits for its balance again, and its money is
    /// the customer's again until that has come. What was paid above a total that sinks goes back, and does not count as
    /// paid any more. Adding the same a second time changes nothing.
    ///
    /// # Errors
    /// `NOT_A_VISIT`; `ORDER_CLOSED`; `ORDER_REFUNDED` if something of it was given back; `AMENDMENT_EXISTS` if there is an amendment of that id with other content; `InvalidArgument` if less
    /// than the deposit would be left, `CURRENCY_MISMATCH` for another currency.
    pub fn amend(mut self, added: Amendment, now: Timestamp) -> Result<Outcome> {
        self.subject.must_be_visit()?;
        let Amendment { id, item, display_name, amount, discount } = added;
        let line = Line { item, display_name, amount, discount, amendment: Some(id) };
        if let Some(known) = self.lines.iter().find(|known| known.amendment == Some(id)) {
            if *known == line {
                return Ok(Outcome::unchanged(self));
            }
            let message = "the order has an amendment of this id with other content";
            return Err(Error::new(ErrorKind::AlreadyExists, "AMENDMENT_EXISTS", message).with("amendment", id));
        }
        if amount.currency() != self.currency() {
            return Err(currency_mismatch("line.amount", self.currency()));
        }
        if discount.currency() != self.currency() {
            return Err(currency_mismatch("line.discount", self.currency()));
        }
        if discount.is_negative() {
            return Err(Error::invalid("line.discount", "must not be below zero"));
        }
        if matches!(self.state, State::Closed { .. }) {
            return Err(Error::precondition(ORDER_CLOSED, "the order has ended; nothing can be added any more"));
        }
        if !self.returns.is_empty() {
            let message = "something of the order was given back; what is added needs an order of its own";
            return Err(Error::precondition("ORDER_REFUNDED", message));
        }
        self.total = self.total.try_add(amount)?;
        self.discount = self.discount.try_add(discount)?;
        if self.total.minor() < self.deposit.minor() {
            return Err(Error::invalid("line.amount", "must leave as much as the deposit"));
        }
        self.lines.push(line.clone());
        if amount.is_negative() {
            return self.cheaper(line, id, now);
        }
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

    /// Follows a total that has sunk: what was paid above it goes back, what was paid last first.
    fn cheaper(mut self, line: Line, amendment: Uuid, now: Timestamp) -> Result<Outcome> {
        let was_paid = self.state == State::Paid;
        let above = self.paid.try_sub(self.total)?;
        let mut left = if above.is_negative() { Money::zero(above.currency()) } else { above };
        self.paid = self.paid.try_sub(left)?;
        let owed_all = self.state == State::DepositPaid && self.paid == self.total;
        if owed_all {
            self.state = State::Paid;
        }
        let (recognition, total) = (self.recognition(), self.total);
        let mut counted: Vec<Payment> = self.counted().rev().cloned().collect();
        // What a session pays costs the customer nothing more or less: money goes back only for what money has paid.
        counted.sort_by_key(|payment| {
            payment.tender.item().map_or(1, |item| if item.name() == line.item { 0 } else { 2 })
        });
        let mut outcome = Outcome::unchanged(self);
        outcome.tell(Happened::Amended(line));
        let source = if was_paid { outcome.order.settled() } else { outcome.order.on(Account::CustomerDeposits) };
        for payment in &counted {
            let there = outcome.order.left_of(payment)?;
            let part = if left.minor() < there.minor() { left } else { there };
            if !part.is_zero() {
                let id = Refund::id_for_amendment(payment.id, amendment);
                outcome.decide_refund(id, payment, part, LOWERED, &source, now)?;
                left = left.try_sub(part)?;
            }
        }
        if owed_all {
            if !total.is_zero() {
                let (from, to) = (outcome.order.on(Account::CustomerDeposits), outcome.order.on(Account::Takings));
                outcome.book(Kind::Recognise, recognition, from, to, total)?;
            }
            outcome.tell(Happened::Paid);
        }
        Ok(outcome)
    }

    /// What the recognition of the order is booked under: once for the order as it was made, and once after each
    /// amendment.
    pub(super) fn recognition(&self) -> Uuid {
        let last = self.lines.iter().rev().find_map(|line| line.amendment);
        last.map_or(self.id.uuid(), |amendment| ids::derive(amendment, "recognise"))
    }
}
