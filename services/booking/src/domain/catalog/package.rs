//! Packages.

use kernel::{
    Currency, Error, Money, Result, Timestamp,
    ids::{ItemId, PackageId},
};

use super::Item;
use crate::domain::visit::{DAY, Phase};

/// Several items in one visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its id.
    pub id: PackageId,
    /// What people call it.
    pub display_name: String,
    /// What it does for one.
    pub description: String,
    /// Addresses of pictures.
    pub photos: Vec<String>,
    /// What is given, in order; an item may come twice.
    pub items: Vec<ItemId>,
    /// Minutes that the customer may wait between one item and the next.
    pub gap_limit_minutes: i32,
    /// One therapist gives all of it.
    pub one_therapist: bool,
    /// Price of the whole; `None` is the sum of its items.
    pub price: Option<Money>,
    /// What it is charged in.
    pub currency: Currency,
    /// Counts the edits, from 1.
    pub version: i64,
    /// When it was added.
    pub create_time: Timestamp,
    /// When it was taken off the menu.
    pub retire_time: Option<Timestamp>,
}

/// Refuses a package of items that can't be booked, in several currencies, or of a day or longer, with `InvalidArgument`
/// at `package.…`. `known` are those of its items that exist. Answers its currency.
pub fn check_package(package: &Package, known: &[Item]) -> Result<Currency> {
    let mut items: Vec<&Item> = Vec::with_capacity(package.items.len());
    for (index, id) in package.items.iter().enumerate() {
        let wrong = |what: String| Err(Error::invalid(format!("package.items[{index}]"), what));
        let Some(item) = known.iter().find(|item| item.id == *id) else {
            return wrong("does not exist; name an item".to_owned());
        };
        if let Err(refused) = item.check_offered() {
            return wrong(refused.message().to_owned());
        }
        if let Some(first) = items.first().filter(|first| first.price.currency() != item.price.currency()) {
            return wrong(format!("must be priced in {}, as the first is", first.price.currency()));
        }
        items.push(item);
    }
    let Some(currency) = items.first().map(|item| item.price.currency()) else {
        return Err(Error::invalid("package.items", "must name at least one item"));
    };
    if let Some(price) = package.price {
        if price.currency() != currency {
            let text = format!("must be {currency}, as that of its items");
            return Err(Error::invalid("package.price.currency_code", text));
        }
        if price.is_negative() {
            return Err(Error::invalid("package.price", "must not be below 0"));
        }
    }
    if longest(package, &items) >= DAY {
        return Err(Error::invalid(
            "package.items",
            "must take less than a day with preparation, cleaning and all gaps; leave some out or allow shorter gaps",
        ));
    }
    Ok(currency)
}

/// Minutes from the first to the last in which anything may be kept.
fn longest(package: &Package, items: &[&Item]) -> i64 {
    let before = items.iter().map(|item| reach(item).0).max().unwrap_or(0);
    let after = items.iter().map(|item| reach(item).1).max().unwrap_or(0);
    let treatments: i64 = items.iter().map(|item| i64::from(item.duration_minutes)).sum();
    let gaps = i64::try_from(items.len()).unwrap_or(i64::MAX).saturating_sub(1);
    before + treatments + gaps.saturating_mul(i64::from(package.gap_limit_minutes)) + after
}

/// Minutes that an item needs something before and after its treatment.
fn reach(item: &Item) -> (i64, i64) {
    let duration = i64::from(item.duration_minutes);
    let end = |phase: &Phase| phase.start + phase.minutes - duration;
    match (item.phases.iter().map(|phase| -phase.start).max(), item.phases.iter().map(end).max()) {
        (Some(before), Some(after)) => (before.max(0), after.max(0)),
        _ => (i64::from(item.preparation_minutes), i64::from(item.cleanup_minutes)),
    }
}
