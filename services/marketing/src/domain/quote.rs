//! What a customer pays: list price, then tier price, then the best coupon.

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{BookingId, CouponId, ItemId, MemberId, QuoteId, StoreId},
};

use super::tier::Tier;

/// The code of the reduction by tier.
pub const TIER_PRICE: &str = "TIER_PRICE";

/// The most that can be taken off: everything.
const WHOLE: u32 = 10_000;

/// A visit to be priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// For whom.
    pub customer: MemberId,
    /// What.
    pub item: ItemId,
    /// Where.
    pub store: StoreId,
    /// Price before reductions.
    pub list_price: Money,
}

/// A visit priced and kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// Which.
    pub id: QuoteId,
    /// What was priced.
    pub wanted: Wanted,
    /// What came out.
    pub priced: Priced,
    /// The booking that was made with it, once heard of.
    pub booking: Option<BookingId>,
    /// When it was reckoned.
    pub create_time: Timestamp,
}

/// A price and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    /// Price after reductions; never below zero.
    pub price: Money,
    /// What was looked at, in the order of reckoning. The amounts add up to list price − price.
    pub adjustments: Vec<Adjustment>,
    /// The coupon that the price needs.
    pub coupon: Option<CouponId>,
}

impl Priced {
    /// What the coupon took off; zero without one.
    pub fn coupon_amount(&self) -> Money {
        let of_coupon = |adjustment: &&Adjustment| adjustment.applied && adjustment.coupon.is_some();
        let amount = self.adjustments.iter().find(of_coupon).map(|adjustment| adjustment.amount);
        amount.unwrap_or(Money::zero(self.price.currency()))
    }
}

/// A reduction that applied, or one that did not, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// What sort.
    pub code: String,
    /// Whether it changed the price.
    pub applied: bool,
    /// What it took off; zero if it did not apply.
    pub amount: Money,
    /// Why, a sentence for people.
    pub explanation: String,
    /// The coupon, if it is one.
    pub coupon: Option<CouponId>,
}

/// A coupon that could take part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What sort.
    pub code: String,
    /// What it takes off, in hundredths of a percent.
    pub basis_points: u32,
    /// Whether it can.
    pub standing: Standing,
}

/// Whether a coupon can be taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It can.
    Usable(CouponId),
    /// Another quote has it.
    Kept(CouponId),
    /// It is used.
    Used(CouponId),
    /// Its time is over.
    Expired(CouponId),
    /// The member has visited before.
    NotFirstVisit,
}

impl Standing {
    /// The coupon, unless there is none.
    pub fn coupon(self) -> Option<CouponId> {
        match self {
            Self::Usable(id) | Self::Kept(id) | Self::Used(id) | Self::Expired(id) => Some(id),
            Self::NotFirstVisit => None,
        }
    }

    fn explanation(self) -> &'static str {
        match self {
            Self::Usable(_) => "It takes off less than another coupon.",
            Self::Kept(_) => "The coupon is kept for another visit.",
            Self::Used(_) => "The coupon is used.",
            Self::Expired(_) => "The coupon has expired.",
            Self::NotFirstVisit => "It is for the first visit only.",
        }
    }
}

/// Reckons a price. Of the usable coupons the one that takes off most applies; of equal ones the first.
///
/// # Errors
/// `InvalidArgument` for a list price below zero.
pub fn reckon(list_price: Money, tier: Tier, tier_basis_points: u32, candidates: &[Candidate]) -> Result<Priced> {
    if list_price.is_negative() {
        return Err(Error::invalid("list_price", "must not be below zero"));
    }
    let tier_amount = reduction(list_price, tier_basis_points)?;
    let tier_price = list_price.try_sub(tier_amount)?;
    let best = best(tier_price, candidates)?;
    let mut adjustments = vec![by_tier(tier, tier_basis_points, tier_amount)];
    for (index, candidate) in candidates.iter().enumerate() {
        let amount = best.filter(|best| best.index == index).map(|best| best.amount);
        adjustments.push(by_coupon(candidate, amount, tier_price));
    }
    let coupon_amount = best.map_or(Money::zero(list_price.currency()), |best| best.amount);
    Ok(Priced { price: tier_price.try_sub(coupon_amount)?, adjustments, coupon: best.map(|best| best.coupon) })
}

#[derive(Clone, Copy)]
struct Best {
    index: usize,
    coupon: CouponId,
    amount: Money,
}

fn best(price: Money, candidates: &[Candidate]) -> Result<Option<Best>> {
    let mut best: Option<Best> = None;
    for (index, candidate) in candidates.iter().enumerate() {
        let Standing::Usable(coupon) = candidate.standing else { continue };
        let amount = reduction(price, candidate.basis_points)?;
        if amount.minor() > best.map_or(0, |best| best.amount.minor()) {
            best = Some(Best { index, coupon, amount });
        }
    }
    Ok(best)
}

/// Never more than the price itself.
fn reduction(price: Money, basis_points: u32) -> Result<Money> {
    price.share(basis_points.min(WHOLE))
}

fn by_tier(tier: Tier, basis_points: u32, amount: Money) -> Adjustment {
    let (applied, people) = (!amount.is_zero(), tier.people());
    let explanation = match (applied, basis_points) {
        (true, _) => format!("{people} pay {} less.", percent(basis_points)),
        (false, 0) => format!("{people} pay the list price."),
        (false, _) => "There is nothing to take off.".to_owned(),
    };
    Adjustment { code: TIER_PRICE.to_owned(), applied, amount, explanation, coupon: None }
}

fn by_coupon(candidate: &Candidate, amount: Option<Money>, price: Money) -> Adjustment {
    let explanation = match (amount, candidate.standing) {
        (Some(_), _) => format!("The coupon takes {} off.", percent(candidate.basis_points)),
        (None, Standing::Usable(_)) if price.is_zero() => "There is nothing to take off.".to_owned(),
        (None, standing) => standing.explanation().to_owned(),
    };
    Adjustment {
        code: candidate.code.clone(),
        applied: amount.is_some(),
        amount: amount.unwrap_or(Money::zero(price.currency())),
        explanation,
        coupon: candidate.standing.coupon(),
    }
}

/// 2000 → `20 %`, 250 → `2.5 %`, 5 → `0.05 %`.
fn percent(basis_points: u32) -> String {
    let text = format!("{}.{:02}", basis_points / 100, basis_points % 100);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests;
