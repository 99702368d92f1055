//! A top-up as the law looks at it: a contract of its own.

use jiff::civil::Date;
use kernel::{Money, Result};

use super::Lot;
use crate::domain::refund_law::{Charge, Contract, KnownService, Plan, StoredValue, Terms};

/// Something that was paid from a lot and has not come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Had {
    /// On which day.
    pub on: Date,
    /// What was had.
    pub item: String,
    /// What the lot bears of it.
    pub price: Money,
    /// The same before the visit's reductions.
    pub list_price: Money,
}

/// The case of giving a top-up back that was paid on `paid_on`.
pub fn case(lot: &Lot, had: Vec<Had>, paid_on: Date, known_service: KnownService) -> Contract {
    let charge = |one: Had| Charge {
        on: one.on.max(paid_on),
        item: one.item,
        quantity: 1,
        list_price: one.list_price,
        agreed_price: one.price,
        market_price: None,
    };
    Contract {
        paid: lot.principal.brought,
        signed_on: paid_on,
        paid_on,
        known_service,
        supervised: None,
        gifts: Vec::new(),
        terms: Terms::default(),
        plan: Plan::StoredValue(StoredValue {
            bonus: lot.bonus.brought,
            charges: had.into_iter().map(charge).collect(),
        }),
    }
}

/// How what a top-up gives back goes to the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ways {
    /// To where it was paid from.
    pub to_sources: Money,
    /// By hand, since it can't go back there.
    pub at_desk: Money,
}

impl Ways {
    /// Of what the law gives, `before` has gone back; of the rest the sources take up to `sources`.
    ///
    /// # Errors
    /// `CURRENCY_MISMATCH`.
    pub fn of(refund: Money, before: Money, sources: Money) -> Result<Self> {
        let nothing = Money::zero(refund.currency());
        let left = refund.try_sub(before)?;
        // A later request may be laid at another door and give less; nobody owes for that.
        let left = if left.is_negative() { nothing } else { left };
        let to_sources = if left.minor() < sources.minor() { left } else { sources };
        Ok(Self { to_sources, at_desk: left.try_sub(to_sources)? })
    }

    /// Both together.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`.
    pub fn total(self) -> Result<Money> {
        self.to_sources.try_add(self.at_desk)
    }
}

#[cfg(test)]
mod tests {
    use kernel::Currency;

    use super::*;

    #[test]
    fn the_sources_take_what_they_can_and_the_desk_the_rest() {
        let cny = |minor| Money::new(minor, Currency::CNY);
        let ways = |refund, before, sources| {
            let ways = Ways::of(cny(refund), cny(before), cny(sources)).expect("of one currency");
            (ways.to_sources.minor(), ways.at_desk.minor())
        };
        assert_eq!(ways(100, 0, 1_000), (100, 0));
        assert_eq!(ways(100, 0, 30), (30, 70));
        assert_eq!(ways(100, 60, 0), (0, 40));
        assert_eq!(ways(100, 160, 50), (0, 0));
    }
}
