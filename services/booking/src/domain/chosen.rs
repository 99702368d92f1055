//! What a customer chooses from the menu: an item with its add-ons, or a package.

use jiff::tz::TimeZone;
use kernel::{
    Error, Money, Result,
    ids::{ItemId, PackageId},
};

use super::{
    availability::Part,
    catalog::{Item, Package, Store},
    pricing::{package_price, price},
    span::{Minute, instant},
    visit::{Visit, Wish},
};

/// The most people who can come together.
pub const LARGEST_PARTY: usize = 20;

/// The most add-ons of one visit.
pub const MOST_ADD_ONS: usize = 10;

/// What is asked for, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// An item and what is added to it, in this order.
    Item(ItemId, Vec<ItemId>),
    /// A package.
    Package(PackageId),
}

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// An item and what is added to it.
    Item {
        /// The item.
        item: Item,
        /// What follows it at once.
        add_ons: Vec<Item>,
    },
    /// A package.
    Package {
        /// The package.
        package: Package,
        /// Its items, in their order.
        items: Vec<Item>,
    },
}

/// What serves a leg of a visit, and the grade of who gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// What serves it.
    pub part: Part,
    /// 1 (junior) to 5 (master).
    pub grade: i16,
}

impl Chosen {
    /// The item by which the visit is known: that of its first leg.
    pub fn first(&self) -> Result<&Item> {
        match self {
            Self::Item { item, .. } => Ok(item),
            Self::Package { items, .. } => items.first().ok_or_else(|| Error::internal("a package without an item")),
        }
    }

    /// What is added to the item.
    pub fn add_ons(&self) -> &[Item] {
        match self {
            Self::Item { add_ons, .. } => add_ons,
            Self::Package { .. } => &[],
        }
    }

    /// The package, if it is one.
    pub fn package(&self) -> Option<PackageId> {
        match self {
            Self::Item { .. } => None,
            Self::Package { package, .. } => Some(package.id),
        }
    }

    /// Whether it can be had from this store's menu.
    ///
    /// Fails with `InvalidArgument` at `add_ons[…]` if one is named twice, and with `FailedPrecondition`: ITEM_RETIRED,
    /// ADD_ON_ALONE, NOT_AN_ADD_ON, PACKAGE_RETIRED, or CURRENCY_MISMATCH if the store charges in another currency.
    pub fn check(&self, store: &Store) -> Result<()> {
        match self {
            Self::Item { item, add_ons } => {
                item.check_offered()?;
                for (index, add_on) in add_ons.iter().enumerate() {
                    if add_ons[..index].iter().any(|other| other.id == add_on.id) {
                        return Err(Error::invalid(format!("add_ons[{index}]"), "is named twice; leave one out"));
                    }
                    add_on.check_added_to(item.id)?;
                }
            }
            Self::Package { package, .. } => {
                if package.retire_time.is_some() {
                    let text = "this is offered no longer; choose another package";
                    return Err(Error::precondition("PACKAGE_RETIRED", text).with("package", package.id));
                }
            }
        }
        self.check_currency(store)
    }

    /// Whether it is priced in the currency in which this store charges; fails with CURRENCY_MISMATCH.
    pub fn check_currency(&self, store: &Store) -> Result<()> {
        let currency = match self {
            Self::Item { item, .. } => item.price.currency(),
            Self::Package { package, .. } => package.currency,
        };
        if currency == store.currency {
            return Ok(());
        }
        let text = format!("the item is priced in {currency}, the store charges in {}", store.currency);
        Err(Error::precondition("CURRENCY_MISMATCH", text))
    }

    /// The ways to give it to so many people at the same time, the best first. A therapist who is wished for is the first
    /// one's; all other wishes are for everybody.
    ///
    /// Fails as [`Visit::of_item`] and [`Visit::of_package`] do.
    pub fn visits(&self, guests: usize, wish: &Wish) -> Result<Vec<Visit>> {
        let of_one = match self {
            Self::Item { item, add_ons } => vec![Visit::of_item(item, add_ons)?],
            Self::Package { package, items } => {
                Visit::of_package(items, i64::from(package.gap_limit_minutes), package.one_therapist)?
            }
        };
        let anybody = wish.besides_name();
        let together = |visit: Visit| {
            let all = (0..guests.max(1)).map(|_| (visit.clone(), 0)).collect();
            let party = (1..guests).fold(Visit::together(all), |party, guest| party.wishing(guest, &anybody));
            party.wishing(0, wish)
        };
        Ok(of_one.into_iter().map(together).collect())
    }

    /// What it costs before any reduction, for everybody who comes. `served` are the legs of `visit` begun at `start`.
    pub fn price(
        &self,
        store: &Store,
        zone: &TimeZone,
        visit: &Visit,
        start: Minute,
        served: &[Served],
    ) -> Result<Money> {
        let guests = visit.guests();
        (0..guests).try_fold(Money::zero(store.currency), |sum, guest| {
            let of_guest = served.iter().filter(|leg| visit.legs.get(leg.part.leg).is_some_and(|of| of.guest == guest));
            sum.try_add(self.price_of_one(store, zone, start, of_guest)?)
        })
    }

    /// The same for one guest of a party, of which each may have chosen something else.
    pub fn price_of_guest(
        &self,
        store: &Store,
        zone: &TimeZone,
        visit: &Visit,
        guest: usize,
        served: &[Served],
    ) -> Result<Money> {
        let his = || served.iter().filter(|leg| visit.legs.get(leg.part.leg).is_some_and(|of| of.guest == guest));
        let start = his().map(|leg| leg.part.time.start).min().unwrap_or(0);
        self.price_of_one(store, zone, start, his())
    }

    fn price_of_one<'a>(
        &self,
        store: &Store,
        zone: &TimeZone,
        start: Minute,
        served: impl Iterator<Item = &'a Served>,
    ) -> Result<Money> {
        let local = |minute| instant(minute).to_zoned(zone.clone()).datetime();
        match self {
            Self::Item { item, add_ons } => {
                let grade = served.map(|leg| leg.grade).next().unwrap_or_default();
                let at = local(start);
                add_ons.iter().try_fold(price(item, store.id, grade, at), |sum, add_on| {
                    sum.try_add(price(add_on, store.id, grade, at))
                })
            }
            Self::Package { package, items } => {
                let legs: Vec<_> =
                    items.iter().zip(served).map(|(item, leg)| (item, leg.grade, local(leg.part.time.start))).collect();
                package_price(package, store.id, &legs)
            }
        }
    }
}
