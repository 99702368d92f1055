//! Items.

use std::collections::BTreeSet;

use kernel::{
    Error, Result, Timestamp,
    ids::{ItemId, StoreId, TherapistId},
};
use pg::{
    Tx,
    outbox::{self, NewEvent},
};
use proto::booking::v1 as pb;
use rpc::{Caller, convert::to_money};

use super::detail;
use crate::{
    App, db,
    domain::{
        catalog::{Item, ItemCancellation, check_add_on, check_in_use, check_package},
        etag,
        hours::time_zone,
    },
    flows::{
        Once,
        edit::{Frame, Started},
        stranded::refuse,
    },
    rpc::convert::{self, Edit, to_item},
};

/// Adds an item. No plan can have been made with it, so nobody's roster changes.
pub async fn create_item(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::CreateItemRequest>,
    (item, cancellations): (Item, Vec<ItemCancellation>),
) -> Result<pb::Item> {
    let now = item.create_time;
    let mut frame = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(frame) => *frame,
    };
    // What it refers to stays as it is until it is stored.
    db::roster::share_all(&mut frame.tx).await?;
    let item = referring(&mut frame.tx, item, &cancellations).await?;
    db::catalog::insert_item(&mut frame.tx, &item).await?;
    db::catalog::put_item_cancellations(&mut frame.tx, item.id, &cancellations).await?;
    tell(&mut frame.tx, &item, now).await?;
    frame
        .finish_with(caller, "item.create", item.id.name(), detail(item.version, &[]), to_item(&item, &cancellations))
        .await
}

/// Changes an item, unless therapists, rooms or machines of visits would not do any more.
pub async fn update_item(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::UpdateItemRequest>,
    id: ItemId,
    edit: Edit<pb::Item>,
) -> Result<pb::Item> {
    let mut frame = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(frame) => *frame,
    };
    let now = frame.now;
    let (before, cancellations) = locked(&mut frame.tx, id, edit.etag()).await?;
    let wanted = edit.onto(to_item(&before, &cancellations))?;
    let (after, cancellations) = convert::item(wanted, now)?;
    let after = Item { id, version: before.version + 1, create_time: before.create_time, ..after };
    if after.price.currency() != before.price.currency() {
        let text = format!("must stay {}; make another item for another currency", before.price.currency());
        return Err(Error::invalid("item.price.currency_code", text));
    }
    let after = referring(&mut frame.tx, after, &cancellations).await?;
    check_visits(&mut frame.tx, &before, &after, now).await?;
    check_packages(&mut frame.tx, &before, &after).await?;
    db::catalog::update_item(&mut frame.tx, &after).await?;
    db::catalog::put_item_cancellations(&mut frame.tx, id, &cancellations).await?;
    tell(&mut frame.tx, &after, now).await?;
    frame
        .finish_with(
            caller,
            "item.update",
            id.name(),
            detail(after.version, &edit.fields),
            to_item(&after, &cancellations),
        )
        .await
}

/// Takes an item off the menu; what is booked takes place.
pub async fn retire_item(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::RetireItemRequest>,
    id: ItemId,
    given: &str,
) -> Result<pb::Item> {
    let mut frame = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(frame) => *frame,
    };
    let now = frame.now;
    let (item, cancellations) = locked(&mut frame.tx, id, given).await?;
    if let Some(package) = db::catalog::packages_with(&mut frame.tx, id).await?.first() {
        return Err(Error::precondition("IN_PACKAGE", "a package has this item; retire or change that first")
            .with("package", package.id));
    }
    let item = Item { version: item.version + 1, retire_time: Some(now), ..item };
    db::catalog::update_item(&mut frame.tx, &item).await?;
    tell(&mut frame.tx, &item, now).await?;
    frame.finish_with(caller, "item.retire", id.name(), detail(item.version, &[]), to_item(&item, &cancellations)).await
}

/// Owns every roster, since every store may offer it, and reads the item as it is now.
async fn locked(tx: &mut Tx, id: ItemId, given: &str) -> Result<(Item, Vec<ItemCancellation>)> {
    db::catalog::get_item(tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    db::roster::own_all(tx).await?;
    let item = db::catalog::get_item(tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    etag::check("item.etag", given, item.version)?;
    check_in_use(item.retire_time)?;
    let cancellations = db::catalog::item_cancellations(tx, &[id]).await?.remove(&id).unwrap_or_default();
    Ok((item, cancellations))
}

/// The item, unless it refers to stores or items that don't exist or don't go with it.
async fn referring(tx: &mut Tx, mut item: Item, cancellations: &[ItemCancellation]) -> Result<Item> {
    let named = named_stores(&item, cancellations);
    let ids: BTreeSet<StoreId> = named.iter().map(|(_, store)| *store).collect();
    let stores = db::catalog::get_stores(tx, &ids.into_iter().collect::<Vec<_>>()).await?;
    for (field, id) in named {
        let Some(store) = stores.iter().find(|store| store.id == id) else {
            return Err(Error::invalid(field, "does not exist; name a store"));
        };
        if store.currency != item.price.currency() {
            let text = format!("charges in {}, the item is priced in {}", store.currency, item.price.currency());
            return Err(Error::invalid(field, text));
        }
    }
    let targets = db::catalog::get_items(tx, &item.add_on_to).await?;
    check_add_on(&item, &targets, db::catalog::items_added_to(tx, item.id).await?)?;
    item.add_on_to.sort_unstable();
    Ok(item)
}

/// The stores that an item names, each with its field.
fn named_stores(item: &Item, cancellations: &[ItemCancellation]) -> Vec<(String, StoreId)> {
    let prices = item.prices.iter().enumerate();
    let of_prices = prices.filter_map(|(n, rule)| Some((format!("item.prices[{n}].store"), rule.store?)));
    let tiers = cancellations.iter().enumerate();
    let of_tiers = tiers.map(|(n, of)| (format!("item.cancellations[{n}].store"), of.store));
    of_prices.chain(of_tiers).collect()
}

/// Refuses to ask for what the resources of booked visits don't have.
async fn check_visits(tx: &mut Tx, before: &Item, after: &Item, now: Timestamp) -> Result<()> {
    let needs = |item: &Item| {
        (item.skill.clone(), item.certificate.clone(), item.room_kind.clone(), item.equipment_kind.clone())
    };
    if needs(before) == needs(after) {
        return Ok(());
    }
    let which = db::catalog::Which { item: Some(before.id), ..db::catalog::Which::default() };
    let parts = db::catalog::live_parts(tx, which, now).await?;
    let ids: BTreeSet<TherapistId> = parts.iter().map(|part| part.therapist).collect();
    let therapists = db::catalog::get_therapists(tx, &ids.into_iter().collect::<Vec<_>>()).await?;
    let mut stranded = Vec::new();
    for part in parts {
        let day = part.end_time.to_zoned(time_zone("store.time_zone", &part.time_zone)?).date();
        let served = |item: &Item| {
            let gives = therapists.iter().find(|therapist| therapist.id == part.therapist);
            let machine = item.equipment_kind.as_ref().is_none_or(|kind| part.equipment_kind.as_ref() == Some(kind));
            gives.is_some_and(|therapist| therapist.can_give(&item.skill, item.certificate.as_deref(), day))
                && part.room_kind == item.room_kind
                && machine
        };
        if served(before) && !served(after) {
            stranded.push(part.booking);
        }
    }
    refuse(stranded)
}

/// Refuses what would make a package of it impossible.
async fn check_packages(tx: &mut Tx, before: &Item, after: &Item) -> Result<()> {
    for package in db::catalog::packages_with(tx, before.id).await? {
        let mut items = db::catalog::get_items(tx, &package.items).await?;
        items.retain(|item| item.id != after.id);
        items.push(after.clone());
        if let Err(refused) = check_package(&package, &items) {
            return Err(Error::precondition("PACKAGE_IMPOSSIBLE", "a package has this item, and could not be booked")
                .with("package", package.id)
                .with("why", refused.message()));
        }
    }
    Ok(())
}

async fn tell(tx: &mut Tx, item: &Item, now: Timestamp) -> Result<()> {
    let changed = pb::ItemChanged {
        item: item.id.name(),
        display_name: item.display_name.clone(),
        category: item.category.clone(),
        duration_minutes: item.duration_minutes,
        price: Some(to_money(item.price)),
        add_on_to: item.add_on_to.iter().map(|id| id.name()).collect(),
        retired: item.retire_time.is_some(),
    };
    outbox::append(tx, NewEvent::new(item.id.uuid(), item.version, now, &changed)).await?;
    Ok(())
}
