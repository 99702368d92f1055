//! Items with their phases, prices and add-ons.

use std::collections::HashMap;

use kernel::{
    Currency, Money, Uuid,
    ids::{ItemId, StoreId},
};
use pg::PgConnection;
use serde::Deserialize;
use sqlx::types::Json;

use super::{AfterName, narrow};
use crate::{
    db::{currency, sql},
    domain::{
        catalog::{Item, ItemCancellation},
        policy::CancellationTier,
        pricing::{Daypart, PriceRule},
        visit::{Phase, ResourceKind},
    },
};

/// Which items are listed.
#[derive(Debug, Clone, Default)]
pub struct ItemFilter {
    /// Also those that are offered no longer.
    pub retired: bool,
    /// Only the add-ons of this item.
    pub add_on_to: Option<ItemId>,
    /// Only this group of the menu.
    pub category: Option<String>,
}

/// Stores a new item.
#[tracing::instrument(name = "db.item.insert", skip_all)]
pub async fn insert_item(conn: &mut PgConnection, item: &Item) -> pg::Result<()> {
    let currency = item.price.currency();
    sqlx::query!(
        "insert into item (id, display_name, description, category, photos, duration_minutes, preparation_minutes,
                           cleanup_minutes, price_minor, currency, skill, certificate, room_kind, equipment_kind,
                           version, create_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        item.id.uuid(),
        item.display_name,
        item.description,
        item.category,
        &item.photos,
        item.duration_minutes,
        item.preparation_minutes,
        item.cleanup_minutes,
        item.price.minor(),
        currency.code(),
        item.skill,
        item.certificate,
        item.room_kind,
        item.equipment_kind,
        item.version,
        sql(item.create_time) as _,
    )
    .execute(&mut *conn)
    .await?;
    insert_parts(conn, item).await
}

/// Stores the new content of an item.
#[tracing::instrument(name = "db.item.update", skip_all)]
pub async fn update_item(conn: &mut PgConnection, item: &Item) -> pg::Result<()> {
    sqlx::query!(
        "update item set display_name = $2, description = $3, category = $4, photos = $5, duration_minutes = $6,
                         preparation_minutes = $7, cleanup_minutes = $8, price_minor = $9, skill = $10,
                         certificate = $11, room_kind = $12, equipment_kind = $13, version = $14, retire_time = $15
         where id = $1",
        item.id.uuid(),
        item.display_name,
        item.description,
        item.category,
        &item.photos,
        item.duration_minutes,
        item.preparation_minutes,
        item.cleanup_minutes,
        item.price.minor(),
        item.skill,
        item.certificate,
        item.room_kind,
        item.equipment_kind,
        item.version,
        item.retire_time.map(sql) as _,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("delete from item_phase where item_id = $1", item.id.uuid()).execute(&mut *conn).await?;
    sqlx::query!("delete from item_price where item_id = $1", item.id.uuid()).execute(&mut *conn).await?;
    sqlx::query!("delete from item_add_on where item_id = $1", item.id.uuid()).execute(&mut *conn).await?;
    insert_parts(conn, item).await
}

async fn insert_parts(conn: &mut PgConnection, item: &Item) -> pg::Result<()> {
    for (ordinal, phase) in (0_i16..).zip(&item.phases) {
        sqlx::query!(
            "insert into item_phase (item_id, ordinal, resource, start_minute, minutes) values ($1, $2, $3, $4, $5)",
            item.id.uuid(),
            ordinal,
            resource_name(phase.resource),
            narrow::<i32>("item_phase", item.id, phase.start)?,
            narrow::<i32>("item_phase", item.id, phase.minutes)?,
        )
        .execute(&mut *conn)
        .await?;
    }
    for (ordinal, rule) in (0_i16..).zip(&item.prices) {
        let daypart = rule.daypart.as_ref();
        sqlx::query!(
            "insert into item_price (item_id, ordinal, store_id, grade, days, start_minute, end_minute, price_minor)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            item.id.uuid(),
            ordinal,
            rule.store.map(StoreId::uuid),
            rule.grade,
            daypart.map_or(&[][..], |daypart| &daypart.days),
            daypart.map(|daypart| daypart.start_minute),
            daypart.map(|daypart| daypart.end_minute),
            rule.price.minor(),
        )
        .execute(&mut *conn)
        .await?;
    }
    if !item.add_on_to.is_empty() {
        sqlx::query!(
            "insert into item_add_on (item_id, to_id) select $1, * from unnest($2::uuid[])",
            item.id.uuid(),
            &item.add_on_to.iter().map(|id| id.uuid()).collect::<Vec<_>>(),
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// Reads an item.
#[tracing::instrument(name = "db.item.get", skip_all)]
pub async fn get_item(conn: &mut PgConnection, id: ItemId) -> pg::Result<Option<Item>> {
    Ok(items(conn, Some(&[id]), &ItemFilter { retired: true, ..ItemFilter::default() }, None, 1).await?.pop())
}

/// Reads those of the items that exist, by name.
#[tracing::instrument(name = "db.item.get_all", skip_all)]
pub async fn get_items(conn: &mut PgConnection, ids: &[ItemId]) -> pg::Result<Vec<Item>> {
    items(conn, Some(ids), &ItemFilter { retired: true, ..ItemFilter::default() }, None, i64::MAX).await
}

/// Lists items by name.
#[tracing::instrument(name = "db.item.list", skip_all)]
pub async fn list_items(
    conn: &mut PgConnection,
    filter: &ItemFilter,
    after: AfterName,
    limit: i64,
) -> pg::Result<Vec<Item>> {
    items(conn, None, filter, after, limit).await
}

/// Whether other items, retired or not, can be added to this one.
#[tracing::instrument(name = "db.item_add_on.exists", skip_all)]
pub async fn items_added_to(conn: &mut PgConnection, id: ItemId) -> pg::Result<bool> {
    Ok(sqlx::query_scalar!(r#"select exists (select from item_add_on where to_id = $1) as "has!""#, id.uuid())
        .fetch_one(conn)
        .await?)
}

#[derive(Debug, Deserialize)]
struct PhaseRow {
    resource: String,
    start_minute: i64,
    minutes: i64,
}

#[derive(Debug, Deserialize)]
struct PriceRow {
    store_id: Option<Uuid>,
    grade: Option<i16>,
    days: Vec<i16>,
    start_minute: Option<i16>,
    end_minute: Option<i16>,
    price_minor: i64,
}

async fn items(
    conn: &mut PgConnection,
    ids: Option<&[ItemId]>,
    filter: &ItemFilter,
    after: AfterName,
    limit: i64,
) -> pg::Result<Vec<Item>> {
    let ids: Option<Vec<Uuid>> = ids.map(|ids| ids.iter().map(|id| id.uuid()).collect());
    let (name, last) = after.unzip();
    let rows = sqlx::query!(
        r#"select i.*,
                  coalesce((select json_agg(p order by p.ordinal) from item_phase p where p.item_id = i.id), '[]')
                      as "phases!: Json<Vec<PhaseRow>>",
                  coalesce((select json_agg(p order by p.ordinal) from item_price p where p.item_id = i.id), '[]')
                      as "prices!: Json<Vec<PriceRow>>",
                  array(select to_id from item_add_on a where a.item_id = i.id order by to_id) as "add_on_to!"
           from item i
           where ($1::uuid[] is null or i.id = any($1)) and ($2 or retire_time is null)
             and ($3::uuid is null or exists (select from item_add_on a where a.item_id = i.id and a.to_id = $3))
             and ($4::text is null or category = $4)
             and ($5::text is null or (display_name, i.id) > ($5, $6::uuid))
           order by display_name, i.id limit $7"#,
        ids.as_deref(),
        filter.retired,
        filter.add_on_to.map(ItemId::uuid),
        filter.category,
        name,
        last,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let charged_in = currency("item", row.id, &row.currency)?;
            Ok(Item {
                id: ItemId::from_uuid(row.id),
                display_name: row.display_name,
                description: row.description,
                category: row.category,
                photos: row.photos,
                duration_minutes: row.duration_minutes,
                preparation_minutes: row.preparation_minutes,
                cleanup_minutes: row.cleanup_minutes,
                phases: row.phases.0.into_iter().map(|phase| read_phase(row.id, &phase)).collect::<pg::Result<_>>()?,
                price: Money::new(row.price_minor, charged_in),
                prices: row.prices.0.into_iter().map(|price| read_price(price, charged_in)).collect(),
                skill: row.skill,
                certificate: row.certificate,
                room_kind: row.room_kind,
                equipment_kind: row.equipment_kind,
                add_on_to: row.add_on_to.into_iter().map(ItemId::from_uuid).collect(),
                version: row.version,
                create_time: row.create_time.to_jiff(),
                retire_time: row.retire_time.map(jiff_sqlx::Timestamp::to_jiff),
            })
        })
        .collect()
}

fn read_phase(item: Uuid, row: &PhaseRow) -> pg::Result<Phase> {
    let known = [ResourceKind::Therapist, ResourceKind::Room, ResourceKind::Equipment];
    let resource = known
        .into_iter()
        .find(|kind| resource_name(*kind) == row.resource)
        .ok_or_else(|| pg::Error::inconsistent("item_phase", item, "unknown resource"))?;
    Ok(Phase { resource, start: row.start_minute, minutes: row.minutes })
}

fn resource_name(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Therapist => "THERAPIST",
        ResourceKind::Room => "ROOM",
        ResourceKind::Equipment => "EQUIPMENT",
    }
}

fn read_price(row: PriceRow, currency: Currency) -> PriceRule {
    let daypart = row.start_minute.zip(row.end_minute);
    PriceRule {
        store: row.store_id.map(StoreId::from_uuid),
        grade: row.grade,
        daypart: daypart.map(|(start_minute, end_minute)| Daypart { days: row.days, start_minute, end_minute }),
        price: Money::new(row.price_minor, currency),
    }
}

/// Reads what it costs to cancel items, store by store.
#[tracing::instrument(name = "db.cancellation_tier.of_items", skip_all)]
pub async fn item_cancellations(
    conn: &mut PgConnection,
    ids: &[ItemId],
) -> pg::Result<HashMap<ItemId, Vec<ItemCancellation>>> {
    let rows = sqlx::query!(
        r#"select item_id as "item_id!", store_id, notice_minutes, fee_basis_points from cancellation_tier
           where item_id = any($1) order by item_id, store_id, notice_minutes desc"#,
        &ids.iter().map(|id| id.uuid()).collect::<Vec<_>>(),
    )
    .fetch_all(conn)
    .await?;
    let mut all: HashMap<ItemId, Vec<ItemCancellation>> = HashMap::new();
    for row in rows {
        let tier = CancellationTier {
            notice_minutes: i64::from(row.notice_minutes),
            fee_basis_points: narrow("cancellation_tier", row.item_id, i64::from(row.fee_basis_points))?,
        };
        let store = StoreId::from_uuid(row.store_id);
        let of_item = all.entry(ItemId::from_uuid(row.item_id)).or_default();
        match of_item.last_mut().filter(|last| last.store == store) {
            Some(known) => known.tiers.push(tier),
            None => of_item.push(ItemCancellation { store, tiers: vec![tier] }),
        }
    }
    Ok(all)
}

/// Stores what it costs to cancel an item.
#[tracing::instrument(name = "db.cancellation_tier.put_of_item", skip_all)]
pub async fn put_item_cancellations(
    conn: &mut PgConnection,
    id: ItemId,
    cancellations: &[ItemCancellation],
) -> pg::Result<()> {
    sqlx::query!("delete from cancellation_tier where item_id = $1", id.uuid()).execute(&mut *conn).await?;
    for of in cancellations {
        for tier in &of.tiers {
            sqlx::query!(
                "insert into cancellation_tier (store_id, item_id, notice_minutes, fee_basis_points)
                 values ($1, $2, $3, $4)",
                of.store.uuid(),
                id.uuid(),
                narrow::<i32>("cancellation_tier", id, tier.notice_minutes)?,
                narrow::<i32>("cancellation_tier", id, i64::from(tier.fee_basis_points))?,
            )
            .execute(&mut *conn)
            .await?;
        }
    }
    Ok(())
}
