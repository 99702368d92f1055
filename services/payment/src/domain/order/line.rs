//! The lines of an order, and how a reduction of the whole is spread over them.

use kernel::{Currency, Error, Money, Result, Uuid};

use super::currency_mismatch;

/// A part of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is for, such as `items/<uuid>`.
    pub item: String,
    /// What the customer reads.
    pub display_name: String,
    /// Price after reductions; below zero only in an amendment that made the order cheaper.
    pub amount: Money,
    /// The reductions that `amount` doesn't contain; never below zero. The list price is the sum of both.
    pub discount: Money,
    /// The amendment that added it; `None` for what the order was made from.
    pub amendment: Option<Uuid>,
}

/// Checks the lines that an order shall be made from.
pub(super) fn check(lines: &[Line], currency: Currency) -> Result<()> {
    for (i, line) in lines.iter().enumerate() {
        for (part, amount) in [("amount", line.amount), ("discount", line.discount)] {
            let field = format!("lines[{i}].{part}");
            if amount.is_negative() {
                return Err(Error::invalid(field, "must not be below zero"));
            }
            if amount.currency() != currency {
                return Err(currency_mismatch(field, currency));
            }
        }
        line.amount.try_add(line.discount)?;
    }
    Ok(())
}

/// Spreads a reduction over lines in proportion to their amounts, by largest remainder: the parts add up to the whole, and
/// no line falls below zero. The lines must be [checked](check).
///
/// # Errors
/// `InvalidArgument` if it is below zero, of another currency (`CURRENCY_MISMATCH`) or more than the lines.
pub(super) fn spread(lines: &[Line], discount: Money, currency: Currency) -> Result<Vec<Line>> {
    if discount.is_negative() {
        return Err(Error::invalid("discount", "must not be below zero"));
    }
    if discount.currency() != currency {
        return Err(currency_mismatch("discount", currency));
    }
    if discount.is_zero() {
        return Ok(lines.to_vec());
    }
    let sum = Money::try_sum(currency, lines.iter().map(|line| line.amount))?;
    if discount.minor() > sum.minor() {
        return Err(Error::invalid("discount", "must be at most the sum of the lines"));
    }
    let weights: Vec<u64> = lines.iter().map(|line| line.amount.minor().unsigned_abs()).collect();
    lines
        .iter()
        .zip(discount.split(&weights)?)
        .map(|(line, part)| {
            let (amount, discount) = (line.amount.try_sub(part)?, line.discount.try_add(part)?);
            Ok(Line { amount, discount, ..line.clone() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    fn lines(amounts: &[i64]) -> Vec<Line> {
        let line = |&minor| Line {
            item: "items/a".into(),
            display_name: String::new(),
            amount: cny(minor),
            discount: cny(0),
            amendment: None,
        };
        amounts.iter().map(line).collect()
    }

    #[test]
    fn the_remainder_goes_where_most_is_missing() {
        let after = spread(&lines(&[100, 100, 101]), cny(100), Currency::CNY).expect("spread");
        assert_eq!(after.iter().map(|line| line.discount.minor()).collect::<Vec<_>>(), [33, 33, 34]);
        assert_eq!(after.iter().map(|line| line.amount.minor()).collect::<Vec<_>>(), [67, 67, 67]);
    }

    #[test]
    fn what_can_not_be_taken_off_is_refused() {
        let reason = |discount| spread(&lines(&[60, 40]), discount, Currency::CNY).map(|_| ()).map_err(|e| e.reason());
        assert_eq!(reason(cny(100)), Ok(()));
        assert_eq!(reason(cny(101)), Err("INVALID_ARGUMENT"));
        assert_eq!(reason(cny(-1)), Err("INVALID_ARGUMENT"));
        let usd = Money::new(1, Currency::parse("c", "USD").expect("known"));
        assert_eq!(reason(usd), Err("CURRENCY_MISMATCH"));
    }

    proptest! {
        #[test]
        fn parts_add_up_and_no_line_falls_below_zero(
            amounts in prop::collection::vec(0_i64..1_000, 1..12),
            share in 0_i64..=100,
        ) {
            let discount = cny(amounts.iter().sum::<i64>() * share / 100);
            let after = spread(&lines(&amounts), discount, Currency::CNY).expect("spread");
            prop_assert_eq!(after.iter().map(|line| line.discount.minor()).sum::<i64>(), discount.minor());
            for (line, before) in after.iter().zip(&amounts) {
                prop_assert!(!line.amount.is_negative() && !line.discount.is_negative());
                prop_assert_eq!(line.amount.minor() + line.discount.minor(), *before);
            }
        }
    }
}
