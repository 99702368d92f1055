//! The worker tells the provider to give money back.

use std::time::Duration;

use kernel::{Error, Result};

use super::{is_transient, no_such_order, record::record, settle::note_break};
use crate::{
    App, db,
    db::{notices::Break, refunds::Task},
    peers::{NewRefund, RefundState},
};

/// How many refunds one step takes on.
pub const BATCH: usize = 20;

/// How long no other worker sends the same refund.
const LEASE: Duration = Duration::from_secs(30);

/// Sends the refunds that are due and books those that are done. Returns how many it took on. The refund's id is the
/// provider's idempotency key: however often one is sent, the customer gets it once.
///
/// # Errors
/// The first that the database answers, after all were tried. The provider's failures only put a refund off.
pub async fn send_refunds(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let batch = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let mut tx = app.pg.begin().await?;
    let tasks = db::refunds::claim(&mut tx, now, now + LEASE, batch).await?;
    tx.commit().await?;
    if tasks.is_empty() {
        return Ok(0);
    }
    kernel::crash::point("payment.refund.claimed");
    let mut failed = None;
    for task in &tasks {
        // One that can't be booked must not hold up those behind it, time after time.
        if let Err(error) = send(app, task).await {
            failed.get_or_insert(error);
        }
    }
    failed.map_or(Ok(tasks.len()), Err)
}

async fn send(app: &App, task: &Task) -> Result<()> {
    let answer = ask(app, task).await;
    kernel::crash::point("payment.refund.sent");
    match answer {
        Ok(RefundState::Succeeded) => finish(app, task).await,
        Ok(RefundState::Pending) => put_off(app, task).await,
        Ok(RefundState::Stuck { reason }) => {
            note_stuck(app, task, &reason).await?;
            put_off(app, task).await
        }
        Err(error) => {
            note(task, &error);
            put_off(app, task).await
        }
    }
}

/// The first time it is sent. After that the outcome is not known, so it is asked for, and sent again only if the provider
/// has never heard of it.
async fn ask(app: &App, task: &Task) -> Result<RefundState> {
    let provider = app.peers.providers.of(task.tender)?;
    let refund = NewRefund {
        id: task.refund,
        payment: task.payment,
        captured: task.captured,
        amount: task.amount,
        reason: task.reason.clone(),
    };
    if task.attempts > 1
        && let Some(state) = provider.refund_state(&refund).await?
    {
        return Ok(state);
    }
    provider.refund(&refund).await
}

/// For finance to look at, once.
async fn note_stuck(app: &App, task: &Task, reason: &str) -> Result<()> {
    tracing::error!(refund = %task.refund, reason, "a refund can't reach the customer; see to it at the provider");
    let (by, currency) = (format!("refund/{}", task.refund.uuid()), task.amount.currency());
    let stuck = Break {
        provider: task.tender.provider().unwrap_or_default(),
        by: &by,
        reason: "REFUND_STUCK",
        payment: task.payment,
        reference: reason,
        amount_minor: task.amount.minor(),
        currency: currency.code(),
    };
    let mut tx = app.pg.begin().await?;
    note_break(&mut tx, app.clock.now(), stuck).await?;
    Ok(tx.commit().await?)
}

async fn finish(app: &App, task: &Task) -> Result<()> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let before = db::orders::lock(&mut tx, task.order).await?.ok_or_else(|| no_such_order(task.order))?;
    let outcome = before.clone().refund_done(task.refund, now)?;
    record(&mut tx, now, "services/payment", &before, &outcome).await?;
    tx.commit().await?;
    kernel::crash::point("payment.refund.committed");
    Ok(())
}

async fn put_off(app: &App, task: &Task) -> Result<()> {
    let at = app.clock.now() + app.policy.refund_pause(task.attempts);
    Ok(db::refunds::try_again(&mut *app.pg.conn().await?, task.refund, at).await?)
}

/// Money owed to a customer is never given up; a refusal is loud once, then it is tried for ever.
fn note(task: &Task, error: &Error) {
    let (refund, attempts, chain) = (task.refund, task.attempts, error.chain());
    if !is_transient(error) && attempts == 1 {
        tracing::error!(%refund, attempts, error = chain, "provider refused a refund");
    } else {
        tracing::warn!(%refund, attempts, error = chain, "refund not sent; trying again later");
    }
}
