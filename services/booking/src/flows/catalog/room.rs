//! Rooms, beds and machines.

use kernel::{Error, Result, Timestamp, ids::RoomId};
use pg::{
    Tx,
    outbox::{self, NewEvent},
};
use proto::booking::v1 as pb;
use rpc::Caller;

use super::{Deed, Started, begin, finish, own};
use crate::{
    App, db,
    domain::{
        catalog::{Room, check_in_use, check_parent},
        roster::etag,
    },
    flows::{Once, roster::stranded::stranded},
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
    let (mut tx, ticket) = match begin(app, &once, now).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(tx, ticket) => (tx, ticket),
    };
    own(&mut tx, room.store).await?;
    check_place(&mut tx, None, &room, now).await?;
    db::catalog::insert_room(&mut tx, &room).await?;
    tell(&mut tx, &room, now).await?;
    let deed = Deed::new(caller, "room.create", room.id.name(), room.version);
    finish(tx, ticket, now, deed, to_room(&room)).await
}

/// Changes a room, unless visits keep it that it would not do for any more.
pub async fn update_room(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::UpdateRoomRequest>,
    id: RoomId,
    edit: Edit<pb::Room>,
) -> Result<pb::Room> {
    let now = app.clock.now();
    let known = of_own_store(app, caller, id).await?;
    let (mut tx, ticket) = match begin(app, &once, now).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(tx, ticket) => (tx, ticket),
    };
    let before = locked(&mut tx, &known, edit.etag()).await?;
    let after = convert::room(edit.onto(to_room(&before))?, now)?;
    let after = Room { id, version: before.version + 1, create_time: before.create_time, ..after };
    check_place(&mut tx, Some(&before), &after, now).await?;
    if after.kind != before.kind {
        stranded(&mut tx, &[id.uuid()], now, |_| false).await?;
    }
    db::catalog::update_room(&mut tx, &after).await?;
    tell(&mut tx, &after, now).await?;
    let deed = Deed { fields: &edit.fields, ..Deed::new(caller, "room.update", id.name(), after.version) };
    finish(tx, ticket, now, deed, to_room(&after)).await
}

/// Takes a room out of use; refused while visits keep it or beds stand in it.
pub async fn retire_room(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::RetireRoomRequest>,
    id: RoomId,
    given: &str,
) -> Result<pb::Room> {
    let now = app.clock.now();
    let known = of_own_store(app, caller, id).await?;
    let (mut tx, ticket) = match begin(app, &once, now).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(tx, ticket) => (tx, ticket),
    };
    let room = locked(&mut tx, &known, given).await?;
    if db::catalog::has_beds(&mut tx, id).await? {
        return Err(Error::precondition("HAS_BEDS", "beds stand in this room; retire or move them first"));
    }
    stranded(&mut tx, &[id.uuid()], now, |_| false).await?;
    let room = Room { version: room.version + 1, retire_time: Some(now), ..room };
    db::catalog::update_room(&mut tx, &room).await?;
    tell(&mut tx, &room, now).await?;
    let deed = Deed::new(caller, "room.retire", id.name(), room.version);
    finish(tx, ticket, now, deed, to_room(&room)).await
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
