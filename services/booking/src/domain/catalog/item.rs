//! Items.

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{ItemId, StoreId},
};

use crate::domain::{policy::CancellationTier, pricing::PriceRule, visit::Phase};

/// Something that can be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// What people call it.
    pub display_name: String,
    /// What it does for one.
    pub description: String,
    /// Group in the menu.
    pub category: String,
    /// Addresses of pictures.
    pub photos: Vec<String>,
    /// Minutes of treatment.
    pub duration_minutes: i32,
    /// Minutes that the room is needed before.
    pub preparation_minutes: i32,
    /// Minutes that the room is needed after.
    pub cleanup_minutes: i32,
    /// What is needed when; empty if it follows from the three above.
    pub phases: Vec<Phase>,
    /// Price before reductions, where none of `prices` fits.
    pub price: Money,
    /// Prices for some visits; see `domain::pricing`.
    pub prices: Vec<PriceRule>,
    /// The skill that a therapist must have.
    pub skill: String,
    /// The kind of certificate that he must have.
    pub certificate: Option<String>,
    /// The kind of room that it takes.
    pub room_kind: String,
    /// The kind of machine that it takes besides.
    pub equipment_kind: Option<String>,
    /// The items that it can be added to; an add-on has some.
    pub add_on_to: Vec<ItemId>,
    /// Counts the edits, from 1.
    pub version: i64,
    /// When it was added.
    pub create_time: Timestamp,
    /// When it was taken off the menu.
    pub retire_time: Option<Timestamp>,
}

/// What it costs to cancel an item at one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemCancellation {
    /// Where.
    pub store: StoreId,
    /// The longest notice first; never empty.
    pub tiers: Vec<CancellationTier>,
}

impl Item {
    /// Whether it can be booked by itself.
    ///
    /// Fails with `FailedPrecondition`: ITEM_RETIRED, or ADD_ON_ALONE.
    pub fn check_offered(&self) -> Result<()> {
        self.check_on_menu()?;
        if !self.add_on_to.is_empty() {
            return Err(Error::precondition(
                "ADD_ON_ALONE",
                "this can only be added to another item; book that with it",
            ));
        }
        Ok(())
    }

    /// Whether it can be added to `item`.
    ///
    /// Fails with `FailedPrecondition`: ITEM_RETIRED, or NOT_AN_ADD_ON if it isn't one of that item.
    pub fn check_added_to(&self, item: ItemId) -> Result<()> {
        self.check_on_menu()?;
        if !self.add_on_to.contains(&item) {
            return Err(Error::precondition("NOT_AN_ADD_ON", "this can't be added to that item; leave it out")
                .with("item", item)
                .with("add_on", self.id));
        }
        Ok(())
    }

    fn check_on_menu(&self) -> Result<()> {
        match self.retire_time {
            None => Ok(()),
            Some(_) => Err(Error::precondition("ITEM_RETIRED", "this is offered no longer; choose another item")
                .with("item", self.id)),
        }
    }
}

/// Refuses an add-on to items that it can't go with. `targets` are those of `item.add_on_to` that exist; `has_add_ons` says
/// whether other items can be added to this one.
///
/// Fails with `InvalidArgument` at `item.add_on_to[…]` or `item.add_on_to`.
pub fn check_add_on(item: &Item, targets: &[Item], has_add_ons: bool) -> Result<()> {
    for (index, id) in item.add_on_to.iter().enumerate() {
        let wrong = |what: &str| Err(Error::invalid(format!("item.add_on_to[{index}]"), what));
        if item.add_on_to[..index].contains(id) {
            return wrong("is named twice; leave one out");
        }
        if *id == item.id {
            return wrong("is the item itself; name another");
        }
        match targets.iter().find(|target| target.id == *id) {
            None => return wrong("does not exist; name an item"),
            Some(target) if !target.add_on_to.is_empty() => {
                return wrong("is an add-on itself; name what it is added to");
            }
            Some(target) if target.price.currency() != item.price.currency() => {
                return wrong("is priced in another currency");
            }
            Some(_) => {}
        }
    }
    if has_add_ons && !item.add_on_to.is_empty() {
        return Err(Error::invalid("item.add_on_to", "must be empty, since other items can be added to this one"));
    }
    Ok(())
}
