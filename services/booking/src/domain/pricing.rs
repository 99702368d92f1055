//! What a treatment costs before any reduction.
//!
//! An item has a price, and may have others that hold at a store, with therapists of a grade, or in a part of the day. Of
//! those that fit a visit the most specific one holds: one that names the store goes before any that doesn't; of the
//! rest, one that names the grade; of the rest, one that names the part of the day. No two fit equally well: that is
//! refused when they are entered ([`check_prices`]). If none fits, the item's own price holds.

use jiff::civil::DateTime;
use kernel::{Error, Money, Result, ids::StoreId};

use super::{
    booking::Booking,
    catalog::{Item, Package},
    span::Span,
};

/// Minutes of a day and of a week, on the clock on the wall.
const DAY: i64 = 24 * 60;
const WEEK: i64 = 7 * DAY;

/// A part of some days, in local time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daypart {
    /// ISO weekdays (1 = Monday) on which it begins; empty is every day.
    pub days: Vec<i16>,
    /// Minutes after midnight, 0–1439.
    pub start_minute: i16,
    /// Minutes after the same midnight; past 1440 it reaches into the next day.
    pub end_minute: i16,
}

impl Daypart {
    /// Its spans in a week, in minutes from the beginning of Monday; the last may reach into the next week.
    fn spans(&self) -> impl Iterator<Item = Span> + '_ {
        (1..=7).filter(|day| self.days.is_empty() || self.days.contains(day)).map(|day| {
            let midnight = i64::from(day - 1) * DAY;
            Span::new(midnight + i64::from(self.start_minute), midnight + i64::from(self.end_minute))
        })
    }

    fn has(&self, start: DateTime) -> bool {
        let day = i64::from(start.weekday().to_monday_zero_offset());
        let minute = day * DAY + i64::from(start.hour()) * 60 + i64::from(start.minute());
        let inside = |span: Span, minute| span.start <= minute && minute < span.end;
        self.spans().any(|span| inside(span, minute) || inside(span, minute + WEEK))
    }

    fn overlaps(&self, other: &Self) -> bool {
        let week_on = |span: Span, weeks: i64| Span::new(span.start + weeks * WEEK, span.end + weeks * WEEK);
        self.spans().any(|a| other.spans().any(|b| [-1, 0, 1].into_iter().any(|weeks| a.overlaps(week_on(b, weeks)))))
    }
}

/// A price for some visits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRule {
    /// Only here.
    pub store: Option<StoreId>,
    /// Only with therapists of this grade.
    pub grade: Option<i16>,
    /// Only if the visit starts then.
    pub daypart: Option<Daypart>,
    /// What it costs.
    pub price: Money,
}

impl PriceRule {
    fn fits(&self, store: StoreId, grade: i16, start: DateTime) -> bool {
        self.store.is_none_or(|only| only == store)
            && self.grade.is_none_or(|only| only == grade)
            && self.daypart.as_ref().is_none_or(|only| only.has(start))
    }

    /// Greater is more specific.
    fn rank(&self) -> (bool, bool, bool) {
        (self.store.is_some(), self.grade.is_some(), self.daypart.is_some())
    }

    /// Whether some visit fits both equally well.
    fn contradicts(&self, other: &Self) -> bool {
        let times = match (&self.daypart, &other.daypart) {
            (Some(a), Some(b)) => a.overlaps(b),
            (None, None) => true,
            _ => false,
        };
        self.store == other.store && self.grade == other.grade && times
    }
}

/// What an item costs at a store, from a therapist of a grade, starting at a local time.
pub fn price(item: &Item, store: StoreId, grade: i16, local_start: DateTime) -> Money {
    let fitting = item.prices.iter().filter(|rule| rule.fits(store, grade, local_start));
    fitting.max_by_key(|rule| rule.rank()).map_or(item.price, |rule| rule.price)
}

/// What a package costs: its own price, or the sum of its items, each as [`price`] says. `items` are those of the package
/// with the grade of their therapist and their local start.
///
/// Fails with `InvalidArgument` if the sum is out of range.
pub fn package_price(package: &Package, store: StoreId, items: &[(&Item, i16, DateTime)]) -> Result<Money> {
    if let Some(price) = package.price {
        return Ok(price);
    }
    let prices = items.iter().map(|(item, grade, start)| price(item, store, *grade, *start));
    prices.into_iter().try_fold(Money::zero(package.currency), Money::try_add)
}

/// What a visit costs after its reductions if its list price is another by now: they hold in the same proportion, since
/// what tier and coupon take off are parts of the price. So nobody need be asked for a price again, and no coupon is kept
/// twice. Never less than the deposit, of which so much is due already.
///
/// Fails with `InvalidArgument` if it is out of range.
pub fn repriced(booking: &Booking, list_price: Money) -> Result<Money> {
    let (before, after) = (booking.list_price, booking.price);
    let price = match before.is_zero() {
        true => list_price,
        false => in_proportion(list_price, after.minor(), before.minor())?,
    };
    Ok(if price.minor() < booking.deposit.minor() { booking.deposit } else { price })
}

/// So many parts of an amount that is `whole` parts, rounded half up to the minor unit; `whole` must be above 0.
///
/// Fails with `InvalidArgument` if it is out of range.
pub fn in_proportion(amount: Money, part: i64, whole: i64) -> Result<Money> {
    let (exact, whole) = (i128::from(amount.minor()) * i128::from(part), i128::from(whole.max(1)));
    let minor = i64::try_from((2 * exact + whole).div_euclid(2 * whole));
    let minor = minor.map_err(|_| Error::invalid("price", "is more than can be reckoned with"))?;
    Ok(Money::new(minor, amount.currency()))
}

/// Refuses prices that are negative, in another currency than the item's, or of which two fit a visit equally well, with
/// `InvalidArgument` at `item.prices[…]`.
pub fn check_prices(item: &Item) -> Result<()> {
    for (index, rule) in item.prices.iter().enumerate() {
        let field = |name: &str| format!("item.prices[{index}]{name}");
        if rule.price.currency() != item.price.currency() {
            let text = format!("must be {}, as that of item.price", item.price.currency());
            return Err(Error::invalid(field(".price.currency_code"), text));
        }
        if rule.price.is_negative() {
            return Err(Error::invalid(field(".price"), "must not be below 0"));
        }
        if let Some(other) = item.prices[..index].iter().position(|other| other.contradicts(rule)) {
            let text = format!("holds for visits for which item.prices[{other}] holds as well; leave one out");
            return Err(Error::invalid(field(""), text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
