//! Paying by several tenders that come to pass together, or not at all.

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{CheckoutId, PaymentId},
};

use super::{Order, SURPLUS, State, currency_mismatch, payment};
use crate::domain::{
    Checkout, CheckoutState, Happened, Outcome, Payment, Purpose, Tender,
    ledger::{Account, Kind},
};

/// The most tenders that a checkout can have.
pub const MAX_TENDERS: usize = 10;

/// Several tenders by which a part of an order shall be paid together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCheckout {
    /// The id to give it.
    pub id: CheckoutId,
    /// Which part it pays.
    pub purpose: Purpose,
    /// The tenders.
    pub tenders: Vec<NewTender>,
    /// When it comes to nothing by itself.
    pub expire_time: Timestamp,
}

/// One of the tenders of a checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTender {
    /// The id to give its payment.
    pub id: PaymentId,
    /// The way to pay.
    pub tender: Tender,
    /// How much.
    pub amount: Money,
    /// The number of the slip of a card terminal; empty for every other tender.
    pub reference: String,
}

impl Order {
    /// Starts to pay what is due by several tenders together. If none of them is taken at a provider, all are captured at
    /// once; else what the others pay is set aside until the provider's outcome is known.
    ///
    /// # Errors
    /// `ORDER_CLOSED`, `NOTHING_DUE`, `PAYMENT_PENDING`; `AMOUNT_MISMATCH` if the tenders don't add up to what is due;
    /// `SEVERAL_PROVIDERS`; `SESSION_PAYS_WHOLE` or `LINE_PAID` for a session; `NOT_A_VISIT` if something paid ahead shall be paid by what was paid ahead; `InvalidArgument` or
    /// `CURRENCY_MISMATCH` for a tender that can't be.
    pub fn start_checkout(mut self, new: NewCheckout, now: Timestamp) -> Result<Outcome> {
        let due = self.due(new.purpose)?;
        self.must_be_idle()?;
        self.check_tenders(&new.tenders, due)?;
        let checkout = Checkout { id: new.id, expire_time: new.expire_time };
        let external = new.tenders.iter().any(|tender| tender.tender.provider().is_some());
        for NewTender { id, tender, amount, reference } in new.tenders {
            let state = if tender.provider().is_some() { payment::State::Pending } else { payment::State::Reserved };
            self.payments.push(Payment {
                id,
                purpose: new.purpose,
                tender,
                amount,
                state,
                charge: None,
                create_time: now,
                checkout: Some(checkout),
                reference,
            });
        }
        if external { Ok(Outcome::unchanged(self)) } else { self.capture_together(new.id, now) }
    }

    fn check_tenders(&self, tenders: &[NewTender], due: Money) -> Result<()> {
        if tenders.is_empty() || tenders.len() > MAX_TENDERS {
            return Err(Error::invalid("tenders", format!("must be 1 to {MAX_TENDERS}")));
        }
        if tenders.iter().filter(|tender| tender.tender.provider().is_some()).count() > 1 {
            let message = "only one of the tenders can be taken at a payment provider";
            return Err(Error::precondition("SEVERAL_PROVIDERS", message));
        }
        for (i, tender) in tenders.iter().enumerate() {
            if tender.amount.currency() != self.currency() {
                return Err(currency_mismatch(format!("tenders[{i}].amount"), self.currency()));
            }
            if tender.amount.minor() <= 0 {
                return Err(Error::invalid(format!("tenders[{i}].amount"), "must be above zero"));
            }
            if tenders.iter().take(i).any(|other| other.tender == tender.tender) {
                return Err(Error::invalid(format!("tenders[{i}].tender"), "is there already; take it once"));
            }
            if tender.tender.is_internal() {
                self.subject.must_be_visit()?;
            }
            if let Some(item) = tender.tender.item() {
                self.must_pay_line(&format!("tenders[{i}].item"), item, tender.amount, due)?;
            }
        }
        let sum = Money::try_sum(self.currency(), tenders.iter().map(|tender| tender.amount))?;
        if sum != due {
            return Err(Error::precondition("AMOUNT_MISMATCH", format!("{due} is due, not {sum}"))
                .with("due_minor", due.minor())
                .with("currency", due.currency()));
        }
        Ok(())
    }

    /// The payments of a checkout, as they were given.
    pub fn together(&self, id: CheckoutId) -> impl Iterator<Item = &Payment> {
        self.payments.iter().filter(move |payment| payment.checkout.is_some_and(|checkout| checkout.id == id))
    }

    /// Where a checkout is in its life; `None` if the order has none of that id.
    pub fn checkout_state(&self, id: CheckoutId) -> Option<CheckoutState> {
        let mut payments = self.together(id).peekable();
        payments.peek()?;
        let (mut captured, mut failed) = (true, false);
        for payment in payments {
            captured &= payment.is_captured() && !payment.is_surplus();
            failed |= payment.is_failed() || payment.is_surplus();
        }
        Some(match (captured, failed) {
            (true, _) => CheckoutState::Captured,
            (false, true) => CheckoutState::Voided,
            (false, false) => CheckoutState::Open,
        })
    }

    /// The checkout that is under way.
    pub fn open_checkout(&self) -> Option<Checkout> {
        let under_way = self.payments.iter().filter(|payment| payment.is_pending() || payment.is_reserved());
        under_way
            .filter_map(|payment| payment.checkout)
            .find(|checkout| self.checkout_state(checkout.id) == Some(CheckoutState::Open))
    }

    /// Calls a checkout off: what was set aside is free again. One that has come to nothing already stays so.
    ///
    /// # Errors
    /// `NotFound`; `CHECKOUT_CAPTURED` if it has come to pass.
    pub fn void_checkout(self, id: CheckoutId, reason: &str) -> Result<Outcome> {
        match self.checkout_state(id) {
            None => Err(Error::not_found(id)),
            Some(CheckoutState::Captured) => {
                Err(Error::precondition("CHECKOUT_CAPTURED", "all of it is paid; ask for a refund")
                    .with("checkout", id))
            }
            Some(CheckoutState::Voided) => Ok(Outcome::unchanged(self)),
            Some(CheckoutState::Open) => {
                let mut outcome = Outcome::unchanged(self);
                outcome.fail_together(id, reason, |_| true);
                Ok(outcome)
            }
        }
    }

    /// The money of the payment at the provider came. If the checkout is still open and the whole still owed, all the others
    /// are captured with it; else they are free again, and what came goes back.
    pub(super) fn capture_checkout(self, checkout: Checkout, external: PaymentId, now: Timestamp) -> Result<Outcome> {
        if self.checkout_state(checkout.id) != Some(CheckoutState::Open) {
            // The others are free already, so what comes now can't be kept.
            return self.capture_alone(external, false, now);
        }
        let purpose = self.together(checkout.id).next().map(|payment| payment.purpose);
        let sum = Money::try_sum(self.currency(), self.together(checkout.id).map(|payment| payment.amount))?;
        let due = purpose.and_then(|purpose| self.due(purpose).ok());
        // Less than what is due is what was due before something was added.
        let owed = due.is_some_and(|due| sum.minor() <= due.minor());
        if owed {
            return self.capture_together(checkout.id, now);
        }
        let mut voided = Outcome::unchanged(self);
        voided.fail_together(checkout.id, SURPLUS, |payment| payment.id != external);
        let Outcome { order, events, .. } = voided;
        let mut outcome = order.capture_alone(external, false, now)?;
        outcome.events.splice(0..0, events);
        Ok(outcome)
    }

    /// All payments of a checkout come to pass.
    fn capture_together(mut self, id: CheckoutId, now: Timestamp) -> Result<Outcome> {
        let payments: Vec<Payment> = self.together(id).cloned().collect();
        let sum = Money::try_sum(self.currency(), payments.iter().map(|payment| payment.amount))?;
        let owed_all = self.paid.try_add(sum)? == self.total;
        self.state = if owed_all { State::Paid } else { State::DepositPaid };
        let mut outcome = Outcome::unchanged(self);
        let deposits = outcome.order.on(Account::CustomerDeposits);
        for payment in &payments {
            outcome.order.payment_mut(payment.id)?.state = payment::State::Captured { time: now, surplus: false };
            outcome.order.paid = outcome.order.paid.try_add(payment.amount)?;
            // What an internal tender moves is booked as what it had set aside is decided.
            if let Some(place) = outcome.order.place(payment.tender) {
                outcome.book(Kind::Capture, payment.id, place, deposits.clone(), payment.amount)?;
            }
            outcome.tell(Happened::Captured(payment.id));
        }
        if owed_all {
            outcome.postings.push(outcome.order.settlement()?);
            outcome.tell(Happened::Paid);
        }
        Ok(outcome)
    }
}

impl Outcome {
    /// Those payments of a checkout come to nothing that are undecided and `chosen`.
    pub(super) fn fail_together(&mut self, id: CheckoutId, reason: &str, chosen: impl Fn(&Payment) -> bool) {
        let undecided = |payment: &&Payment| payment.is_pending() || payment.is_reserved();
        let ids: Vec<PaymentId> =
            self.order.together(id).filter(undecided).filter(|payment| chosen(payment)).map(|one| one.id).collect();
        for payment in self.order.payments.iter_mut().filter(|payment| ids.contains(&payment.id)) {
            payment.state = payment::State::Failed { reason: reason.to_owned() };
        }
        for id in ids {
            self.tell(Happened::PaymentFailed(id));
        }
    }
}

#[cfg(test)]
mod tests;
