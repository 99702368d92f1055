//! Rules.

use std::{ops::RangeInclusive, time::Duration};

use kernel::{
    Currency, Error, Money, Result, Timestamp,
    ids::{RiskRuleId, StoreId},
};

use super::{Operation, OperationKind, Subject};

/// The longest that rules look back.
pub const MAX_WINDOW: Duration = Duration::from_secs(31 * 86_400);

/// What becomes of an operation that breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is let through, whatever other rules say.
    Allow,
    /// Somebody has to look at it.
    Review,
    /// It doesn't happen.
    Refuse,
}

impl Decision {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Review => "review",
            Self::Refuse => "refuse",
        }
    }

    /// Reads the stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Allow, Self::Review, Self::Refuse].into_iter().find(|decision| decision.as_str() == word)
    }
}

/// What is looked out for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// More than so many, or more money, in any span of time of that length.
    Velocity {
        /// By whom it is counted.
        subject: Subject,
        /// How far back.
        window: Duration,
        /// The most that pass.
        max_count: Option<u32>,
        /// The most that they may come to together.
        max_amount: Option<Money>,
    },
    /// One of more than so much.
    AmountAbove(Money),
    /// More than so many just below a limit.
    JustBelow {
        /// By whom it is counted.
        subject: Subject,
        /// How far back.
        window: Duration,
        /// The limit, which itself is not below it.
        limit: Money,
        /// How far below it counts.
        margin: Money,
        /// The most that pass.
        max_count: u32,
    },
    /// A refund to a customer who has begun a top-up not long before.
    AfterTopUp {
        /// How long.
        window: Duration,
    },
}

/// What operations are looked out for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub id: RiskRuleId,
    /// For people.
    pub display_name: String,
    /// What is looked at.
    pub operation: OperationKind,
    /// Only at this store.
    pub store: Option<StoreId>,
    /// What is looked out for.
    pub pattern: Pattern,
    /// What becomes of it.
    pub decision: Decision,
    /// It is looked at.
    pub enabled: bool,
    /// From when on.
    pub start_time: Timestamp,
    /// Until when.
    pub end_time: Option<Timestamp>,
    /// When it was made.
    pub create_time: Timestamp,
    /// Counts its changes, from 1.
    pub version: i64,
}

/// What has to be counted to know whether a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// By whom.
    pub subject: Subject,
    /// By which one of them.
    pub key: String,
    /// What is counted.
    pub counted: OperationKind,
    /// How far back.
    pub window: Duration,
    /// Only of this currency.
    pub currency: Option<Currency>,
    /// Only of such amounts.
    pub amounts: RangeInclusive<i64>,
}

/// What was counted before an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many.
    pub count: i64,
    /// What they come to together, in minor units.
    pub sum_minor: i64,
}

impl Pattern {
    /// By whom it counts what, if it counts anything.
    pub const fn counts(&self, operation: OperationKind) -> Option<(Subject, OperationKind)> {
        match self {
            Self::Velocity { subject, .. } | Self::JustBelow { subject, .. } => Some((*subject, operation)),
            Self::AmountAbove(_) => None,
            Self::AfterTopUp { .. } => Some((Subject::Member, OperationKind::TopUp)),
        }
    }

    /// The currency of its amounts, if it has any.
    fn currency(&self) -> Option<Currency> {
        match self {
            Self::Velocity { max_amount, .. } => max_amount.map(|amount| amount.currency()),
            Self::AmountAbove(amount) => Some(amount.currency()),
            Self::JustBelow { limit, .. } => Some(limit.currency()),
            Self::AfterTopUp { .. } => None,
        }
    }

    /// The amounts that it looks at.
    fn amounts(&self) -> RangeInclusive<i64> {
        match self {
            Self::JustBelow { limit, margin, .. } => limit.minor() - margin.minor()..=limit.minor() - 1,
            Self::AmountAbove(most) => most.minor().saturating_add(1)..=i64::MAX,
            Self::Velocity { .. } | Self::AfterTopUp { .. } => 0..=i64::MAX,
        }
    }
}

impl Rule {
    /// Checks what the types don't say.
    ///
    /// # Errors
    /// `InvalidArgument` naming the field.
    pub fn validate(&self) -> Result<()> {
        let wrong = |field: &str, what: &str| Err(Error::invalid(format!("rule.{field}"), what));
        let bad_window = |window: Duration| window < Duration::from_secs(1) || window > MAX_WINDOW;
        if self.end_time.is_some_and(|end| end <= self.start_time) {
            return wrong("end_time", "must be after start_time");
        }
        match &self.pattern {
            Pattern::Velocity { window, .. } if bad_window(*window) => wrong("velocity.window", WINDOW),
            Pattern::Velocity { max_count: None, max_amount: None, .. } => {
                wrong("velocity.max_count", "must be given, or max_amount")
            }
            Pattern::Velocity { max_amount: Some(most), .. } if most.minor() <= 0 => {
                wrong("velocity.max_amount", "must be above zero")
            }
            Pattern::AmountAbove(most) if most.is_negative() => wrong("amount_above.amount", "must not be below zero"),
            Pattern::JustBelow { window, .. } if bad_window(*window) => wrong("just_below.window", WINDOW),
            Pattern::JustBelow { limit, .. } if limit.minor() <= 0 => wrong("just_below.limit", "must be above zero"),
            Pattern::JustBelow { limit, margin, .. }
                if margin.currency() != limit.currency() || !(1..=limit.minor()).contains(&margin.minor()) =>
            {
                wrong("just_below.margin", "must be above zero, not above the limit, and in its currency")
            }
            Pattern::AfterTopUp { .. } if self.operation != OperationKind::Refund => {
                wrong("operation", "must be RISK_OPERATION_REFUND for after_top_up")
            }
            Pattern::AfterTopUp { window } if bad_window(*window) => wrong("after_top_up.window", WINDOW),
            _ => Ok(()),
        }
    }

    /// Whether it looks at an operation at all.
    pub fn looks_at(&self, operation: &Operation, now: Timestamp) -> bool {
        let has_key = |(subject, _)| operation.key(subject).is_some();
        self.enabled
            && self.pattern.counts(self.operation).is_none_or(has_key)
            && self.operation == operation.kind
            && self.start_time <= now
            && self.end_time.is_none_or(|end| now < end)
            && self.store.is_none_or(|store| store == operation.store)
            && self.pattern.currency().is_none_or(|currency| currency == operation.amount.currency())
            && self.pattern.amounts().contains(&operation.amount.minor())
    }

    /// What has to be counted to know whether an operation breaks it at which it looks; `None` if nothing has.
    pub fn measure(&self, operation: &Operation) -> Option<Measure> {
        let (subject, counted) = self.pattern.counts(self.operation)?;
        let window = match &self.pattern {
            Pattern::Velocity { window, .. } | Pattern::JustBelow { window, .. } | Pattern::AfterTopUp { window } => {
                *window
            }
            Pattern::AmountAbove(_) => return None,
        };
        let (currency, amounts) = (self.pattern.currency(), self.pattern.amounts());
        Some(Measure { subject, key: operation.key(subject)?, counted, window, currency, amounts })
    }

    /// By whom an operation is to be counted for it, now or once it starts; `None` if it counts no such operations.
    pub fn counts(&self, operation: &Operation, now: Timestamp) -> Option<(Subject, String)> {
        let is_over = self.end_time.is_some_and(|end| end <= now);
        let (subject, counted) = self.pattern.counts(self.operation)?;
        let counts = self.enabled && !is_over && counted == operation.kind;
        operation.key(subject).filter(|_| counts).map(|key| (subject, key))
    }

    /// Why an operation at which it looks breaks it, for people; `None` if it doesn't.
    pub fn broken(&self, operation: &Operation, before: Tally) -> Option<String> {
        let count = before.count.saturating_add(1);
        let sum = before.sum_minor.saturating_add(operation.amount.minor());
        let amount = operation.amount;
        match &self.pattern {
            Pattern::Velocity { max_count: Some(most), window, .. } if count > i64::from(*most) => {
                Some(format!("number {count} in {} s, of {most} that pass", window.as_secs()))
            }
            Pattern::Velocity { max_amount: Some(most), window, .. } if sum > most.minor() => {
                let sum = Money::new(sum, most.currency());
                Some(format!("{sum} in {} s, of {most} that pass", window.as_secs()))
            }
            Pattern::AmountAbove(most) => Some(format!("{amount}, of {most} that pass")),
            Pattern::JustBelow { limit, max_count, window, .. } if count > i64::from(*max_count) => {
                let seconds = window.as_secs();
                Some(format!("{amount} is number {count} just below {limit} in {seconds} s, of {max_count} that pass"))
            }
            Pattern::AfterTopUp { window } if before.count > 0 => {
                Some(format!("{} top-ups in the {} s before", before.count, window.as_secs()))
            }
            _ => None,
        }
    }
}

const WINDOW: &str = "must be from 1 second to 31 days";
