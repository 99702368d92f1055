//! Shares of amounts, and the rounding rule.
//!
//! The law doesn't say what becomes of the fraction of a minor unit. Doubts about a prepaid contract are resolved for the
//! consumer (Art. 8), so what is taken away is rounded down and what is added is rounded up, each once: the price of
//! all that was delivered is *one* amount, however many uses it is made of, and so is interest, however many rates. Were
//! each part rounded for itself, a use more could raise the refund by a fen.

use kernel::{Error, ErrorKind, Money, Result};

/// A part of a whole, which is above zero.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ratio {
    pub(super) part: i64,
    pub(super) whole: i64,
}

impl Ratio {
    pub(super) const ONE: Self = Self { part: 1, whole: 1 };

    /// `exact` × part ÷ whole without its fraction. `exact` is not below zero.
    pub(super) fn down(self, exact: i128) -> Result<i64> {
        let product = exact.checked_mul(i128::from(self.part)).ok_or_else(overflow)?;
        divide(product, i128::from(self.whole))
    }
}

/// A total that grows by unrounded amounts and is told in whole parts, which always add up to the rounded total.
#[derive(Debug)]
pub(super) struct Running {
    part: i64,
    whole: i128,
    /// Added before the division: rounds up if it is one less than `whole`.
    fill: i128,
    exact: i128,
    told: i64,
}

impl Running {
    /// A total of amounts × `ratio`, rounded down.
    pub(super) fn down(ratio: Ratio) -> Self {
        Self { part: ratio.part, whole: i128::from(ratio.whole), fill: 0, exact: 0, told: 0 }
    }

    /// A total of amounts ÷ `whole`, which is above zero, rounded up.
    pub(super) const fn up(whole: i128) -> Self {
        Self { part: 1, whole, fill: whole - 1, exact: 0, told: 0 }
    }

    /// Adds `amount`, not below zero; the part of the total that has come to be told.
    pub(super) fn add(&mut self, amount: i128) -> Result<i64> {
        self.exact = self.exact.checked_add(amount).ok_or_else(overflow)?;
        let product = self.exact.checked_mul(i128::from(self.part)).ok_or_else(overflow)?;
        let total = divide(product.checked_add(self.fill).ok_or_else(overflow)?, self.whole)?;
        let part = total - self.told;
        self.told = total;
        Ok(part)
    }

    /// What was told so far.
    pub(super) const fn total(&self) -> i64 {
        self.told
    }
}

fn divide(product: i128, whole: i128) -> Result<i64> {
    let share = product.checked_div(whole).ok_or_else(|| Error::internal("a share of nothing"))?;
    i64::try_from(share).map_err(|_| overflow())
}

/// The opposite amount.
pub(super) fn negative(amount: Money) -> Result<Money> {
    Money::zero(amount.currency()).try_sub(amount)
}

/// The smaller of two amounts of one currency.
pub(super) fn smaller(a: Money, b: Money) -> Money {
    if b.minor() < a.minor() { b } else { a }
}

/// The amounts don't fit the arithmetic.
pub(super) fn overflow() -> Error {
    Error::new(ErrorKind::InvalidArgument, "AMOUNT_OVERFLOW", "the amounts are too large to be reckoned with")
}
