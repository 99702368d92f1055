//! Getting out of the queue, or to its end.

use std::sync::Arc;

use kernel::{Error, Result, Timestamp, ids::QueueTicketId};
use pg::idempotency::{self, Begin};
use prost::Message;
use proto::booking::v1 as pb;
use rpc::Caller;

use super::{on_record, queue::view, save};
use crate::{
    App, db,
    db::locks::Name,
    domain::walk_in::line::end,
    flows::{Once, sweep::sweep},
};

/// How many tickets one step ends.
pub const BATCH: usize = 100;

/// What happens to a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// He leaves.
    Leave,
    /// He did not answer.
    Skip,
}

/// Takes a ticket out of the queue, or passes it over.
pub async fn change_ticket<Q: Message>(
    app: &Arc<App>,
    caller: &Caller,
    once: Once<'_, Q>,
    id: QueueTicketId,
    deed: Deed,
) -> Result<pb::QueueTicket> {
    let known = db::walk_in::get(&mut *app.pg.conn().await?, id).await?.ok_or_else(|| Error::not_found(id))?;
    caller.see_own(Some(known.customer), Some(known.store))?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    db::locks::take(&mut tx, &[Name::Queue(known.store)]).await?;
    let changed = db::walk_in::lock(&mut tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    let (changed, action) = match deed {
        Deed::Leave => (changed.leave()?, "queue.leave"),
        Deed::Skip => {
            let line = db::walk_in::waiting(&mut tx, known.store).await?;
            (changed.skip(end(line.iter().map(|other| &other.place), now))?, "queue.skip")
        }
    };
    save(&mut tx, &changed, now).await?;
    on_record(&mut tx, caller, action, &changed, now).await?;
    let reply = view(app, &mut tx, &changed).await?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// Ends the tickets of stores that closed; returns how many that were. One that fails does not hold up the others
/// ([`sweep`]).
pub async fn end_queues(app: &App) -> Result<usize> {
    let (now, limit) = (app.clock.now(), BATCH.try_into().unwrap_or(i64::MAX));
    let over = |after| async move { Ok(db::walk_in::over(&mut *app.pg.conn().await?, now, after, limit).await?) };
    sweep(BATCH, over, |(_, id)| end_ticket(app, id, now)).await
}

async fn end_ticket(app: &App, id: QueueTicketId, now: Timestamp) -> Result<bool> {
    let mut tx = app.pg.begin().await?;
    let ticket = db::walk_in::lock(&mut tx, id).await?;
    let Some(ticket) = ticket.and_then(|ticket| ticket.end(now)) else { return Ok(false) };
    save(&mut tx, &ticket, now).await?;
    tx.commit().await?;
    Ok(true)
}
