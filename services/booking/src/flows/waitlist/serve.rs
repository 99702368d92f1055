//! Going along the line.

use kernel::{
    Error, ErrorKind, Result, Timestamp,
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
    flows::sweep::{sweep, sweep_all},
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

/// Serves the lines of stores whose roster was edited: somebody may work longer, a break may be off. Returns at how many
/// stores. One that fails does not hold up the others ([`sweep_all`]): it is served again.
pub async fn serve_edited(app: &App) -> Result<usize> {
    let edited = db::waitlist::edited(&mut *app.pg.conn().await?).await?;
    sweep_all(edited, |(store, version)| serve_one_edited(app, store, version)).await
}

async fn serve_one_edited(app: &App, store: StoreId, version: i64) -> Result<bool> {
    serve_store(app, store, Span::ALWAYS).await?;
    db::waitlist::seen(&mut *app.pg.conn().await?, store, version).await?;
    Ok(true)
}

async fn serve_store(app: &App, store: StoreId, window: Span) -> Result<()> {
    let now = app.clock.now();
    let (from, to) = match window == Span::ALWAYS {
        true => (now, now + app.policy.bookable()),
        false => (instant(window.start), instant(window.end)),
    };
    let line = db::waitlist::line(&mut *app.pg.conn().await?, store, from, to).await?;
    let mut round = Round { app, window, broken: None };
    round.go_along(&line).await?;
    round.broken.map_or(Ok(()), Err)
}

/// Going along a line once.
struct Round<'a> {
    app: &'a App,
    window: Span,
    /// What was wrong with the first entry with which something is wrong.
    broken: Option<Error>,
}

impl Round<'_> {
    /// Offers to each in line what can be had now within the window, the first to the first.
    async fn go_along(&mut self, line: &[Entry]) -> Result<()> {
        let mut in_vain = Vec::new();
        for (index, entry) in line.iter().enumerate() {
            if !self.can_have(entry, &mut in_vain).await? {
                continue;
            }
            // It may have got free just now, when those before him had been asked already.
            let mut in_vain = Vec::new();
            for earlier in &line[..index] {
                if self.can_have(earlier, &mut in_vain).await? {
                    self.try_offer(earlier).await?;
                }
            }
            self.try_offer(entry).await?;
        }
        Ok(())
    }

    /// Whether a time is free for an entry. What was found to be taken stays so while a line is gone along: whoever waits
    /// for the same as one `in_vain` needn't be asked.
    async fn can_have<'e>(&mut self, entry: &'e Entry, in_vain: &mut Vec<&'e Entry>) -> Result<bool> {
        if in_vain.iter().any(|other| same(other, entry)) {
            return Ok(false);
        }
        match first_start(self.app, &mut *self.app.pg.conn().await?, entry, self.window).await {
            Ok((_, Ok(_))) => Ok(true),
            Ok((_, Err(refused))) => {
                if refused.reason() == NOTHING {
                    in_vain.push(entry);
                }
                Ok(false)
            }
            Err(error) => self.not_to_be_had(entry, error).map(|()| false),
        }
    }

    async fn try_offer(&mut self, entry: &Entry) -> Result<()> {
        match offer(self.app, entry, self.window).await {
            // Its order is to be made.
            Ok(true) => self.app.poke(),
            Ok(false) => {}
            Err(error) => self.not_to_be_had(entry, error)?,
        }
        Ok(())
    }

    /// What one waits for may not be had at all any more, or something may be wrong with his entry: the others must not
    /// wait for that. What passes by itself is no reason to prefer them to him: then the line is gone along again.
    fn not_to_be_had(&mut self, entry: &Entry, error: Error) -> Result<()> {
        match error.kind() {
            ErrorKind::FailedPrecondition | ErrorKind::NotFound | ErrorKind::InvalidArgument => {
                tracing::info!(entry = %entry.id, error = error.chain(), "not offered");
            }
            ErrorKind::Internal => {
                tracing::error!(entry = %entry.id, error = error.chain(), "can't be offered anything");
                self.broken = self.broken.take().or(Some(error));
            }
            _ => return Err(error),
        }
        Ok(())
    }
}

/// Whether two wait for the same.
fn same(a: &Entry, b: &Entry) -> bool {
    (&a.choice, &a.wish, a.window()) == (&b.choice, &b.wish, b.window())
}

/// Ends the entries of those who wait for times that are past; returns how many that were. One that fails does not hold
/// up the others ([`sweep`]).
pub async fn end_waiting(app: &App) -> Result<usize> {
    let (now, limit) = (app.clock.now(), BATCH.try_into().unwrap_or(i64::MAX));
    let over = |after| async move { Ok(db::waitlist::over(&mut *app.pg.conn().await?, now, after, limit).await?) };
    sweep(BATCH, over, |(_, id)| end(app, id, now)).await
}

async fn end(app: &App, id: WaitlistEntryId, now: Timestamp) -> Result<bool> {
    let mut tx = app.pg.begin().await?;
    let entry = db::waitlist::lock(&mut tx, id).await?.filter(|entry| entry.state == State::Waiting);
    let Some(entry) = entry.and_then(|entry| entry.end(now)) else { return Ok(false) };
    super::save(&mut tx, &entry, now).await?;
    tx.commit().await?;
    Ok(true)
}
