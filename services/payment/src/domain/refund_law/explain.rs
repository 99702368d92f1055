//! The answer: an amount, and lines and notes that say where each fen of it comes from.

use jiff::civil::Date;
use kernel::Money;

use super::{cause::Attribution, citation::Source, rate::Ppm, rules::Basis};

/// What is to be refunded, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The whole: the sum of all lines. Never below zero.
    pub refund: Money,
    /// Of it the prepayment that remains (Art. 15 ¶1), before gifts and costs are set off. Up to the amount paid.
    pub principal: Money,
    /// Of it interest.
    pub interest: Money,
    /// [`super::Rules::id`] of the rules that were used.
    pub rules: &'static str,
    /// How the interpretation bears on it.
    pub basis: Basis,
    /// What the consumer's claim rests upon.
    pub ground: Ground,
    /// At whose door the refund is laid.
    pub attribution: Attribution,
    /// The reckoning, in order.
    pub lines: Vec<Line>,
    /// What changes no amount but has to be known.
    pub notes: Vec<Note>,
}

/// What the consumer's claim rests upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ground {
    /// Of what kind it is.
    pub kind: GroundKind,
    /// The provision.
    pub source: Source,
}

/// The kind of a ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroundKind {
    /// A return without a reason within the law's days, the last of which is named.
    CoolingOff(Date),
    /// A return without a reason within the agreed days, the last of which is named.
    AgreedCoolingOff(Date),
    /// The law gives a right to end the contract, or it is void.
    Right,
    /// No right: the amount is due if the parties agree to end the contract, or a court ends it.
    Consent,
}

/// A step of the reckoning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub label: Label,
    /// What it adds to the refund; below zero if it takes away.
    pub amount: Money,
    /// What [`Label::formula`] was fed with.
    pub operands: Vec<Operand>,
    /// What it rests upon.
    pub source: Source,
}

/// A remark without an amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub label: NoteLabel,
    /// Its facts.
    pub operands: Vec<Operand>,
    /// What it rests upon.
    pub source: Source,
}

/// A named value of a formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operand {
    /// Its name in the formula.
    pub name: &'static str,
    /// Its value.
    pub value: Value,
}

impl Operand {
    /// An operand.
    pub fn new(name: &'static str, value: impl Into<Value>) -> Self {
        Self { name, value: value.into() }
    }
}

/// The value of an operand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An amount.
    Money(Money),
    /// A number of sessions or days.
    Count(i64),
    /// A day.
    Day(Date),
    /// A rate or share.
    Ppm(Ppm),
    /// A name or word.
    Text(String),
}

impl From<Money> for Value {
    fn from(value: Money) -> Self {
        Self::Money(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Count(value)
    }
}

impl From<Date> for Value {
    fn from(value: Date) -> Self {
        Self::Day(value)
    }
}

impl From<Ppm> for Value {
    fn from(value: Ppm) -> Self {
        Self::Ppm(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Label {
    /// The prepayment.
    Paid,
    /// Delivered, at the discount price.
    DeliveredAtDiscount,
    /// Delivered, at the ratio of bonus money.
    DeliveredAtRatio,
    /// Delivered, at the list price.
    DeliveredAtList,
    /// Delivered, at the market price.
    DeliveredAtMarket,
    /// Delivered, at an agreed share of the list price.
    DeliveredAtAgreedShare,
    /// Delivered, at an agreed amount.
    DeliveredAtAgreedAmount,
    /// Time of a pass that has passed.
    TimePassed,
    /// What the consumer need not pay beyond the prepayment.
    ExcessNotOwed,
    /// Compensation for a gift.
    Gift,
    /// Costs of the merchant.
    MerchantCost,
    /// Costs of the consumer.
    ConsumerCost,
    /// Interest.
    Interest,
    /// Interest on what lies in a supervised account.
    SupervisedInterest,
}

impl Label {
    /// The key of its text in every language.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Paid => "refund.paid",
            Self::DeliveredAtDiscount => "refund.delivered_at_discount",
            Self::DeliveredAtRatio => "refund.delivered_at_ratio",
            Self::DeliveredAtList => "refund.delivered_at_list",
            Self::DeliveredAtMarket => "refund.delivered_at_market",
            Self::DeliveredAtAgreedShare => "refund.delivered_at_agreed_share",
            Self::DeliveredAtAgreedAmount => "refund.delivered_at_agreed_amount",
            Self::TimePassed => "refund.time_passed",
            Self::ExcessNotOwed => "refund.excess_not_owed",
            Self::Gift => "refund.gift",
            Self::MerchantCost => "refund.merchant_cost",
            Self::ConsumerCost => "refund.consumer_cost",
            Self::Interest => "refund.interest",
            Self::SupervisedInterest => "refund.supervised_interest",
        }
    }

    /// How its amount follows from its operands.
    ///
    /// `down` drops and `up` fills up the fraction of a minor unit. Lines of what was delivered, of proposals for
    /// gifts and of interest are each rounded as a running total: the first n of them together are rounded once, so
    /// that one may differ by one from its own value.
    pub const fn formula(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::DeliveredAtDiscount | Self::DeliveredAtRatio => "-down(price × quantity × part ÷ whole)",
            Self::DeliveredAtList | Self::DeliveredAtMarket => "-(price × quantity)",
            Self::DeliveredAtAgreedShare => "-down(price × quantity × share)",
            Self::DeliveredAtAgreedAmount => "-agreed",
            Self::TimePassed => "-down(paid × days_passed ÷ days_in_all)",
            Self::ExcessNotOwed => "delivered - paid",
            Self::Gift => "-min(left, awarded); if nobody decided, awarded = down(value × principal ÷ paid)",
            Self::MerchantCost => "-min(left, cost)",
            Self::ConsumerCost => "cost",
            Self::Interest | Self::SupervisedInterest => "up(base × rate × days ÷ days_in_year)",
        }
    }
}

/// What a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoteLabel {
    /// The interpretation was not in force when the refund was asked for and is used by analogy only.
    NotInForce,
    /// What governs in its place.
    GovernedBy,
    /// The contract is older than the interpretation, which has no transitional rule; it is used as the law in force.
    OlderContract,
    /// Within the seven days, but the consumer knew the service.
    CoolingOffExcepted,
    /// Neither law nor contract gives the consumer a right to end the contract for this cause.
    NoRightToEnd,
    /// The text does not name death.
    DeathNotNamed,
    /// An agreed price of what was delivered is not better for the consumer, and so doesn't count.
    TermNotBetter,
    /// An agreed start of interest is not better for the consumer, and so doesn't count.
    InterestStartNotBetter,
    /// The agreed rate is below the published one. It counts all the same, unless the term is void.
    AgreedRateIsLower,
    /// The rate table may miss a later publication.
    RateMayBeOutdated,
    /// The pass had run out: time that was not used is not refunded.
    TermHadRunOut,
    /// A gift's compensation is a proposal that somebody has to weigh.
    GiftToBeWeighed,
    /// A cost is not made good.
    CostNotOwed,
    /// Staff commission is no cost.
    CommissionIsNoCost,
}

impl NoteLabel {
    /// The key of its text in every language.
    pub const fn key(self) -> &'static str {
        match self {
            Self::NotInForce => "refund.note.not_in_force",
            Self::GovernedBy => "refund.note.governed_by",
            Self::OlderContract => "refund.note.older_contract",
            Self::CoolingOffExcepted => "refund.note.cooling_off_excepted",
            Self::NoRightToEnd => "refund.note.no_right_to_end",
            Self::DeathNotNamed => "refund.note.death_not_named",
            Self::TermNotBetter => "refund.note.term_not_better",
            Self::InterestStartNotBetter => "refund.note.interest_start_not_better",
            Self::AgreedRateIsLower => "refund.note.agreed_rate_is_lower",
            Self::RateMayBeOutdated => "refund.note.rate_may_be_outdated",
            Self::TermHadRunOut => "refund.note.term_had_run_out",
            Self::GiftToBeWeighed => "refund.note.gift_to_be_weighed",
            Self::CostNotOwed => "refund.note.cost_not_owed",
            Self::CommissionIsNoCost => "refund.note.commission_is_no_cost",
        }
    }
}
