//! Rooms, beds and machines.

use kernel::{
    Result, Timestamp,
    ids::{RoomId, StoreId},
};
use proto::booking::v1 as pb;
use rpc::convert::to_timestamp;

use super::optional;
use crate::domain::{catalog::Room, etag};

/// A new room.
pub fn room(room: pb::Room, now: Timestamp) -> Result<Room> {
    Ok(Room {
        id: RoomId::new(now),
        store: StoreId::parse_name("room.store", &room.store)?,
        parent: optional(&room.parent, |name| RoomId::parse_name("room.parent", name))?,
        display_name: room.display_name,
        kind: room.kind,
        position: room.position,
        version: 1,
        create_time: now,
        retire_time: None,
    })
}

/// A room for the wire.
pub fn to_room(room: &Room) -> pb::Room {
    pb::Room {
        name: room.id.name(),
        store: room.store.name(),
        display_name: room.display_name.clone(),
        kind: room.kind.clone(),
        etag: etag::etag(room.version),
        retire_time: room.retire_time.map(to_timestamp),
        parent: room.parent.map(RoomId::name).unwrap_or_default(),
        position: room.position,
    }
}
