//! Going along the line.

use kernel::{
    Error, ErrorKind, Result,
    ids::{StoreId, WaitlistEntryId},
};
use pg::tasks::{self, Task};

use super::{
    follow::freed_span,
    offer::{NOTHING, first_start, offer},
};
use crate::{
    App, db,
    domain::{
        span::{Span, instant},
        waitlist::{Entry, State, around},
    },
};

/// How many entries one step ends.
pub const BATCH: usize = 100;

/// Does a task of [`super::follow::SERVE`]: of a store, or of an entry that has just joined. Also for that one the whole line
/// is gone along: who is before him goes before him.
pub async fn serve(app: &App, task: &Task) -> Result<()> {
    let freed = freed_span(&task.payload).ok_or_else(|| Error::internal("a task without a span"))?;
    let entry = WaitlistEntryId::from_uuid(task.aggregate_id);
    let joined = db::waitlist::get(&mut *app.pg.conn().await?, entry).await?;
    match joined {
        Some(entry) => serve_store(app, entry.store, entry.window()).await?,
        None => serve_store(app, StoreId::from_uuid(task.aggregate_id), around(freed)).await?,
    };
    let mut tx = app.pg.begin().await?;
    tasks::finish(&mut tx, app.clock.now(), task.id).await?;
    Ok(tx.commit().await?)
}

/// Serves the lines of stores whose roster was edited: somebody may work longer, a break may be off. Returns how many
/// offers came of it.
pub async fn serve_edited(app: &App) -> Result<usize> {
    let edited = db::waitlist::edited(&mut *app.pg.conn().await?).await?;
    let mut offers = 0;
    for (store, version) in edited {
        offers += serve_store(app, store, Span::ALWAYS).await?;
        db::waitlist::seen(&mut *app.pg.conn().await?, store, version).await?;
    }
    if offers > 0 {
        app.poke();
    }
    Ok(offers)
}

async fn serve_store(app: &App, store: StoreId, window: Span) -> Result<usize> {
    let now = app.clock.now();
    let (from, to) = match window == Span::ALWAYS {
        true => (now, now + app.policy.bookable()),
        false => (instant(window.start), instant(window.end)),
    };
    let line = db::waitlist::line(&mut *app.pg.conn().await?, store, from, to).await?;
    go_along(app, &line, window).await
}

/// Offers to each in line what can be had now within `window`, the first to the first; returns how many got something.
async fn go_along(app: &App, line: &[Entry], window: Span) -> Result<usize> {
    let mut offers = 0;
    let mut in_vain = Vec::new();
    for (index, entry) in line.iter().enumerate() {
        if !can_have(app, entry, window, &mut in_vain).await? {
            continue;
        }
        // It may have got free just now, when those before him had been asked already.
        let mut in_vain = Vec::new();
        for earlier in &line[..index] {
            if can_have(app, earlier, window, &mut in_vain).await? {
                offers += usize::from(try_offer(app, earlier, window).await?);
            }
        }
        offers += usize::from(try_offer(app, entry, window).await?);
    }
    Ok(offers)
}

/// Whether a time is free for an entry. What was found to be taken stays so while a line is gone along: whoever waits for
/// the same as one `in_vain` needn't be asked.
async fn can_have<'a>(app: &App, entry: &'a Entry, window: Span, in_vain: &mut Vec<&'a Entry>) -> Result<bool> {
    if in_vain.iter().any(|other| same(other, entry)) {
        return Ok(false);
    }
    match first_start(app, &mut *app.pg.conn().await?, entry, window).await {
        Ok((_, Ok(_))) => Ok(true),
        Ok((_, Err(refused))) => {
            if refused.reason() == NOTHING {
                in_vain.push(entry);
            }
            Ok(false)
        }
        Err(error) => not_to_be_had(entry, error),
    }
}

async fn try_offer(app: &App, entry: &Entry, window: Span) -> Result<bool> {
    match offer(app, entry, window).await {
        Ok(held) => Ok(held),
        Err(error) => not_to_be_had(entry, error),
    }
}

/// What one waits for may not be had at all any more: the others must not wait for that.
fn not_to_be_had(entry: &Entry, error: Error) -> Result<bool> {
    let kinds = [ErrorKind::FailedPrecondition, ErrorKind::NotFound, ErrorKind::InvalidArgument];
    if !kinds.contains(&error.kind()) {
        return Err(error);
    }
    tracing::info!(entry = %entry.id, error = error.chain(), "not offered");
    Ok(false)
}

/// Whether two wait for the same.
fn same(a: &Entry, b: &Entry) -> bool {
    (&a.choice, &a.wish, a.window()) == (&b.choice, &b.wish, b.window())
}

/// Ends the entries of those who wait for times that are past; returns how many that were.
pub async fn end_waiting(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let over = db::waitlist::over(&mut *app.pg.conn().await?, now, BATCH.try_into().unwrap_or(i64::MAX)).await?;
    let mut ended = 0;
    for id in over {
        let mut tx = app.pg.begin().await?;
        let entry = db::waitlist::lock(&mut tx, id).await?.filter(|entry| entry.state == State::Waiting);
        if let Some(entry) = entry.and_then(|entry| entry.end(now)) {
            super::save(&mut tx, &entry, now).await?;
            ended += 1;
        }
        tx.commit().await?;
    }
    Ok(ended)
}
