//! Rules, and which of them wins.

use std::{cmp::Reverse, fmt};

use jiff::civil::Date;
use kernel::{
    Error, Money, Result, Timestamp,
    ids::{CommissionRuleId, ItemId, StoreId},
};

use super::{Part, Visit};
use crate::domain::etag;

/// All of a price, in 1/100 of a percent.
const ALL: u32 = 10_000;

/// Who earns by a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayeeKind {
    /// Each therapist who gives a part of the visit.
    Therapist,
    /// The partner platform through which it came.
    Partner,
}

impl PayeeKind {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Therapist => "therapist",
            Self::Partner => "partner",
        }
    }

    /// Reads the stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Therapist, Self::Partner].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// How a therapist came to a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// The customer asked for him.
    Requested,
    /// It was his turn.
    Rotation,
}

impl Manner {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Rotation => "rotation",
        }
    }

    /// Reads the stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Requested, Self::Rotation].into_iter().find(|manner| manner.as_str() == word)
    }
}

/// What is earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// A share of the price, in 1/100 of a percent; at most all of it.
    BasisPoints(u32),
    /// So much, whatever the price; 0 or above.
    Fixed(Money),
}

impl Rate {
    /// What `base` earns, half a minor unit rounded up.
    ///
    /// # Errors
    /// None for a rate that was checked.
    pub fn of(self, base: Money) -> Result<Money> {
        match self {
            Self::BasisPoints(points) => base.share(points),
            Self::Fixed(amount) => Ok(amount),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BasisPoints(points) => write!(f, "{}.{:02} %", points / 100, points % 100),
            Self::Fixed(amount) => write!(f, "{amount}"),
        }
    }
}

/// By what somebody earns. A condition that is `None` fits every visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub id: CommissionRuleId,
    /// Who earns by it.
    pub payee: PayeeKind,
    /// Only for this item.
    pub item: Option<ItemId>,
    /// Only at this store.
    pub store: Option<StoreId>,
    /// Only for visits through this partner platform.
    pub partner: Option<String>,
    /// Only for therapists of this grade, 1 to 5.
    pub grade: Option<i16>,
    /// Only if the therapist came to the visit so.
    pub manner: Option<Manner>,
    /// What is earned.
    pub rate: Rate,
    /// The first day on which it applies, of the visit's store.
    pub start_date: Date,
    /// The last day.
    pub end_date: Option<Date>,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it was taken out of use.
    pub retire_time: Option<Timestamp>,
    /// Counts the changes, from 1.
    pub version: i64,
}

impl Rule {
    /// Checks what the types do not say.
    ///
    /// # Errors
    /// `InvalidArgument` naming the field.
    pub fn validate(&self) -> Result<()> {
        match self.rate {
            Rate::BasisPoints(points) if points > ALL => {
                return Err(Error::invalid("rule.basis_points", "must be at most 10000, which is the whole price"));
            }
            Rate::Fixed(amount) if amount.is_negative() => {
                return Err(Error::invalid("rule.fixed_amount", "must not be below zero"));
            }
            _ => {}
        }
        if self.grade.is_some_and(|grade| !(1..=5).contains(&grade)) {
            return Err(Error::invalid("rule.grade", "must be from 1 to 5, or 0 for any"));
        }
        if self.end_date.is_some_and(|end| end < self.start_date) {
            return Err(Error::invalid("rule.end_date", "must not be before start_date"));
        }
        Ok(())
    }

    /// Takes the rule out of use.
    ///
    /// # Errors
    /// `ETAG_MISMATCH` if an etag is given and not that of the rule as it is; `RETIRED` if it was taken out of use before.
    pub fn retire(self, given: &str, now: Timestamp) -> Result<Self> {
        etag::check("etag", given, self.version)?;
        if self.retire_time.is_some() {
            return Err(Error::precondition("RETIRED", "the rule was taken out of use before"));
        }
        Ok(Self { retire_time: Some(now), version: self.version + 1, ..self })
    }

    /// Changes with every change.
    pub fn etag(&self) -> String {
        etag::etag(self.version)
    }

    /// Whether it applies to a part of a visit.
    pub fn fits(&self, payee: PayeeKind, visit: &Visit, part: &Part) -> bool {
        let in_currency = match self.rate {
            Rate::BasisPoints(_) => true,
            Rate::Fixed(amount) => amount.currency() == visit.price.currency(),
        };
        self.payee == payee
            && in_currency
            && self.start_date <= visit.date
            && self.end_date.is_none_or(|end| visit.date <= end)
            && self.item.is_none_or(|item| item == part.item)
            && self.store.is_none_or(|store| store == visit.store)
            && self.partner.as_ref().is_none_or(|partner| visit.partner.as_ref() == Some(partner))
            && self.grade.is_none_or(|grade| part.grade == Some(grade))
            && self.manner.is_none_or(|manner| part.manner == Some(manner))
    }

    /// The names of the conditions that it states, in the order in which they count.
    pub fn conditions(&self) -> Vec<&'static str> {
        let stated = ["item", "store", "partner", "grade", "manner"].into_iter().zip(self.stated());
        stated.filter(|(_, stated)| *stated).map(|(name, _)| name).collect()
    }

    fn stated(&self) -> [bool; 5] {
        [self.item.is_some(), self.store.is_some(), self.partner.is_some(), self.grade.is_some(), self.manner.is_some()]
    }

    /// The greater, the more specific; no two rules have the same.
    fn rank(&self) -> (usize, [bool; 5], Date, CommissionRuleId) {
        (self.conditions().len(), self.stated(), self.start_date, self.id)
    }
}

/// The most specific of the rules that fit a part of a visit, and how many others fit.
pub fn winner<'a>(
    rules: &'a [Rule],
    payee: PayeeKind,
    visit: &Visit,
    part: &Part,
) -> Option<(&'a Rule, Vec<&'a Rule>)> {
    let mut fitting: Vec<&Rule> = rules.iter().filter(|rule| rule.fits(payee, visit, part)).collect();
    fitting.sort_by_key(|rule| Reverse(rule.rank()));
    let mut fitting = fitting.into_iter();
    let first = fitting.next()?;
    Some((first, fitting.collect()))
}

/// Why `winner` goes before `other`, which fits too.
pub fn why(winner: &Rule, other: &Rule) -> &'static str {
    let (won, lost) = (winner.rank(), other.rank());
    if won.0 != lost.0 {
        return "it has more conditions";
    }
    let differs = won.1.iter().zip(lost.1).position(|(won, lost)| *won != lost);
    match differs {
        Some(0) => "it is for the item",
        Some(1) => "it is for the store",
        Some(2) => "it is for the partner",
        Some(_) => "it is for the grade",
        None if won.2 != lost.2 => "it starts later",
        None => "it was made later",
    }
}
