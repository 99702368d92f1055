//! Stores, items, therapists and rooms.

use kernel::{
    Uuid,
    ids::{ItemId, RoomId, StoreId, TherapistId},
};
use pg::PgConnection;

use super::{currency, money, sql};
use crate::domain::{
    catalog::{Item, Room, Sex, Store, Therapist},
    hours::OpeningHours,
};

/// Where a list by name goes on: after this name and id.
pub type AfterName = Option<(String, Uuid)>;

/// Stores a new store with its hours.
#[tracing::instrument(name = "db.store.insert", skip_all)]
pub async fn insert_store(conn: &mut PgConnection, store: &Store) -> pg::Result<()> {
    sqlx::query!(
        "insert into store (id, display_name, address, latitude, longitude, time_zone, currency, create_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        store.id.uuid(),
        store.display_name,
        store.address,
        store.position.map(|(latitude, _)| latitude),
        store.position.map(|(_, longitude)| longitude),
        store.time_zone,
        store.currency.code(),
        sql(store.create_time) as _,
    )
    .execute(&mut *conn)
    .await?;
    for hours in &store.opening_hours {
        sqlx::query!(
            "insert into store_opening_hours (store_id, day, open_minute, close_minute) values ($1, $2, $3, $4)",
            store.id.uuid(),
            hours.day,
            hours.open_minute,
            hours.close_minute,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Reads a store.
#[tracing::instrument(name = "db.store.get", skip_all)]
pub async fn get_store(conn: &mut PgConnection, id: StoreId) -> pg::Result<Option<Store>> {
    Ok(stores(conn, Some(id), None, 1).await?.pop())
}

/// Lists stores by name.
#[tracing::instrument(name = "db.store.list", skip_all)]
pub async fn list_stores(conn: &mut PgConnection, after: AfterName, limit: i64) -> pg::Result<Vec<Store>> {
    stores(conn, None, after, limit).await
}

async fn stores(conn: &mut PgConnection, id: Option<StoreId>, after: AfterName, limit: i64) -> pg::Result<Vec<Store>> {
    let (name, last) = after.unzip();
    let rows = sqlx::query!(
        r#"select s.id, display_name, address, latitude, longitude, time_zone, currency, create_time,
                  coalesce(array_agg(h.day order by h.day, h.open_minute) filter (where h.day is not null), '{}') as "days!",
                  coalesce(array_agg(h.open_minute order by h.day, h.open_minute) filter (where h.day is not null), '{}') as "opens!",
                  coalesce(array_agg(h.close_minute order by h.day, h.open_minute) filter (where h.day is not null), '{}') as "closes!"
           from store s left join store_opening_hours h on h.store_id = s.id
           where ($1::uuid is null or s.id = $1) and ($2::text is null or (display_name, s.id) > ($2, $3::uuid))
           group by s.id order by display_name, s.id limit $4"#,
        id.map(StoreId::uuid),
        name,
        last,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let hours = row.days.into_iter().zip(row.opens).zip(row.closes);
            Ok(Store {
                id: StoreId::from_uuid(row.id),
                display_name: row.display_name,
                address: row.address,
                position: row.latitude.zip(row.longitude),
                time_zone: row.time_zone,
                opening_hours: hours
                    .map(|((day, open_minute), close_minute)| OpeningHours { day, open_minute, close_minute })
                    .collect(),
                currency: currency("store", row.id, &row.currency)?,
                create_time: row.create_time.to_jiff(),
            })
        })
        .collect()
}

/// Stores a new item.
#[tracing::instrument(name = "db.item.insert", skip_all)]
pub async fn insert_item(conn: &mut PgConnection, item: &Item) -> pg::Result<()> {
    let currency = item.price.currency();
    sqlx::query!(
        "insert into item (id, display_name, description, category, duration_minutes, preparation_minutes,
                           cleanup_minutes, price_minor, currency, skill, room_kind, equipment_kind, create_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        item.id.uuid(),
        item.display_name,
        item.description,
        item.category,
        item.duration_minutes,
        item.preparation_minutes,
        item.cleanup_minutes,
        item.price.minor(),
        currency.code(),
        item.skill,
        item.room_kind,
        item.equipment_kind,
        sql(item.create_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads an item.
#[tracing::instrument(name = "db.item.get", skip_all)]
pub async fn get_item(conn: &mut PgConnection, id: ItemId) -> pg::Result<Option<Item>> {
    Ok(items(conn, Some(id), None, 1).await?.pop())
}

/// Lists items by name.
#[tracing::instrument(name = "db.item.list", skip_all)]
pub async fn list_items(conn: &mut PgConnection, after: AfterName, limit: i64) -> pg::Result<Vec<Item>> {
    items(conn, None, after, limit).await
}

async fn items(conn: &mut PgConnection, id: Option<ItemId>, after: AfterName, limit: i64) -> pg::Result<Vec<Item>> {
    let (name, last) = after.unzip();
    let rows = sqlx::query!(
        "select * from item
         where ($1::uuid is null or id = $1) and ($2::text is null or (display_name, id) > ($2, $3::uuid))
         order by display_name, id limit $4",
        id.map(ItemId::uuid),
        name,
        last,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Item {
                id: ItemId::from_uuid(row.id),
                price: money("item", row.id, row.price_minor, &row.currency)?,
                display_name: row.display_name,
                description: row.description,
                category: row.category,
                duration_minutes: row.duration_minutes,
                preparation_minutes: row.preparation_minutes,
                cleanup_minutes: row.cleanup_minutes,
                skill: row.skill,
                room_kind: row.room_kind,
                equipment_kind: row.equipment_kind,
                certificate: None,
                phases: Vec::new(),
                create_time: row.create_time.to_jiff(),
            })
        })
        .collect()
}

/// Stores a new therapist. Violates `therapist_store_id_fkey` if there is no such store.
#[tracing::instrument(name = "db.therapist.insert", skip_all)]
pub async fn insert_therapist(conn: &mut PgConnection, therapist: &Therapist) -> pg::Result<()> {
    sqlx::query!(
        "insert into therapist (id, store_id, display_name, sex, grade, skills, create_time)
         values ($1, $2, $3, $4, $5, $6, $7)",
        therapist.id.uuid(),
        therapist.store.uuid(),
        therapist.display_name,
        sex_code(therapist.sex),
        therapist.grade,
        &therapist.skills,
        sql(therapist.create_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads a therapist.
#[tracing::instrument(name = "db.therapist.get", skip_all)]
pub async fn get_therapist(conn: &mut PgConnection, id: TherapistId) -> pg::Result<Option<Therapist>> {
    Ok(therapists(conn, Some(id), None, None, 1).await?.pop())
}

/// Lists the therapists of a store by name.
#[tracing::instrument(name = "db.therapist.list", skip_all)]
pub async fn list_therapists(
    conn: &mut PgConnection,
    store: StoreId,
    after: AfterName,
    limit: i64,
) -> pg::Result<Vec<Therapist>> {
    therapists(conn, None, Some(store), after, limit).await
}

async fn therapists(
    conn: &mut PgConnection,
    id: Option<TherapistId>,
    store: Option<StoreId>,
    after: AfterName,
    limit: i64,
) -> pg::Result<Vec<Therapist>> {
    let (name, last) = after.unzip();
    let rows = sqlx::query!(
        "select * from therapist
         where ($1::uuid is null or id = $1) and ($2::uuid is null or store_id = $2)
           and ($3::text is null or (display_name, id) > ($3, $4::uuid))
         order by display_name, id limit $5",
        id.map(TherapistId::uuid),
        store.map(StoreId::uuid),
        name,
        last,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Therapist {
                id: TherapistId::from_uuid(row.id),
                store: StoreId::from_uuid(row.store_id),
                display_name: row.display_name,
                sex: sex(row.sex).ok_or_else(|| pg::Error::inconsistent("therapist", row.id, "unknown sex"))?,
                grade: row.grade,
                skills: row.skills,
                create_time: row.create_time.to_jiff(),
            })
        })
        .collect()
}

/// Stores a new room. Violates `room_store_id_fkey` if there is no such store.
#[tracing::instrument(name = "db.room.insert", skip_all)]
pub async fn insert_room(conn: &mut PgConnection, room: &Room) -> pg::Result<()> {
    sqlx::query!(
        "insert into room (id, store_id, display_name, kind, create_time) values ($1, $2, $3, $4, $5)",
        room.id.uuid(),
        room.store.uuid(),
        room.display_name,
        room.kind,
        sql(room.create_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lists the rooms of a store by name.
#[tracing::instrument(name = "db.room.list", skip_all)]
pub async fn list_rooms(
    conn: &mut PgConnection,
    store: StoreId,
    after: AfterName,
    limit: i64,
) -> pg::Result<Vec<Room>> {
    let (name, last) = after.unzip();
    let rows = sqlx::query!(
        "select * from room
         where store_id = $1 and ($2::text is null or (display_name, id) > ($2, $3::uuid))
         order by display_name, id limit $4",
        store.uuid(),
        name,
        last,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let room = |id, store_id, display_name, kind, create_time: jiff_sqlx::Timestamp| Room {
        id: RoomId::from_uuid(id),
        store: StoreId::from_uuid(store_id),
        display_name,
        kind,
        create_time: create_time.to_jiff(),
    };
    Ok(rows.into_iter().map(|row| room(row.id, row.store_id, row.display_name, row.kind, row.create_time)).collect())
}

/// The kind of a store's room, bed or machine; `None` if the store has none of that id.
#[tracing::instrument(name = "db.room.kind", skip_all)]
pub async fn room_kind(conn: &mut PgConnection, store: StoreId, id: RoomId) -> pg::Result<Option<String>> {
    let kind = sqlx::query_scalar!("select kind from room where id = $1 and store_id = $2", id.uuid(), store.uuid());
    Ok(kind.fetch_optional(conn).await?)
}

/// A sex as it is stored: ISO/IEC 5218.
pub fn sex_code(sex: Sex) -> i16 {
    match sex {
        Sex::Unspecified => 0,
        Sex::Male => 1,
        Sex::Female => 2,
    }
}

/// Reads a sex as it is stored.
pub fn sex(code: i16) -> Option<Sex> {
    [Sex::Unspecified, Sex::Male, Sex::Female].into_iter().find(|sex| sex_code(*sex) == code)
}
