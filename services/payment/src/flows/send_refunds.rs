//! The worker tells the provider to give money back.

use std::time::Duration;

use kernel::{Error, Result};

use super::{is_transient, no_such_order, record::record};
use crate::{
    App, db,
    db::refunds::Task,
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
    let new = NewRefund { id: task.refund, payment: task.payment, amount: task.amount };
    let answer = app.peers.provider.refund(new).await;
    kernel::crash::point("payment.refund.sent");
    match answer {
        Ok(RefundState::Succeeded) => finish(app, task).await,
        Ok(RefundState::Pending) => put_off(app, task).await,
        Err(error) => {
            note(task, &error);
            put_off(app, task).await
        }
    }
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
