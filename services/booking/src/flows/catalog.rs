//! Adding to what the chain offers: stores, items, therapists and rooms.

use kernel::{Error, Result, Timestamp, ids::StoreId};
use pg::{
    Tx, audit,
    idempotency::{self, Begin, Ticket},
    outbox::{self, NewEvent},
};
use prost::Message;
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use super::Once;
use crate::{
    App, db,
    domain::catalog::{Item, Room, Store, Therapist},
    rpc::convert,
};

/// Opens a store.
pub async fn create_store(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::CreateStoreRequest>,
    store: Store,
) -> Result<pb::Store> {
    let now = store.create_time;
    let (mut tx, ticket) = match begin(app, &once, now).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(tx, ticket) => (tx, ticket),
    };
    db::catalog::insert_store(&mut tx, &store).await?;
    let changed = pb::StoreChanged {
        store: store.id.name(),
        display_name: store.display_name.clone(),
        time_zone: store.time_zone.clone(),
        currency_code: store.currency.code().to_owned(),
    };
    outbox::append(&mut tx, NewEvent::new(store.id.uuid(), 1, now, &changed)).await?;
    finish(tx, ticket, now, caller, ("store.create", store.id.name()), convert::to_store(&store)).await
}

/// Adds an item.
pub async fn create_item(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::CreateItemRequest>,
    item: Item,
) -> Result<pb::Item> {
    let now = item.create_time;
    let (mut tx, ticket) = match begin(app, &once, now).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(tx, ticket) => (tx, ticket),
    };
    db::catalog::insert_item(&mut tx, &item).await?;
    finish(tx, ticket, now, caller, ("item.create", item.id.name()), convert::to_item(&item)).await
}

/// Takes on a therapist.
pub async fn create_therapist(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::CreateTherapistRequest>,
    therapist: Therapist,
) -> Result<pb::Therapist> {
    caller.see_own(None, Some(therapist.store))?;
    let now = therapist.create_time;
    let (mut tx, ticket) = match begin(app, &once, now).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(tx, ticket) => (tx, ticket),
    };
    known_store(&mut tx, therapist.store).await?;
    db::catalog::insert_therapist(&mut tx, &therapist).await?;
    let reply = convert::to_therapist(&therapist);
    finish(tx, ticket, now, caller, ("therapist.create", therapist.id.name()), reply).await
}

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
    known_store(&mut tx, room.store).await?;
    db::catalog::insert_room(&mut tx, &room).await?;
    finish(tx, ticket, now, caller, ("room.create", room.id.name()), convert::to_room(&room)).await
}

/// Whether a request came before.
enum Started<R> {
    Before(R),
    Now(Tx, Ticket),
}

async fn begin<Q: Message, R: Message + Default>(app: &App, once: &Once<'_, Q>, now: Timestamp) -> Result<Started<R>> {
    let mut tx = app.pg.begin().await?;
    Ok(match idempotency::begin(&mut tx, now, once.key, once.message).await? {
        Begin::Replay(reply) => Started::Before(reply),
        Begin::Fresh(ticket) => Started::Now(tx, ticket),
    })
}

async fn finish<R: Message>(
    mut tx: Tx,
    ticket: Ticket,
    now: Timestamp,
    caller: &Caller,
    (action, target): (&str, String),
    reply: R,
) -> Result<R> {
    let entry =
        audit::Entry { actor: caller.subject().to_owned(), action: action.to_owned(), target, detail: json!({}) };
    audit::record(&mut tx, now, entry).await?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn known_store(tx: &mut Tx, store: StoreId) -> Result<()> {
    db::catalog::get_store(tx, store).await?.map(|_| ()).ok_or_else(|| Error::not_found(store))
}
