//! What giving a visit up costs.
//!
//! A store, or an item at a store, may have *tiers*: whoever gives the visit up at least so long before its start pays
//! such a part of the price. Of the tiers whose notice is kept the cheapest applies; whoever keeps none pays the dearest.
//! So giving up earlier never costs more, whatever tiers somebody has set. Without tiers the chain's rule holds: nothing
//! up to the notice period, later the deposit. Never more stays than was paid.
//!
//! Moving a visit is no way around that: what giving it up would have cost at the moment at which the customer had it
//! moved stays the least that it costs from then on ([`Booking::least_fee`]), however far ahead it is now. A visit that
//! the store moves on its own account is free of that.

use jiff::SignedDuration;
use kernel::{Money, Result, Timestamp};

use super::{
    booking::{Booking, State, Wish},
    policy::CancellationTier,
};

/// Where terms come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Nothing stays before the booking is confirmed.
    NotConfirmed,
    /// The store gives it up.
    StoreRequest,
    /// The tiers of the item at this store.
    Item,
    /// The tiers of the store.
    Store,
    /// The rule of the chain.
    Chain,
}

/// What a chain, store or item lays down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Nothing if it is given up so long before the start, later the deposit.
    Deposit {
        /// How long before the start.
        notice: SignedDuration,
    },
    /// By tiers, at least one; of the item if `own`, else of the store.
    Tiers {
        /// They are the item's own.
        own: bool,
        /// In any order.
        tiers: Vec<CancellationTier>,
    },
}

/// What giving up costs during a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Up to and including this; for ever if `None`.
    pub end_time: Option<Timestamp>,
    /// What stays with the store, if that much was paid.
    pub fee: Money,
    /// The notice that is kept during it, in minutes; 0 if none is.
    pub notice_minutes: i64,
    /// The part of the price that the fee is, in hundredths of a percent; 0 if it is the deposit or nothing.
    pub fee_basis_points: u32,
}

/// What giving a visit up costs, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Where they come from.
    pub source: Source,
    /// By time; the fees never fall, and the last has no end.
    terms: Vec<Term>,
}

impl Terms {
    /// The terms of a booking that is given up at the wish of `wish`.
    pub fn of(booking: &Booking, wish: Wish, rule: &Rule) -> Result<Self> {
        let fee = Money::zero(booking.price.currency());
        let nothing = Term { end_time: None, fee, notice_minutes: 0, fee_basis_points: 0 };
        if wish == Wish::Store {
            return Ok(Self { source: Source::StoreRequest, terms: vec![nothing] });
        }
        if booking.state != State::Confirmed {
            return Ok(Self { source: Source::NotConfirmed, terms: vec![nothing] });
        }
        match rule {
            Rule::Deposit { notice } => {
                let free =
                    Term { end_time: Some(booking.start_time - *notice), notice_minutes: notice.as_mins(), ..nothing };
                let late = Term { fee: booking.deposit, ..nothing };
                Ok(Self { source: Source::Chain, terms: at_least(booking, vec![free, late]) })
            }
            Rule::Tiers { own, tiers } => {
                let source = if *own { Source::Item } else { Source::Store };
                Ok(Self { source, terms: at_least(booking, by_tiers(booking, tiers.clone())?) })
            }
        }
    }

    /// The terms by time.
    pub fn all(&self) -> &[Term] {
        &self.terms
    }

    /// The term that holds at `now`.
    pub fn at(&self, now: Timestamp) -> Option<&Term> {
        self.terms.iter().find(|term| term.end_time.is_none_or(|end| now <= end))
    }

    /// What stays of `paid` if it is given up at `now`, and what comes back. They add up to what was paid.
    pub fn settle(&self, now: Timestamp, paid: Money) -> Result<(Money, Money)> {
        self.at(now).map_or(Ok((Money::zero(paid.currency()), paid)), |term| settle(term.fee, paid))
    }

    /// What stays at most for whoever doesn't come.
    pub fn last_fee(&self) -> Option<Money> {
        self.terms.last().map(|term| term.fee)
    }

    /// The last moment at which it costs no more than at `now`; `None` if it never will.
    pub fn cheap_until(&self, now: Timestamp) -> Option<Timestamp> {
        let fee = self.at(now)?.fee;
        self.terms.iter().rev().find(|term| term.fee == fee).and_then(|term| term.end_time)
    }

    /// The last moment at which it costs the least; `None` if it always costs the same.
    pub fn cheapest_until(&self) -> Option<Timestamp> {
        let first = self.terms.first()?;
        self.terms.iter().rev().find(|term| term.fee == first.fee).and_then(|term| term.end_time)
    }
}

/// What stays of `paid`, which is at most `fee`, and what comes back.
pub fn settle(fee: Money, paid: Money) -> Result<(Money, Money)> {
    let kept = if fee.minor() < paid.minor() { fee } else { paid };
    Ok((kept, paid.try_sub(kept)?))
}

/// The same terms, none below what the booking costs at least.
fn at_least(booking: &Booking, mut terms: Vec<Term>) -> Vec<Term> {
    let least = if booking.least_fee.minor() < booking.price.minor() { booking.least_fee } else { booking.price };
    for term in terms.iter_mut().filter(|term| term.fee.minor() < least.minor()) {
        (term.fee, term.fee_basis_points) = (least, 0);
    }
    terms
}

fn by_tiers(booking: &Booking, mut tiers: Vec<CancellationTier>) -> Result<Vec<Term>> {
    tiers.sort_unstable_by_key(|tier| (tier.notice_minutes, tier.fee_basis_points));
    let dearest = tiers.iter().map(|tier| tier.fee_basis_points).max().unwrap_or(0);
    let term = |end_time, notice_minutes, fee_basis_points| -> Result<Term> {
        Ok(Term { end_time, fee: booking.price.share(fee_basis_points)?, notice_minutes, fee_basis_points })
    };
    let mut cheapest = dearest;
    let mut terms = vec![term(None, 0, dearest)?];
    for tier in tiers {
        cheapest = cheapest.min(tier.fee_basis_points);
        let end = booking.start_time - SignedDuration::from_mins(tier.notice_minutes);
        terms.push(term(Some(end), tier.notice_minutes, cheapest)?);
    }
    terms.reverse();
    Ok(terms)
}

#[cfg(test)]
mod tests;
