//! What a refund takes back.

use kernel::{Error, Money, Result};

use crate::domain::Order;

/// What of an order has gone back, or is on its way: in all, and of that as it became cheaper. What came without being owed
/// is none of it.
///
/// # Errors
/// `AMOUNT_OVERFLOW`.
pub fn given_back(order: &Order) -> Result<(Money, Money)> {
    let counts = |payment| order.payment(payment).is_some_and(|payment| !payment.is_surplus());
    let back = order.refunds.iter().filter(|refund| counts(refund.payment));
    let all = Money::try_sum(order.currency(), back.clone().map(|refund| refund.amount))?;
    let lowered = back.filter(|refund| refund.is_lowered());
    Ok((all, Money::try_sum(order.currency(), lowered.map(|refund| refund.amount))?))
}

/// What of each share is to be taken back now, given what each has earned and what was taken back of it before, once `gone`
/// of `price` has gone back to the customer in all.
///
/// The whole follows the proportion of `gone` to `price`, half a minor unit rounded up; what it is more than before is spread
/// over what is left of the shares by largest remainder. So no share falls below zero, and once the whole price has gone
/// back nothing is left. Nothing is ever given again: if `gone` is less than before, nothing is taken.
///
/// # Errors
/// Internal, if more was taken back before than was earned, or shares are of another currency than the price.
pub fn take_back(price: Money, gone: Money, shares: &[(Money, Money)]) -> Result<Vec<Money>> {
    let currency = price.currency();
    let nothing = || Ok(vec![Money::zero(currency); shares.len()]);
    let earned = Money::try_sum(currency, shares.iter().map(|(earned, _)| *earned))?;
    let before = Money::try_sum(currency, shares.iter().map(|(_, reversed)| *reversed))?;
    let wanted = Money::new(proportion(earned.minor(), gone.minor(), price.minor())?, currency);
    let now = wanted.try_sub(before)?;
    if now.minor() <= 0 {
        return nothing();
    }
    let left = shares.iter().map(|(earned, reversed)| {
        let left = earned.try_sub(*reversed)?.minor();
        u64::try_from(left).map_err(|_| Error::internal("more commission was taken back than was earned"))
    });
    now.split(&left.collect::<Result<Vec<_>>>()?)
}

/// `whole` times `part` / `of`, `part` taken to be from nothing to `of`, half rounded up.
fn proportion(whole: i64, part: i64, of: i64) -> Result<i64> {
    if of <= 0 || part <= 0 {
        return Ok(0);
    }
    let (whole, part, of) = (i128::from(whole), i128::from(part.min(of)), i128::from(of));
    i64::try_from((2 * whole * part + of) / (2 * of)).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use kernel::Currency;
    use proptest::prelude::*;

    use super::*;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    fn taken(price: i64, gone: i64, shares: &[(i64, i64)]) -> Vec<i64> {
        let shares: Vec<_> = shares.iter().map(|(earned, reversed)| (cny(*earned), cny(*reversed))).collect();
        let taken = take_back(cny(price), cny(gone), &shares).expect("it adds up");
        taken.into_iter().map(Money::minor).collect()
    }

    #[test]
    fn a_refund_takes_its_proportion() {
        assert_eq!(taken(30_000, 10_000, &[(9_000, 0), (1_500, 0)]), [3_000, 500]);
        assert_eq!(taken(30_000, 30_000, &[(9_000, 3_000), (1_500, 500)]), [6_000, 1_000]);
        assert_eq!(taken(30_000, 10_000, &[(9_000, 3_000), (1_500, 500)]), [0, 0], "told a second time");
        assert_eq!(taken(3, 1, &[(1, 0), (1, 0), (1, 0)]), [1, 0, 0], "equal remainders go to the earlier one");
        assert_eq!(taken(30_000, 90_000, &[(9_000, 0)]), [9_000], "a tip went back too");
        assert_eq!(taken(0, 0, &[(500, 0)]), [0], "what cost nothing can't be refunded");
        assert_eq!(taken(100, 50, &[]), [0_i64; 0]);
        assert_eq!(taken(100, 50, &[(0, 0)]), [0]);
    }

    #[test]
    fn amounts_may_be_as_great_as_they_get() {
        assert_eq!(taken(i64::MAX, i64::MAX, &[(i64::MAX, 0)]), [i64::MAX]);
        assert_eq!(taken(i64::MAX, i64::MAX - 1, &[(i64::MAX, 0)]), [i64::MAX - 1]);
    }

    proptest! {
        #[test]
        fn refunds_step_by_step_never_take_too_much_and_at_last_all(
            price in 1_i64..100_000,
            earned in prop::collection::vec(0_i64..100_000, 0..6),
            steps in prop::collection::vec(0_i64..110_000, 0..8),
        ) {
            let mut shares: Vec<(i64, i64)> = earned.iter().map(|earned| (*earned, 0)).collect();
            for gone in steps.into_iter().chain([price]) {
                let more = taken(price, gone, &shares);
                for ((earned, reversed), more) in shares.iter_mut().zip(more) {
                    prop_assert!(more >= 0 && *reversed + more <= *earned);
                    *reversed += more;
                }
                let (all, back) = shares.iter().fold((0, 0), |sum, share| (sum.0 + share.0, sum.1 + share.1));
                let exact = i128::from(all) * i128::from(gone.min(price));
                let off = i128::from(back) * i128::from(price) - exact;
                // At most half a fen below what it should be; above only by what was taken before.
                prop_assert!(2 * off >= -i128::from(price), "{back} of {all} at {gone} of {price}");
            }
            prop_assert!(shares.iter().all(|(earned, reversed)| earned == reversed));
        }
    }
}
