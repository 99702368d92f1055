//! Rooms, beds and machines.

use kernel::{
    Error, Result, Timestamp,
    ids::{RoomId, StoreId},
};

/// A room, bed or machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// Where it is.
    pub store: StoreId,
    /// What staff call it.
    pub display_name: String,
    /// What it is for.
    pub kind: String,
    /// The room in which it stands, if it is a bed.
    pub parent: Option<RoomId>,
    /// Where it lies along the corridor; 0 if it does not matter.
    pub position: i32,
    /// Counts the edits, from 1.
    pub version: i64,
    /// When it was added.
    pub create_time: Timestamp,
    /// When it was taken out of use.
    pub retire_time: Option<Timestamp>,
}

/// Refuses a bed in what can't hold one, with `InvalidArgument` at `room.parent`. `parent` is what `room.parent` names, if
/// that exists; `has_beds` says whether beds stand in `room` itself.
pub fn check_parent(room: &Room, parent: Option<&Room>, has_beds: bool) -> Result<()> {
    let wrong = |what: &'static str| Err(Error::invalid("room.parent", what));
    if room.parent.is_none() {
        return Ok(());
    }
    let Some(parent) = parent.filter(|parent| parent.store == room.store) else {
        return wrong("does not exist in this store; name one of its rooms");
    };
    if parent.id == room.id {
        return wrong("is the room itself; name the room in which it stands");
    }
    if parent.retire_time.is_some() {
        return wrong("is out of use; name another room");
    }
    if parent.parent.is_some() {
        return wrong("stands in a room itself; name that room");
    }
    if has_beds {
        return wrong("must be empty, since beds stand in this room");
    }
    Ok(())
}
