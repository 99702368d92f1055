//! What follows from a transition of an order: what to book and what to tell.

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{OrderReturnId, PaymentId, RefundId},
};

use super::{
    Line, Order, Payment, Refund, State,
    ledger::{Account, Kind, SubAccount, Transaction},
    refund,
};

/// The order after a transition, and what follows from it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The order after.
    pub order: Order,
    /// What to book.
    pub postings: Vec<Transaction>,
    /// What to tell, in order of version.
    pub events: Vec<Event>,
}

/// A fact for other services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The version that it made of the order.
    pub version: i64,
    /// The order after it.
    pub facts: Facts,
    /// What happened.
    pub happened: Happened,
}

/// The order as an event leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// What has been paid.
    pub paid: Money,
    /// What has gone back.
    pub refunded: Money,
    /// Where the order is in its life.
    pub state: State,
}

/// What can happen to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// It was made.
    Created,
    /// Money came in.
    Captured(PaymentId),
    /// An attempt to pay came to nothing.
    PaymentFailed(PaymentId),
    /// Something was added to it.
    Amended(Line),
    /// All of it is paid.
    Paid,
    /// It was ended.
    Closed,
    /// Something of it is given back though it goes on.
    Returned(OrderReturnId),
    /// Money is back with the customer.
    Refunded(RefundId),
}

impl Outcome {
    /// Nothing follows from it.
    pub fn unchanged(order: Order) -> Self {
        Self { order, postings: Vec::new(), events: Vec::new() }
    }

    /// Notes that something happened; the order's amounts and state must be those after it.
    pub(super) fn tell(&mut self, happened: Happened) {
        self.order.version += 1;
        let (order, version) = (&self.order, self.order.version);
        let facts = Facts { paid: order.paid, refunded: order.refunded, state: order.state.clone() };
        self.events.push(Event { version, facts, happened });
    }

    /// Books `amount` from one account to another, debiting the first.
    pub(super) fn book(
        &mut self,
        kind: Kind,
        source: impl Into<kernel::Uuid>,
        from: SubAccount,
        to: SubAccount,
        amount: Money,
    ) -> Result<()> {
        self.postings.push(Transaction::moving(kind, source, from, to, amount)?.of_order(self.order.id));
        Ok(())
    }

    /// Gives back `amount` of `payment`, taken from the account `source`; cash at once.
    pub(super) fn decide_refund(
        &mut self,
        id: RefundId,
        payment: &Payment,
        amount: Money,
        reason: &str,
        source: &SubAccount,
        now: Timestamp,
    ) -> Result<()> {
        self.order.refunds.push(Refund {
            id,
            payment: payment.id,
            amount,
            reason: reason.to_owned(),
            state: refund::State::Pending,
            create_time: now,
        });
        let to = self.order.on(Account::RefundsPayable);
        self.book(Kind::RefundDecided, id, source.clone(), to, amount)?;
        match payment.tender.provider() {
            None => self.finish_refund(id, now),
            Some(_) => Ok(()),
        }
    }

    pub(super) fn finish_refund(&mut self, id: RefundId, now: Timestamp) -> Result<()> {
        let order = self.order.id;
        let missing = |what| Error::internal(format!("{id} of {order} has no {what}"));
        let refund = self.order.refunds.iter_mut().find(|refund| refund.id == id).ok_or_else(|| missing("row"))?;
        if refund.is_done() {
            return Ok(());
        }
        refund.state = refund::State::Succeeded { time: now };
        let (amount, payment, counts) = (refund.amount, refund.payment, !refund.is_lowered());
        let payment = self.order.payment(payment).ok_or_else(|| missing("payment"))?;
        let (place, surplus) = (self.order.place(payment.tender), payment.is_surplus());
        // What goes back to where it was paid ahead is booked as that takes it in.
        if let Some(place) = place {
            self.book(Kind::RefundDone, id, self.order.on(Account::RefundsPayable), place, amount)?;
        }
        if !surplus {
            if counts {
                self.order.refunded = self.order.refunded.try_add(amount)?;
            }
            self.tell(Happened::Refunded(id));
        }
        Ok(())
    }
}
