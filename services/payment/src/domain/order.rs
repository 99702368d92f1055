//! The order: what a customer owes for one thing, with its payments and refunds.
//!
//! Transitions consume the order and give an [`Outcome`]: the order after, what to book, and what to tell. Repeating a
//! transition that has happened changes nothing and books nothing.

use kernel::{
    Currency, Error, ErrorKind, Money, Result, Timestamp,
    ids::{MemberId, OrderId, PaymentId, RefundId, StoreId},
};

use super::{
    Charge, Happened, Outcome, Payment, Purpose, Refund, Subject, Tender,
    ledger::{Account, Kind, Party, PartyKind, SubAccount},
    payment,
};

/// Why a payment goes back that was captured after the order had ended.
const ORDER_CLOSED: &str = "ORDER_CLOSED";
/// Why a payment goes back that was captured when it was no longer owed.
const SURPLUS: &str = "SURPLUS";

mod amend;
mod checkout;
mod giving_back;
mod line;
mod session;
mod sources;
mod tip;

pub use amend::Amendment;
pub use checkout::{MAX_TENDERS, NewCheckout, NewTender};
pub use giving_back::{GiveBack, Plan, Return, Share, TenderClass};
pub use line::Line;
pub use tip::{MAX_RECIPIENTS, tip_lines};

/// What a customer owes for one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// What it is for.
    pub subject: Subject,
    /// Who owes it.
    pub customer: MemberId,
    /// To which store.
    pub store: StoreId,
    /// What it is made of.
    pub lines: Vec<Line>,
    /// The sum of the lines.
    pub total: Money,
    /// The sum of their reductions, which is not in `total`.
    pub discount: Money,
    /// What must be paid first; a part of `total`.
    pub deposit: Money,
    /// What has been paid; at most `total`, since what is above it goes back.
    pub paid: Money,
    /// What has gone back of it, but for what the order became cheaper by; at most `paid`.
    pub refunded: Money,
    /// Where it is in its life.
    pub state: State,
    /// Every attempt to pay, the oldest first.
    pub payments: Vec<Payment>,
    /// Money going back, the oldest first.
    pub refunds: Vec<Refund>,
    /// What was given back though the order went on, the oldest first.
    pub returns: Vec<Return>,
    /// When it was made.
    pub create_time: Timestamp,
    /// That of its newest event, from 1.
    pub version: i64,
}

/// Where an order is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The deposit is due.
    Open,
    /// The deposit is paid, or there is none; the balance is due.
    DepositPaid,
    /// All is paid.
    Paid,
    /// Ended: nothing more can be paid.
    Closed {
        /// Why, in a word for programs.
        reason: String,
        /// When.
        time: Timestamp,
    },
}

/// What an order is made from.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// The id to give it.
    pub id: OrderId,
    /// What it is for.
    pub subject: Subject,
    /// Who owes it.
    pub customer: MemberId,
    /// To which store.
    pub store: StoreId,
    /// What it is made of; at least one.
    pub lines: Vec<Line>,
    /// A reduction of the whole, to be spread over the lines.
    pub discount: Money,
    /// What must be paid first.
    pub deposit: Money,
}

/// How much of what was paid stays with the store when an order ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// None of it: all goes back.
    Nothing,
    /// So much; all, if less was paid.
    UpTo(Money),
}

impl Order {
    /// Makes an order. Without a deposit it starts as if the deposit were paid; without anything to pay it is paid.
    ///
    /// # Errors
    /// `InvalidArgument` if lines, reductions or deposit are negative, of two currencies (`CURRENCY_MISMATCH`), or the
    /// reduction or the deposit exceeds what is left.
    pub fn create(new: NewOrder, now: Timestamp) -> Result<Outcome> {
        let currency = new.deposit.currency();
        if new.deposit.is_negative() {
            return Err(Error::invalid("deposit", "must not be below zero"));
        }
        line::check(&new.lines, currency)?;
        let lines = line::spread(&new.lines, new.discount, currency)?;
        let total = Money::try_sum(currency, lines.iter().map(|line| line.amount))?;
        let discount = Money::try_sum(currency, lines.iter().map(|line| line.discount))?;
        if new.deposit.minor() > total.minor() {
            return Err(Error::invalid("deposit", "must be at most the sum of the lines"));
        }
        let state = match (total.is_zero(), new.deposit.is_zero()) {
            (true, _) => State::Paid,
            (false, true) => State::DepositPaid,
            (false, false) => State::Open,
        };
        let order = Self {
            id: new.id,
            subject: new.subject,
            customer: new.customer,
            store: new.store,
            lines,
            total,
            discount,
            deposit: new.deposit,
            paid: Money::zero(currency),
            refunded: Money::zero(currency),
            state,
            payments: Vec::new(),
            refunds: Vec::new(),
            returns: Vec::new(),
            create_time: now,
            version: 0,
        };
        let mut outcome = Outcome::unchanged(order);
        outcome.tell(Happened::Created);
        Ok(outcome)
    }

    /// Whether the order was made from the same content.
    pub fn is_made_from(&self, new: &NewOrder) -> bool {
        let first = self.lines.iter().filter(|line| line.amendment.is_none());
        self.id == new.id
            && self.subject == new.subject
            && self.customer == new.customer
            && self.store == new.store
            && line::spread(&new.lines, new.discount, self.currency()).is_ok_and(|lines| first.eq(&lines))
            && self.deposit == new.deposit
    }

    /// The currency of everything in it.
    pub fn currency(&self) -> Currency {
        self.total.currency()
    }

    /// How much is due now for a purpose; above zero.
    ///
    /// # Errors
    /// `ORDER_CLOSED` or `NOTHING_DUE`.
    pub fn due(&self, purpose: Purpose) -> Result<Money> {
        match (&self.state, purpose) {
            (State::Closed { .. }, _) => {
                Err(Error::precondition(ORDER_CLOSED, "the order has ended; nothing can be paid any more"))
            }
            (State::Open, Purpose::Deposit) => Ok(self.deposit),
            (State::Open | State::DepositPaid, Purpose::Balance) => self.total.try_sub(self.paid),
            (State::DepositPaid, Purpose::Deposit) => {
                Err(Error::precondition("NOTHING_DUE", "there is no deposit to pay; pay the balance"))
            }
            (State::Paid, _) => Err(Error::precondition("NOTHING_DUE", "all of the order is paid")),
        }
    }

    /// Starts an attempt to pay what is due. `believed` is what the payer takes to be due, if they said so.
    ///
    /// # Errors
    /// `ORDER_CLOSED`, `NOTHING_DUE`, `PAYMENT_PENDING`, `CURRENCY_MISMATCH` or `AMOUNT_MISMATCH`.
    pub fn start_payment(
        mut self,
        id: PaymentId,
        purpose: Purpose,
        tender: Tender,
        believed: Option<Money>,
        now: Timestamp,
    ) -> Result<Self> {
        let due = self.due(purpose)?;
        self.must_be_idle()?;
        match believed {
            Some(believed) if believed.currency() != due.currency() => {
                return Err(currency_mismatch("amount", due.currency()));
            }
            Some(believed) if believed != due => {
                return Err(Error::precondition("AMOUNT_MISMATCH", format!("{due} is due, not {believed}"))
                    .with("due_minor", due.minor())
                    .with("currency", due.currency()));
            }
            _ => {}
        }
        self.payments.push(Payment {
            id,
            purpose,
            tender,
            amount: due,
            state: payment::State::Pending,
            charge: None,
            create_time: now,
            checkout: None,
            reference: String::new(),
        });
        Ok(self)
    }

    /// That no attempt is under way.
    fn must_be_idle(&self) -> Result<()> {
        let Some(other) = self.pending() else { return Ok(()) };
        let message = "another payment of this order is under way; wait for its outcome";
        Err(Error::precondition("PAYMENT_PENDING", message).with("payment", other.id))
    }

    /// The attempt that is under way.
    pub fn pending(&self) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.is_pending() || payment.is_reserved())
    }

    /// A payment of this order.
    pub fn payment(&self, id: PaymentId) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.id == id)
    }

    /// A refund of this order.
    pub fn refund(&self, id: RefundId) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.id == id)
    }

    /// Notes where the customer can pay. Nobody is told so of an attempt that was given up meanwhile.
    pub fn charge_made(mut self, id: PaymentId, charge: Charge) -> Result<Self> {
        let payment = self.payment_mut(id)?;
        if payment.is_pending() || payment.is_captured() {
            payment.charge = Some(charge);
        }
        Ok(self)
    }

    /// The money of a payment came.
    ///
    /// It counts as paid if it is still owed. On an order that has ended it goes back whole at once; and so does what
    /// came though it was not owed any more, which doesn't count as paid, and of which nobody is told.
    pub fn capture(mut self, id: PaymentId, now: Timestamp) -> Result<Outcome> {
        let payment = self.payment_mut(id)?.clone();
        if payment.is_captured() {
            return Ok(Outcome::unchanged(self));
        }
        if let Some(checkout) = payment.checkout {
            return self.capture_checkout(checkout, id, now);
        }
        let owed = self.is_owed(&payment)?;
        self.capture_alone(id, owed, now)
    }

    /// Captures a payment by itself, whether it is owed or not.
    fn capture_alone(mut self, id: PaymentId, owed: bool, now: Timestamp) -> Result<Outcome> {
        let payment = self.payment_mut(id)?.clone();
        let closed = matches!(self.state, State::Closed { .. });
        let surplus = !owed;
        self.payment_mut(id)?.state = payment::State::Captured { time: now, surplus };
        if !surplus {
            self.paid = self.paid.try_add(payment.amount)?;
        }
        let owed_all = !closed && !surplus && self.paid == self.total;
        if owed_all {
            self.state = State::Paid;
        } else if !closed && !surplus {
            self.state = State::DepositPaid;
        }
        let mut outcome = Outcome::unchanged(self);
        let deposits = outcome.order.on(Account::CustomerDeposits);
        if let Some(place) = outcome.order.place(payment.tender) {
            outcome.book(Kind::Capture, id, place, deposits.clone(), payment.amount)?;
        }
        if !surplus {
            outcome.tell(Happened::Captured(id));
        }
        if owed_all {
            outcome.postings.push(outcome.order.settlement()?);
            outcome.tell(Happened::Paid);
        }
        if closed || surplus {
            let reason = if closed { ORDER_CLOSED } else { SURPLUS };
            let id = Refund::id_for(payment.id);
            outcome.decide_refund(id, &payment, payment.amount, reason, &deposits, now)?;
        }
        Ok(outcome)
    }

    /// An attempt to pay came to nothing, and so does what belongs together with it. A payment that was captured stays so.
    pub fn fail(mut self, id: PaymentId, reason: &str) -> Result<Outcome> {
        let payment = self.payment_mut(id)?;
        if !payment.is_pending() {
            return Ok(Outcome::unchanged(self));
        }
        if let Some(checkout) = payment.checkout {
            let mut outcome = Outcome::unchanged(self);
            outcome.fail_together(checkout.id, reason, |_| true);
            return Ok(outcome);
        }
        payment.state = payment::State::Failed { reason: reason.to_owned() };
        let mut outcome = Outcome::unchanged(self);
        outcome.tell(Happened::PaymentFailed(id));
        Ok(outcome)
    }

    /// The refusal of an amount in another currency.
    pub fn in_other_currency(&self, field: &str) -> Error {
        currency_mismatch(field, self.currency())
    }

    /// Ends the order. What was paid goes back but for what is kept, what was paid last first; cash is handed back at
    /// once. A session goes back whole, even if less than it were kept. What is kept of an order that was not fully paid is
    /// forfeited. An order that has ended stays as it is.
    ///
    /// # Errors
    /// `InvalidArgument` if what shall be kept is negative, or of another currency (`CURRENCY_MISMATCH`); `TIP_PAID`.
    pub fn close(self, keep: Keep, reason: &str, now: Timestamp) -> Result<Outcome> {
        self.close_by(keep, reason, now, |_| true)
    }

    /// The same, where only those payments take something back of which `takes` says so. No more may go back than these can
    /// take.
    ///
    /// # Errors
    /// As [`close`](Self::close).
    pub fn close_by(
        mut self,
        keep: Keep,
        reason: &str,
        now: Timestamp,
        takes: impl Fn(&Payment) -> bool,
    ) -> Result<Outcome> {
        self.must_be_closable()?;
        let there = self.paid.try_sub(self.back()?)?;
        let kept = match keep {
            Keep::Nothing => Money::zero(self.currency()),
            Keep::UpTo(keep) if keep.is_negative() => {
                return Err(Error::invalid("keep_amount", "must not be below zero"));
            }
            Keep::UpTo(keep) if keep.currency() != self.currency() => {
                return Err(currency_mismatch("keep_amount", self.currency()));
            }
            Keep::UpTo(keep) if keep.minor() > there.minor() => there,
            Keep::UpTo(keep) => keep,
        };
        let source = match self.state {
            State::Closed { .. } => return Ok(Outcome::unchanged(self)),
            State::Paid => self.settled(),
            State::Open | State::DepositPaid => self.on(Account::CustomerDeposits),
        };
        let mut left = there.try_sub(kept)?;
        self.state = State::Closed { reason: reason.to_owned(), time: now };
        let order_id = self.id;
        let counted: Vec<Payment> = self.counted().rev().filter(|payment| takes(payment)).cloned().collect();
        let open = self.open_checkout();
        let mut outcome = Outcome::unchanged(self);
        if let Some(checkout) = open {
            // What the provider captures after all goes back whole, as of every order that has ended.
            outcome.fail_together(checkout.id, ORDER_CLOSED, Payment::is_reserved);
        }
        outcome.tell(Happened::Closed);
        for payment in &counted {
            let there = outcome.order.left_of(payment)?;
            // A session can't be split; in doubt it is the customer's.
            let part = if left.minor() < there.minor() && !payment.tender.is_session() { left } else { there };
            if !part.is_zero() && left.minor() > 0 {
                outcome.decide_refund(Refund::id_for(payment.id), payment, part, reason, &source, now)?;
                left = left.try_sub(part)?;
            }
        }
        let kept = if left.is_negative() { kept.try_add(left)? } else { kept };
        if !kept.is_zero() && source.account == Account::CustomerDeposits {
            let to = outcome.order.on(Account::ForfeitedDeposits);
            outcome.book(Kind::Forfeit, order_id, source, to, kept)?;
        }
        Ok(outcome)
    }

    /// A refund is back with the customer.
    pub fn refund_done(self, id: RefundId, now: Timestamp) -> Result<Outcome> {
        let mut outcome = Outcome::unchanged(self);
        outcome.finish_refund(id, now)?;
        Ok(outcome)
    }

    /// An account at the order's store, about its customer if the account is about customers.
    pub(super) fn on(&self, account: Account) -> SubAccount {
        let on = account.at(self.store);
        if account.party() == Some(PartyKind::Customer) { on.of(self.customer) } else { on }
    }

    /// Where the money of this order lies once all of it is paid.
    pub fn settled(&self) -> SubAccount {
        self.subject.account(self.store)
    }

    /// Where money paid in this way lies; `None` if it was there before, as what was paid ahead.
    pub(super) fn place(&self, tender: Tender) -> Option<SubAccount> {
        match (tender, tender.provider()) {
            (_, Some(provider)) => Some(Account::ProviderReceivable.at(self.store).of(Party::provider(provider))),
            (Tender::CardTerminal, None) => Some(Account::CardTerminal.at(self.store)),
            (_, None) if tender.is_internal() => None,
            (_, None) => Some(Account::CashDrawer.at(self.store)),
        }
    }

    /// The payments that came and counted, the oldest first.
    fn counted(&self) -> impl DoubleEndedIterator<Item = &Payment> {
        self.payments.iter().filter(|payment| payment.is_captured() && !payment.is_surplus())
    }

    /// What has not gone back of a payment, nor is on its way.
    fn left_of(&self, payment: &Payment) -> Result<Money> {
        let back = self.refunds.iter().filter(|refund| refund.payment == payment.id);
        back.into_iter().try_fold(payment.amount, |left, refund| left.try_sub(refund.amount))
    }

    /// Whether a payment that comes in now is one that the order waits for.
    fn is_owed(&self, payment: &Payment) -> Result<bool> {
        if matches!(self.state, State::Closed { .. }) {
            return Ok(self.paid.try_add(payment.amount)?.minor() <= self.total.minor());
        }
        let another_is_under_way = self.pending().is_some_and(|pending| pending.id != payment.id);
        // Less than what is due is what was due before something was added.
        Ok(!another_is_under_way && self.due(payment.purpose).is_ok_and(|due| payment.amount.minor() <= due.minor()))
    }

    fn payment_mut(&mut self, id: PaymentId) -> Result<&mut Payment> {
        let order = self.id;
        self.payments
            .iter_mut()
            .find(|payment| payment.id == id)
            .ok_or_else(|| Error::internal(format!("{id} is not a payment of {order}")))
    }
}

fn currency_mismatch(field: impl Into<String>, currency: Currency) -> Error {
    let description = format!("must be in {currency}");
    Error::new(ErrorKind::InvalidArgument, "CURRENCY_MISMATCH", format!("the order is in {currency}"))
        .with_violation(field, description)
}

#[cfg(test)]
mod tests;
