//! Keeping therapists, rooms and machines from being booked.

use kernel::{
    Error, Result, Timestamp,
    ids::{BlockId, StoreId},
};
use proto::booking::v1 as pb;
use rpc::Caller;

use super::{events, settle::settle};
use crate::{
    App, db,
    domain::{
        etag,
        roster::block::{Block, Kind, Resource, check_times},
        span::Span,
    },
    flows::{
        Once,
        edit::{Frame, Started, answered},
    },
    rpc::convert::roster::to_block,
};

/// What a block is to be.
#[derive(Debug, Clone)]
pub struct Terms {
    /// What is blocked.
    pub resource: Resource,
    /// Why.
    pub kind: Kind,
    /// From when.
    pub start_time: Timestamp,
    /// Until when.
    pub end_time: Timestamp,
    /// For people.
    pub reason: String,
}

/// Blocks a resource.
pub async fn create(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::CreateBlockRequest>,
    terms: Terms,
) -> Result<pb::Block> {
    let store = db::block::store_of(&mut *app.pg.conn().await?, terms.resource).await?;
    let store = store.ok_or_else(|| Error::not_found(terms.resource.name()))?;
    caller.see_own(None, Some(store))?;
    let mut edit = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    check_times("block", terms.start_time, terms.end_time, edit.now)?;
    db::roster::own(&mut edit.tx, store).await?;
    let block = made(store, terms, edit.now);
    insert(&mut edit, &block).await?;
    edit.finish(caller, "block.create", block.id.name(), to_block(&block)).await
}

/// A block as it is entered.
pub(super) fn made(store: StoreId, terms: Terms, now: Timestamp) -> Block {
    Block {
        id: BlockId::new(now),
        store,
        resource: terms.resource,
        kind: terms.kind,
        start_time: terms.start_time,
        end_time: terms.end_time,
        reason: terms.reason,
        shift: None,
        derived: false,
        version: 1,
        create_time: now,
    }
}

/// Stores a block, takes its time and tells of it.
pub(super) async fn insert(edit: &mut Frame, block: &Block) -> Result<()> {
    db::block::insert(&mut edit.tx, block).await?;
    settle(&mut edit.tx, block.resource.uuid(), block.span(), edit.now).await?;
    events::block_changed(&mut edit.tx, None, Some(block), edit.now).await
}

/// Takes a block away, gives its time back to what lies under it, and tells of it.
pub(super) async fn remove(edit: &mut Frame, block: &Block) -> Result<()> {
    db::block::delete(&mut edit.tx, block.id).await?;
    settle(&mut edit.tx, block.resource.uuid(), block.span(), edit.now).await?;
    events::block_changed(&mut edit.tx, Some(block), None, edit.now).await
}

/// Changes a block. `change` is given what there is.
pub async fn update(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::UpdateBlockRequest>,
    id: BlockId,
    given_etag: &str,
    change: impl FnOnce(&mut Block) -> Result<()>,
) -> Result<pb::Block> {
    if let Some(reply) = answered(app, caller, &once).await? {
        return Ok(reply);
    }
    let (mut edit, before) = match own(app, caller, &once, id).await? {
        Owned::Before(reply) => return Ok(reply),
        Owned::Now(edit, block) => (*edit, *block),
    };
    etag::check("block.etag", given_etag, before.version)?;
    let mut block = Block { version: before.version + 1, ..before.clone() };
    change(&mut block)?;
    check_times("block", block.start_time, block.end_time, edit.now)?;
    db::block::save(&mut edit.tx, &block).await?;
    let (old, new) = (before.span(), block.span());
    let hull = Span::new(old.start.min(new.start), old.end.max(new.end));
    settle(&mut edit.tx, block.resource.uuid(), hull, edit.now).await?;
    events::block_changed(&mut edit.tx, Some(&before), Some(&block), edit.now).await?;
    edit.finish(caller, "block.update", id.name(), to_block(&block)).await
}

/// Takes a block away.
pub async fn delete(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::DeleteBlockRequest>,
    id: BlockId,
    given_etag: &str,
) -> Result<()> {
    // Of a repeated request the block is gone already.
    if let Some(reply) = answered(app, caller, &once).await? {
        return Ok(reply);
    }
    let (mut edit, block) = match own(app, caller, &once, id).await? {
        Owned::Before(reply) => return Ok(reply),
        Owned::Now(edit, block) => (*edit, *block),
    };
    etag::check("etag", given_etag, block.version)?;
    remove(&mut edit, &block).await?;
    edit.finish(caller, "block.delete", id.name(), ()).await
}

/// Reads a block that the caller may see.
pub async fn known(app: &App, caller: &Caller, id: BlockId) -> Result<Block> {
    let block = db::block::get(&mut *app.pg.conn().await?, id).await?.ok_or_else(|| Error::not_found(id))?;
    caller.see_own(None, Some(block.store))?;
    Ok(block)
}

enum Owned<R> {
    Before(R),
    Now(Box<Frame>, Box<Block>),
}

async fn own<Q: prost::Message, R: prost::Message + Default>(
    app: &App,
    caller: &Caller,
    once: &Once<'_, Q>,
    id: BlockId,
) -> Result<Owned<R>> {
    let known = known(app, caller, id).await?;
    let mut edit = match Frame::begin(app, once).await? {
        Started::Before(reply) => return Ok(Owned::Before(reply)),
        Started::Now(edit) => edit,
    };
    db::roster::own(&mut edit.tx, known.store).await?;
    let block = db::block::get(&mut edit.tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    block.check_own()?;
    Ok(Owned::Now(edit, Box::new(block)))
}
