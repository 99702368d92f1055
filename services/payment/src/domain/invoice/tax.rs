//! How much tax is in a price.

use kernel::{Error, Money, Result};

/// How what is invoiced is taxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taxation {
    /// A service, whose price includes value-added tax of so many basis points.
    Taxed {
        /// 600 is 6 %.
        basis_points: u32,
    },
    /// The sale of a prepaid card: not taxable (不征税), since what is sold comes later.
    NotTaxable,
}

impl Taxation {
    /// The rate, in basis points.
    pub fn basis_points(self) -> u32 {
        match self {
            Self::Taxed { basis_points } => basis_points,
            Self::NotTaxable => 0,
        }
    }

    /// The tax that is in a price: `price × rate / (1 + rate)`, to the nearest minor unit, half of one away from zero.
    ///
    /// # Errors
    /// `Internal` if it is too large a number.
    pub fn tax_in(self, price: Money) -> Result<Money> {
        let rate = i128::from(self.basis_points());
        let (dividend, divisor) = (i128::from(price.minor()) * rate, 10_000 + rate);
        let tax = (2 * dividend + divisor) / (2 * divisor);
        Ok(Money::new(i64::try_from(tax).map_err(Error::internal)?, price.currency()))
    }
}

#[cfg(test)]
mod tests {
    use kernel::Currency;

    use super::*;

    #[test]
    fn tax_is_what_is_above_the_net_price() {
        let tax = |fen, basis_points| {
            let price = Money::new(fen, Currency::CNY);
            Taxation::Taxed { basis_points }.tax_in(price).expect("small").minor()
        };
        assert_eq!((tax(10_600, 600), tax(30_000, 600), tax(10_100, 100)), (600, 1_698, 100));
        assert_eq!((tax(1, 600), tax(8, 600), tax(9, 600)), (0, 0, 1));
        assert_eq!(tax(10_600, 0), 0);
        let price = Money::new(i64::MAX, Currency::CNY);
        assert!(Taxation::Taxed { basis_points: 600 }.tax_in(price).is_ok());
        assert_eq!(Taxation::NotTaxable.tax_in(price).expect("none").minor(), 0);
    }
}
