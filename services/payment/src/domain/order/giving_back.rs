//! Giving back what was paid for an order that goes on: all of it, an amount, or lines.

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{OrderReturnId, PaymentId, RefundId},
};

use super::{Order, State, currency_mismatch, session::session_pays_whole};
use crate::domain::{Happened, Outcome, Payment, Refund, Tender, refund::LOWERED};

/// Something that was given back of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    /// Its id.
    pub id: OrderReturnId,
    /// How much.
    pub amount: Money,
    /// What of which line, by its place from 0; empty if it is not about lines.
    pub lines: Vec<(usize, Money)>,
    /// Why, in a word for programs.
    pub reason: String,
    /// When it was decided.
    pub create_time: Timestamp,
}

/// What shall be given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GiveBack {
    /// All that is left.
    All,
    /// An amount, above zero.
    Amount(Money),
    /// Lines by their places from 0, each with an amount, or all that is left of it.
    Lines(Vec<(usize, Option<Money>)>),
}

/// What of a refund goes back by one payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Which payment.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
}

/// What a refund comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How much goes back.
    pub amount: Money,
    /// What of which line, if it is about lines.
    pub lines: Vec<(usize, Money)>,
    /// By which payments, in the order in which they are taken.
    pub shares: Vec<Share>,
}

/// A kind of tender, in the order of refunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenderClass {
    /// A payment provider.
    Provider,
    /// A card terminal.
    CardTerminal,
    /// Cash.
    Cash,
    /// A stored-value card.
    StoredValue,
    /// A prepaid contract.
    PrepaidSession,
    /// Points.
    PointsVoucher,
    /// A cash coupon.
    Coupon,
}

impl TenderClass {
    /// All of them, in the order in which they give back if nothing else is said: points before money, so that nobody turns
    /// them into money; and coupons after it, since a coupon comes back whole or not at all.
    pub const ALL: [Self; 7] = [
        Self::PointsVoucher,
        Self::Provider,
        Self::CardTerminal,
        Self::Cash,
        Self::StoredValue,
        Self::PrepaidSession,
        Self::Coupon,
    ];

    /// That of a tender.
    pub const fn of(tender: Tender) -> Self {
        match tender {
            Tender::Cash => Self::Cash,
            Tender::CardTerminal => Self::CardTerminal,
            Tender::StoredValue(_) => Self::StoredValue,
            Tender::PrepaidSession { .. } => Self::PrepaidSession,
            Tender::PointsVoucher => Self::PointsVoucher,
            Tender::Coupon(_) => Self::Coupon,
            _ => Self::Provider,
        }
    }

    /// The word in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::CardTerminal => "card_terminal",
            Self::Cash => "cash",
            Self::StoredValue => "stored_value",
            Self::PrepaidSession => "prepaid_session",
            Self::PointsVoucher => "points_voucher",
            Self::Coupon => "coupon",
        }
    }

    /// Reads a word of the settings.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }
}

impl Order {
    /// What can still be given back: what counts as paid and has not gone back, nor is on its way.
    ///
    /// # Errors
    /// Internal, if more went back than came.
    pub fn refundable(&self) -> Result<Money> {
        self.counted().try_fold(Money::zero(self.currency()), |sum, payment| sum.try_add(self.left_of(payment)?))
    }

    /// What has gone back, or is on its way, of what counts as paid.
    pub(super) fn back(&self) -> Result<Money> {
        let counts = |refund: &&Refund| {
            let payment = self.payment(refund.payment);
            !refund.is_lowered() && payment.is_some_and(|payment| !payment.is_surplus())
        };
        Money::try_sum(self.currency(), self.refunds.iter().filter(counts).map(|refund| refund.amount))
    }

    /// What a refund would come to. Tenders give back in the order of `classes`, within a class what was paid last first.
    ///
    /// # Errors
    /// `NOT_PAID` if the order is not paid in full, or has ended; `NOTHING_REFUNDABLE`; `REFUND_EXCEEDS_CAPTURED` or
    /// `REFUND_EXCEEDS_LINE` if it is more than is left; `TIP_BY_LINE`; `InvalidArgument` or `CURRENCY_MISMATCH` for what can't be asked for.
    pub fn plan_refund(&self, wanted: &GiveBack, classes: &[TenderClass]) -> Result<Plan> {
        if self.state != State::Paid {
            let message = "only an order that is paid in full, and has not ended, gives back a part";
            return Err(Error::precondition("NOT_PAID", message));
        }
        let refundable = self.refundable()?;
        if refundable.is_zero() {
            return Err(Error::precondition("NOTHING_REFUNDABLE", "all that was paid has gone back already"));
        }
        let (amount, lines) = match wanted {
            GiveBack::All => (refundable, Vec::new()),
            GiveBack::Amount(amount) => (self.above_zero("amount", *amount)?, Vec::new()),
            GiveBack::Lines(lines) => {
                let lines = self.plan_lines(lines)?;
                (Money::try_sum(self.currency(), lines.iter().map(|(_, amount)| *amount))?, lines)
            }
        };
        if amount.minor() > refundable.minor() {
            let message = format!("{refundable} can be given back, not {amount}");
            return Err(Error::precondition("REFUND_EXCEEDS_CAPTURED", message)
                .with("refundable_minor", refundable.minor())
                .with("currency", refundable.currency()));
        }
        self.given_back_from(&lines)?;
        let shares = self.split(amount, &lines, classes)?;
        Ok(Plan { amount, lines, shares })
    }

    fn plan_lines(&self, wanted: &[(usize, Option<Money>)]) -> Result<Vec<(usize, Money)>> {
        if wanted.is_empty() {
            return Err(Error::invalid("lines", "must name at least one"));
        }
        let mut planned: Vec<(usize, Money)> = Vec::new();
        for (i, (position, amount)) in wanted.iter().enumerate() {
            let Some(line) = self.lines.get(*position) else {
                return Err(Error::invalid(format!("lines[{i}].line"), "the order has no such line"));
            };
            if planned.iter().any(|(known, _)| known == position) {
                return Err(Error::invalid(format!("lines[{i}].line"), "is there already; name it once"));
            }
            let returned = self.returns.iter().flat_map(|of| &of.lines).filter(|(known, _)| known == position);
            let left = returned.into_iter().try_fold(line.amount, |left, (_, amount)| left.try_sub(*amount))?;
            let amount = match amount {
                None => left,
                Some(amount) => self.above_zero(&format!("lines[{i}].amount"), *amount)?,
            };
            if amount.minor() <= 0 || amount.minor() > left.minor() {
                let message = format!("{left} of this line can be given back");
                return Err(Error::precondition("REFUND_EXCEEDS_LINE", message).with("line", position));
            }
            planned.push((*position, amount));
        }
        Ok(planned)
    }

    fn above_zero(&self, field: &str, amount: Money) -> Result<Money> {
        if amount.currency() != self.currency() {
            return Err(currency_mismatch(field, self.currency()));
        }
        if amount.minor() <= 0 {
            return Err(Error::invalid(field, "must be above zero"));
        }
        Ok(amount)
    }

    /// Takes `amount` from the payments, class by class; what a session has paid of `lines` from that first, or money would
    /// go back for it.
    fn split(&self, amount: Money, lines: &[(usize, Money)], classes: &[TenderClass]) -> Result<Vec<Share>> {
        let rank = |payment: &&Payment| {
            let class = TenderClass::of(payment.tender);
            let class = classes.iter().position(|known| *known == class).unwrap_or(classes.len());
            (!self.is_by_session(payment, lines), class)
        };
        let mut payments: Vec<&Payment> = self.counted().rev().collect();
        payments.sort_by_key(rank);
        let (mut left, mut shares) = (amount, Vec::new());
        for payment in payments {
            let there = self.left_of(payment)?;
            let part = if left.minor() < there.minor() { left } else { there };
            if payment.tender.is_session() && !part.is_zero() && part != there {
                return Err(session_pays_whole(there));
            }
            if !part.is_zero() {
                shares.push(Share { payment: payment.id, amount: part });
                left = left.try_sub(part)?;
            }
        }
        Ok(shares)
    }

    /// Gives back as planned; what is taken at the desk or spent from what was paid ahead at once. Repeating it with the same
    /// id changes nothing.
    ///
    /// # Errors
    /// As [`plan_refund`](Self::plan_refund).
    pub fn give_back(
        mut self,
        id: OrderReturnId,
        wanted: &GiveBack,
        classes: &[TenderClass],
        reason: &str,
        now: Timestamp,
    ) -> Result<Outcome> {
        if self.returns.iter().any(|known| known.id == id) {
            return Ok(Outcome::unchanged(self));
        }
        if reason == LOWERED {
            return Err(Error::invalid("reason", "is for orders that become cheaper"));
        }
        let Plan { amount, lines, shares } = self.plan_refund(wanted, classes)?;
        let source = self.given_back_from(&lines)?;
        self.returns.push(Return { id, amount, lines, reason: reason.to_owned(), create_time: now });
        let mut outcome = Outcome::unchanged(self);
        outcome.tell(Happened::Returned(id));
        for share in shares {
            let payment = outcome.order.payment_mut(share.payment)?.clone();
            let refund = Refund::id_for_return(share.payment, id);
            outcome.decide_refund(refund, &payment, share.amount, reason, &source, now)?;
        }
        Ok(outcome)
    }

    /// The refunds by which something goes back.
    pub fn refunds_of(&self, id: OrderReturnId) -> impl Iterator<Item = &Refund> {
        let ids: Vec<RefundId> = self.payments.iter().map(|of| Refund::id_for_return(of.id, id)).collect();
        self.refunds.iter().filter(move |refund| ids.contains(&refund.id))
    }
}

#[cfg(test)]
mod tests;
