//! Money as integer minor units (fen, cents) of an ISO 4217 currency. There is no float anywhere near it.
//!
//! Arithmetic is checked: it fails on overflow and on two currencies, it never wraps and never rounds unseen.

use std::fmt;

use crate::{Error, Result};

/// An ISO 4217 currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

impl Currency {
    /// Chinese yuan: 100 fen.
    pub const CNY: Self = Self { code: *b"CNY", exponent: 2 };

    /// The currencies that a chain may use, with their number of decimals (ISO 4217, table A.1).
    const KNOWN: [Self; 9] = [
        Self::CNY,
        Self { code: *b"USD", exponent: 2 },
        Self { code: *b"EUR", exponent: 2 },
        Self { code: *b"GBP", exponent: 2 },
        Self { code: *b"HKD", exponent: 2 },
        Self { code: *b"SGD", exponent: 2 },
        Self { code: *b"THB", exponent: 2 },
        Self { code: *b"JPY", exponent: 0 },
        Self { code: *b"KRW", exponent: 0 },
    ];

    /// The currency of an ISO code that came in as `field`.
    pub fn parse(field: &str, code: &str) -> Result<Self> {
        Self::KNOWN
            .into_iter()
            .find(|known| known.code() == code)
            .ok_or_else(|| Error::invalid(field, "must be the ISO 4217 code of a supported currency, such as CNY"))
    }

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("???")
    }

    /// How many decimals the major unit has.
    pub fn exponent(&self) -> u8 {
        self.exponent
    }

    /// Minor units in one major unit.
    pub fn minor_per_major(&self) -> i64 {
        10_i64.pow(u32::from(self.exponent))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount, possibly negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// `minor` units (fen, cents) of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Neither owed nor owing.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Below zero.
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// The sum; fails on another currency or overflow.
    pub fn try_add(self, other: Self) -> Result<Self> {
        self.same_currency(other)?;
        self.minor.checked_add(other.minor).map(|minor| Self { minor, ..self }).ok_or_else(overflow)
    }

    /// The difference; fails on another currency or overflow.
    pub fn try_sub(self, other: Self) -> Result<Self> {
        self.same_currency(other)?;
        self.minor.checked_sub(other.minor).map(|minor| Self { minor, ..self }).ok_or_else(overflow)
    }

    /// `times` times the amount; fails on overflow.
    pub fn try_mul(self, times: i64) -> Result<Self> {
        self.minor.checked_mul(times).map(|minor| Self { minor, ..self }).ok_or_else(overflow)
    }

    /// The share of `basis_points` (1/100 of a percent), rounded half up away from zero.
    pub fn share(self, basis_points: u32) -> Result<Self> {
        let product = i128::from(self.minor) * i128::from(basis_points);
        let rounded = (product + 5_000 * product.signum()) / 10_000;
        i64::try_from(rounded).map(|minor| Self { minor, ..self }).map_err(|_| overflow())
    }

    /// The sum of all; `currency` is that of an empty sum.
    pub fn try_sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::try_add)
    }

    /// Splits the amount in proportion to `weights` by largest remainder (Hamilton): the parts always add up to the
    /// whole, each is within one minor unit of its exact share, and equal remainders go to the earlier part.
    pub fn split(self, weights: &[u64]) -> Result<Vec<Self>> {
        let total: u128 = weights.iter().map(|&w| u128::from(w)).sum();
        if total == 0 {
            return Err(Error::invalid("weights", "must have at least one above zero"));
        }
        let sign = self.minor.signum();
        let whole = u128::from(self.minor.unsigned_abs());
        let mut parts: Vec<(u128, u128)> =
            weights.iter().map(|&w| whole * u128::from(w)).map(|exact| (exact / total, exact % total)).collect();
        let given: u128 = parts.iter().map(|part| part.0).sum();
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(parts[i].1));
        for &i in order.iter().take(usize::try_from(whole - given).unwrap_or(usize::MAX)) {
            parts[i].0 += 1;
        }
        parts
            .into_iter()
            .map(|(minor, _)| i64::try_from(minor).map(|m| Self { minor: m * sign, ..self }).map_err(|_| overflow()))
            .collect()
    }

    fn same_currency(self, other: Self) -> Result<()> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(Error::new(
            crate::ErrorKind::InvalidArgument,
            "CURRENCY_MISMATCH",
            format!("{} and {} can't be reckoned together", self.currency, other.currency),
        ))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.currency.minor_per_major().unsigned_abs();
        let sign = if self.minor < 0 { "-" } else { "" };
        let minor = self.minor.unsigned_abs();
        match usize::from(self.currency.exponent) {
            0 => write!(f, "{sign}{minor} {}", self.currency),
            width => write!(f, "{sign}{}.{:0width$} {}", minor / unit, minor % unit, self.currency),
        }
    }
}

fn overflow() -> Error {
    Error::new(crate::ErrorKind::InvalidArgument, "AMOUNT_OVERFLOW", "the amount is too large to be reckoned with")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    #[test]
    fn it_reads_like_money() {
        assert_eq!(cny(-12_305).to_string(), "-123.05 CNY");
        assert_eq!(Money::new(500, Currency::parse("c", "JPY").expect("known")).to_string(), "500 JPY");
        assert_eq!(cny(i64::MIN).to_string(), "-92233720368547758.08 CNY");
    }

    #[test]
    fn two_currencies_do_not_mix() {
        let usd = Money::new(1, Currency::parse("c", "USD").expect("known"));
        assert_eq!(cny(1).try_add(usd).map_err(|e| e.reason()), Err("CURRENCY_MISMATCH"));
    }

    #[test]
    fn twenty_percent_rounds_half_away_from_zero() {
        assert_eq!(cny(12_802).share(2_000).ok(), Some(cny(2_560)));
        assert_eq!(cny(3).share(5_000).ok(), Some(cny(2)));
        assert_eq!(cny(-3).share(5_000).ok(), Some(cny(-2)));
    }

    #[test]
    fn a_third_each_leaves_nothing_over() {
        assert_eq!(cny(100).split(&[1, 1, 1]).ok(), Some(vec![cny(34), cny(33), cny(33)]));
    }

    #[test]
    fn overflow_is_an_error_and_never_wraps() {
        assert!(cny(i64::MAX).try_add(cny(1)).is_err());
        assert!(cny(i64::MIN).try_sub(cny(1)).is_err());
        assert!(cny(i64::MAX).try_mul(2).is_err());
    }

    proptest! {
        #[test]
        fn parts_add_up_and_are_fair(minor in any::<i64>(), weights in prop::collection::vec(0_u64..1_000_000, 1..20)) {
            prop_assume!(minor != i64::MIN && weights.iter().any(|&w| w > 0));
            let parts = cny(minor).split(&weights).expect("weights are above zero");
            prop_assert_eq!(Money::try_sum(Currency::CNY, parts.iter().copied()).expect("same currency"), cny(minor));
            let total: i128 = weights.iter().map(|&w| i128::from(w)).sum();
            for (part, weight) in parts.iter().zip(&weights) {
                let exact = i128::from(minor) * i128::from(*weight);
                prop_assert!((i128::from(part.minor()) * total - exact).abs() < total);
            }
        }

        #[test]
        fn adding_and_taking_away_again_changes_nothing(a in -1_000_000_000_i64..1_000_000_000, b in -1_000_000_000_i64..1_000_000_000) {
            prop_assert_eq!(cny(a).try_add(cny(b)).and_then(|sum| sum.try_sub(cny(b))).ok(), Some(cny(a)));
        }
    }
}
