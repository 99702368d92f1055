//! Rooms, beds and machines.

use kernel::{Error, Result, Timestamp, ids::RoomId};
use pg::{
    Tx,
    outbox::{self, NewEvent},
};
use proto::booking::v1 as pb;
use rpc::Caller;

use super::{detail, own};
use crate::{
    App, db,
    domain::{
        catalog::{Room, check_in_use, check_parent},
        etag,
    },
    flows::{
        Once,
        edit::{Frame, Started},
        stranded::stranded,
    },
    rpc::convert::{self, Edit, to_room},
};

/// Adds a room, bed or machine.
pub async fn create_room(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::CreateRoomRequest>,
    room: Room,
) -> Result<pb::Room> {
    caller.see_own(None, Some(room.store))?;
    let now = room.create_time;
    let mut frame = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(frame) => *frame,
    };
    own(&mut frame.tx, room.store).await?;
    check_place(&mut frame.tx, None, &room, now).await?;
    db::catalog::insert_room(&mut frame.tx, &room).await?;
    tell(&mut frame.tx, &room, now).await?;
    frame.finish_with(caller, "room.create", room.id.name(), detail(room.version, &[]), to_room(&room)).await
}

/// Changes a room, unless visits keep it that it would not do for any more.
pub async fn update_room(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::UpdateRoomRequest>,
    id: RoomId,
    edit: Edit<pb::Room>,
) -> Result<pb::Room> {
    let known = of_own_store(app, caller, id).await?;
    let mut frame = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(frame) => *frame,
    };
    let now = frame.now;
    let before = locked(&mut frame.tx, &known, edit.etag()).await?;
    let after = convert::room(edit.onto(to_room(&before))?, now)?;
    let after = Room { id, version: before.version + 1, create_time: before.create_time, ..after };
    check_place(&mut frame.tx, Some(&before), &after, now).await?;
    if after.kind != before.kind {
        stranded(&mut frame.tx, &[id.uuid()], now, |_| false).await?;
    }
    db::catalog::update_room(&mut frame.tx, &after).await?;
    tell(&mut frame.tx, &after, now).await?;
    frame.finish_with(caller, "room.update", id.name(), detail(after.version, &edit.fields), to_room(&after)).await
}

/// Takes a room out of use; refused while visits keep it or beds stand in it.
pub async fn retire_room(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::RetireRoomRequest>,
    id: RoomId,
    given: &str,
) -> Result<pb::Room> {
    let known = of_own_store(app, caller, id).await?;
    let mut frame = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(frame) => *frame,
    };
    let now = frame.now;
    let room = locked(&mut frame.tx, &known, given).await?;
    if db::catalog::has_beds(&mut frame.tx, id).await? {
        return Err(Error::precondition("HAS_BEDS", "beds stand in this room; retire or move them first"));
    }
    stranded(&mut frame.tx, &[id.uuid()], now, |_| false).await?;
    let room = Room { version: room.version + 1, retire_time: Some(now), ..room };
    db::catalog::update_room(&mut frame.tx, &room).await?;
    tell(&mut frame.tx, &room, now).await?;
    frame.finish_with(caller, "room.retire", id.name(), detail(room.version, &[]), to_room(&room)).await
}

/// The room, if the caller may touch it. It never changes store.
async fn of_own_store(app: &App, caller: &Caller, id: RoomId) -> Result<Room> {
    let known = db::catalog::get_room(&mut *app.pg.conn().await?, id).await?;
    let known = known.ok_or_else(|| Error::not_found(id))?;
    caller.see_own(None, Some(known.store))?;
    Ok(known)
}

async fn locked(tx: &mut Tx, known: &Room, given: &str) -> Result<Room> {
    own(tx, known.store).await?;
    let room = db::catalog::get_room(tx, known.id).await?.ok_or_else(|| Error::not_found(known.id))?;
    etag::check("room.etag", given, room.version)?;
    check_in_use(room.retire_time)?;
    Ok(room)
}

/// Refuses a place that can't be. A room in which the first bed is put is booked by the bed from then on, so nobody may
/// have the whole of it.
async fn check_place(tx: &mut Tx, before: Option<&Room>, room: &Room, now: Timestamp) -> Result<()> {
    let Some(id) = room.parent.filter(|id| before.and_then(|before| before.parent) != Some(*id)) else { return Ok(()) };
    let parent = db::catalog::get_room(tx, id).await?;
    check_parent(room, parent.as_ref(), db::catalog::has_beds(tx, room.id).await?)?;
    stranded(tx, &[id.uuid()], now, |_| false).await
}

async fn tell(tx: &mut Tx, room: &Room, now: Timestamp) -> Result<()> {
    let changed = pb::RoomChanged {
        room: room.id.name(),
        store: room.store.name(),
        display_name: room.display_name.clone(),
        kind: room.kind.clone(),
        parent: room.parent.map(RoomId::name).unwrap_or_default(),
        retired: room.retire_time.is_some(),
    };
    outbox::append(tx, NewEvent::new(room.id.uuid(), room.version, now, &changed)).await?;
    Ok(())
}
