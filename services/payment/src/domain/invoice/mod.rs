//! Invoices (fapiao): what stands for money that was paid, and stops standing for it when the money goes back.
//!
//! ```text
//! REQUESTED ──▶ ISSUED ──▶ REVERSING ──▶ REVERSED        REQUESTED ──▶ REFUSED
//!     └─────────────────────▲ (it is issued first)   REQUESTED ──▶ REVERSED (nobody was asked yet)
//! ```

mod buyer;
mod tax;
mod tax_id;

pub use buyer::Buyer;
pub use tax::Taxation;
pub use tax_id::TaxId;

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{InvoiceId, MemberId, OrderId, StoreId},
};

use super::{Order, payment};

/// An invoice, without its buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// Its id, by which the provider knows it too.
    pub id: InvoiceId,
    /// The order whose payments it stands for.
    pub order: OrderId,
    /// Who has paid.
    pub customer: MemberId,
    /// The store that was paid.
    pub store: StoreId,
    /// How much, tax included.
    pub amount: Money,
    /// The tax in it.
    pub tax: Money,
    /// How it is taxed.
    pub taxation: Taxation,
    /// The provider's own id of the payment, if it is one of the provider that issues.
    pub transaction: Option<String>,
    /// Where it is in its life.
    pub state: State,
    /// When it was asked for.
    pub create_time: Timestamp,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// Where an invoice is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is being issued.
    Requested,
    /// It holds.
    Issued {
        /// What was issued.
        issue: Issue,
    },
    /// It is being red-lettered; if it isn't issued yet, it is first.
    Reversing {
        /// What was issued.
        issue: Option<Issue>,
        /// Why.
        reason: ReverseReason,
    },
    /// It was red-lettered, or taken back before anybody was asked for it.
    Reversed {
        /// What was issued, and the number of the red-letter invoice.
        issue: Option<(Issue, String)>,
        /// Why.
        reason: ReverseReason,
        /// When.
        time: Timestamp,
    },
    /// It was never issued.
    Refused {
        /// Why, in the provider's word.
        reason: String,
    },
}

/// What the provider has issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its number (发票号码).
    pub number: String,
    /// When.
    pub time: Timestamp,
}

/// Why an invoice is red-lettered, in the words of the tax authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReverseReason {
    /// It was made out wrongly (开票有误).
    IssueError,
    /// What was sold came back (销货退回).
    SalesReturn,
    /// The service was broken off (服务中止).
    ServiceSuspended,
    /// The price was lowered afterwards (销售折让).
    SalesDiscount,
}

impl ReverseReason {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::IssueError, Self::SalesReturn, Self::ServiceSuspended, Self::SalesDiscount];

    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IssueError => "issue_error",
            Self::SalesReturn => "sales_return",
            Self::ServiceSuspended => "service_suspended",
            Self::SalesDiscount => "sales_discount",
        }
    }

    /// Reads a stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// How much of what was paid for an order can be invoiced: the money that came less what goes or went back. What a card or
/// a contract has paid was invoiced when that was sold.
///
/// # Errors
/// `Internal` if the sums are too large.
pub fn invoiceable(order: &Order) -> Result<Money> {
    let came = |of: &&payment::Payment| matches!(of.state, payment::State::Captured { .. }) && !of.tender.is_internal();
    let captured = order.payments.iter().filter(came);
    let is_of_money = |id| order.payment(id).is_some_and(|of| !of.tender.is_internal());
    let back = order.refunds.iter().filter(|of| is_of_money(of.payment));
    let captured = Money::try_sum(order.currency(), captured.map(|of| of.amount))?;
    captured.try_sub(Money::try_sum(order.currency(), back.map(|of| of.amount))?)
}

impl Invoice {
    /// Asks for an invoice of a part of `left`, what can still be invoiced of the order.
    ///
    /// # Errors
    /// `NOTHING_TO_INVOICE` if nothing is left, or not so much; `InvalidArgument` for an amount that can't be.
    pub fn request(
        id: InvoiceId,
        order: &Order,
        (left, wanted): (Money, Option<Money>),
        taxation: Taxation,
        now: Timestamp,
    ) -> Result<Self> {
        let amount = wanted.unwrap_or(left);
        if amount.currency() != left.currency() {
            return Err(Error::invalid("amount", format!("must be in {}", left.currency())));
        }
        if wanted.is_some_and(|wanted| wanted.minor() <= 0) {
            return Err(Error::invalid("amount", "must be above zero"));
        }
        if amount.minor() <= 0 || amount.minor() > left.minor() {
            return Err(Error::precondition("NOTHING_TO_INVOICE", "there is not so much left to be invoiced")
                .with("left_minor", left.minor().max(0).to_string()));
        }
        Ok(Self {
            id,
            order: order.id,
            customer: order.customer,
            store: order.store,
            amount,
            tax: taxation.tax_in(amount)?,
            taxation,
            transaction: None,
            state: State::Requested,
            create_time: now,
            version: 1,
        })
    }

    /// Whether it counts against what was paid.
    pub fn stands(&self) -> bool {
        matches!(self.state, State::Requested | State::Issued { .. })
    }

    /// Whether there is something to be done for it at the provider.
    pub fn is_under_way(&self) -> bool {
        matches!(self.state, State::Requested | State::Reversing { .. })
    }

    /// What was issued, if anything was.
    pub fn issue(&self) -> Option<&Issue> {
        match &self.state {
            State::Issued { issue }
            | State::Reversing { issue: Some(issue), .. }
            | State::Reversed { issue: Some((issue, _)), .. } => Some(issue),
            _ => None,
        }
    }

    /// The provider has issued it. What is known changes nothing.
    #[must_use]
    pub fn issued(self, issue: Issue) -> Self {
        match self.state {
            State::Requested => self.into(State::Issued { issue }),
            State::Reversing { issue: None, reason } => self.into(State::Reversing { issue: Some(issue), reason }),
            _ => self,
        }
    }

    /// The provider won't issue it.
    #[must_use]
    pub fn refused(self, reason: String) -> Self {
        match self.state {
            State::Requested | State::Reversing { issue: None, .. } => self.into(State::Refused { reason }),
            _ => self,
        }
    }

    /// It shall stand for nothing any more. `asked`: whether the provider was perhaps asked for it already. The same again
    /// changes nothing.
    ///
    /// # Errors
    /// `INVOICE_ENDED` if it was refused, or is reversed for another reason.
    pub fn reverse(self, reason: ReverseReason, asked: bool, now: Timestamp) -> Result<Self> {
        match self.state.clone() {
            State::Requested if !asked => Ok(self.into(State::Reversed { issue: None, reason, time: now })),
            State::Requested => Ok(self.into(State::Reversing { issue: None, reason })),
            State::Issued { issue } => Ok(self.into(State::Reversing { issue: Some(issue), reason })),
            State::Reversing { reason: known, .. } | State::Reversed { reason: known, .. } if known == reason => {
                Ok(self)
            }
            State::Reversing { .. } | State::Reversed { .. } | State::Refused { .. } => {
                Err(Error::precondition("INVOICE_ENDED", "the invoice stands for nothing any more; ask for a new one"))
            }
        }
    }

    /// The provider has red-lettered what it had issued.
    #[must_use]
    pub fn reversed(self, red_number: String, now: Timestamp) -> Self {
        match self.state.clone() {
            State::Reversing { issue: Some(issue), reason } => {
                self.into(State::Reversed { issue: Some((issue, red_number)), reason, time: now })
            }
            _ => self,
        }
    }

    fn into(self, state: State) -> Self {
        Self { state, version: self.version + 1, ..self }
    }
}

#[cfg(test)]
mod tests;
