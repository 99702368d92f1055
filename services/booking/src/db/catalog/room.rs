//! Rooms, beds and machines.

use kernel::{
    Uuid,
    ids::{RoomId, StoreId},
};
use pg::PgConnection;

use super::AfterName;
use crate::{db::sql, domain::catalog::Room};

/// Which rooms are listed.
#[derive(Debug, Clone, Default)]
pub struct RoomFilter {
    /// Only those here.
    pub store: Option<StoreId>,
    /// Also those that are in use no longer.
    pub retired: bool,
    /// Only this kind.
    pub kind: Option<String>,
}

/// Stores a new room. Violates `room_store_id_fkey` if there is no such store.
#[tracing::instrument(name = "db.room.insert", skip_all)]
pub async fn insert_room(conn: &mut PgConnection, room: &Room) -> pg::Result<()> {
    sqlx::query!(
        "insert into room (id, store_id, display_name, kind, parent_id, position, version, create_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        room.id.uuid(),
        room.store.uuid(),
        room.display_name,
        room.kind,
        room.parent.map(RoomId::uuid),
        room.position,
        room.version,
        sql(room.create_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores the new content of a room.
#[tracing::instrument(name = "db.room.update", skip_all)]
pub async fn update_room(conn: &mut PgConnection, room: &Room) -> pg::Result<()> {
    sqlx::query!(
        "update room set display_name = $2, kind = $3, parent_id = $4, position = $5, version = $6, retire_time = $7
         where id = $1",
        room.id.uuid(),
        room.display_name,
        room.kind,
        room.parent.map(RoomId::uuid),
        room.position,
        room.version,
        room.retire_time.map(sql) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads a room.
#[tracing::instrument(name = "db.room.get", skip_all)]
pub async fn get_room(conn: &mut PgConnection, id: RoomId) -> pg::Result<Option<Room>> {
    let all = RoomFilter { retired: true, ..RoomFilter::default() };
    Ok(rooms(conn, Some(id), &all, None, 1).await?.pop())
}

/// Lists rooms by name.
#[tracing::instrument(name = "db.room.list", skip_all)]
pub async fn list_rooms(
    conn: &mut PgConnection,
    filter: &RoomFilter,
    after: AfterName,
    limit: i64,
) -> pg::Result<Vec<Room>> {
    rooms(conn, None, filter, after, limit).await
}

/// The kind of a store's room, bed or machine; `None` if the store has none of that id.
#[tracing::instrument(name = "db.room.kind", skip_all)]
pub async fn room_kind(conn: &mut PgConnection, store: StoreId, id: RoomId) -> pg::Result<Option<String>> {
    let kind = sqlx::query_scalar!("select kind from room where id = $1 and store_id = $2", id.uuid(), store.uuid());
    Ok(kind.fetch_optional(conn).await?)
}

/// Whether beds that are in use stand in a room.
#[tracing::instrument(name = "db.room.has_beds", skip_all)]
pub async fn has_beds(conn: &mut PgConnection, id: RoomId) -> pg::Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from room where parent_id = $1 and retire_time is null) as "has!""#,
        id.uuid()
    )
    .fetch_one(conn)
    .await?)
}

async fn rooms(
    conn: &mut PgConnection,
    id: Option<RoomId>,
    filter: &RoomFilter,
    after: AfterName,
    limit: i64,
) -> pg::Result<Vec<Room>> {
    let (name, last): (Option<String>, Option<Uuid>) = after.unzip();
    let rows = sqlx::query!(
        "select * from room
         where ($1::uuid is null or id = $1) and ($2::uuid is null or store_id = $2) and ($3 or retire_time is null)
           and ($4::text is null or kind = $4) and ($5::text is null or (display_name, id) > ($5, $6::uuid))
         order by display_name, id limit $7",
        id.map(RoomId::uuid),
        filter.store.map(StoreId::uuid),
        filter.retired,
        filter.kind,
        name,
        last,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Room {
            id: RoomId::from_uuid(row.id),
            store: StoreId::from_uuid(row.store_id),
            display_name: row.display_name,
            kind: row.kind,
            parent: row.parent_id.map(RoomId::from_uuid),
            position: row.position,
            version: row.version,
            create_time: row.create_time.to_jiff(),
            retire_time: row.retire_time.map(jiff_sqlx::Timestamp::to_jiff),
        })
        .collect())
}
