//! Money and bonus side by side.

use kernel::{Currency, Money, Result};

/// Money on a card (principal: what was paid for) and what was given on top of it (bonus), of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    /// What was paid for.
    pub principal: Money,
    /// What was given on top.
    pub bonus: Money,
}

impl Value {
    /// Neither.
    pub const fn zero(currency: Currency) -> Self {
        Self { principal: Money::zero(currency), bonus: Money::zero(currency) }
    }

    /// Neither of them is anything.
    pub const fn is_zero(self) -> bool {
        self.principal.is_zero() && self.bonus.is_zero()
    }

    /// Both together.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`.
    pub fn total(self) -> Result<Money> {
        self.principal.try_add(self.bonus)
    }

    /// The sum, each for itself.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`, `CURRENCY_MISMATCH`.
    pub fn try_add(self, other: Self) -> Result<Self> {
        Ok(Self { principal: self.principal.try_add(other.principal)?, bonus: self.bonus.try_add(other.bonus)? })
    }

    /// The difference, each for itself.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`, `CURRENCY_MISMATCH`.
    pub fn try_sub(self, other: Self) -> Result<Self> {
        Ok(Self { principal: self.principal.try_sub(other.principal)?, bonus: self.bonus.try_sub(other.bonus)? })
    }

    /// The sum of all; `currency` is that of an empty sum.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`, `CURRENCY_MISMATCH`.
    pub fn try_sum(currency: Currency, values: impl IntoIterator<Item = Self>) -> Result<Self> {
        values.into_iter().try_fold(Self::zero(currency), Self::try_add)
    }
}
