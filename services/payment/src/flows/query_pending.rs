//! The worker asks the provider about payments whose notice never came.

use std::time::Duration;

use kernel::Result;

use super::{
    is_transient, no_such_order,
    record::record,
    settle::{Told, settle_in_tx},
};
use crate::{
    App, db,
    db::payments::Query,
    peers::{ChargeReport, ChargeState},
};

/// How many payments one step takes on.
pub const BATCH: usize = 20;

/// How long no other worker asks about the same payment.
const LEASE: Duration = Duration::from_secs(120);

/// Why a payment failed that the provider has never heard of.
const NOT_STARTED: &str = "NOT_STARTED";

/// Asks about the pending payments that are due and acts on the answers as on notices. Returns how many it asked about.
///
/// # Errors
/// The first of them, such as `Unavailable` if the provider can't be reached, after all were tried; what has failed is
/// asked about later.
pub async fn query_pending(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let started_before = now - Duration::from_secs(u64::from(app.policy.query_after_seconds));
    let mut tx = app.pg.begin().await?;
    let batch = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let queries = db::payments::claim_queries(&mut tx, now, started_before, now + LEASE, batch).await?;
    tx.commit().await?;
    let mut failed = None;
    for query in &queries {
        // One that can't be asked about must not hold up those behind it, time after time.
        if let Err(error) = ask(app, query).await {
            failed.get_or_insert(error);
        }
    }
    failed.map_or(Ok(queries.len()), Err)
}

/// Asks about one payment now, whoever else does. Where nothing can be learnt the worker asks later.
pub async fn ask_now(app: &App, query: &Query) {
    if let Err(error) = ask(app, query).await {
        tracing::warn!(payment = %query.payment, error = error.chain(), "a payment can't be asked about now");
    }
}

async fn ask(app: &App, query: &Query) -> Result<()> {
    let provider = match app.peers.providers.of(query.tender) {
        Ok(provider) => provider,
        Err(error) => {
            tracing::error!(payment = %query.payment, error = error.chain(), "a payment waits for a provider that is not set up");
            return ask_again(app, query).await;
        }
    };
    match provider.charge(query.payment).await {
        Ok(report) => {
            kernel::crash::point("payment.query.answered");
            act(app, query, provider.name(), report).await
        }
        Err(error) if is_transient(&error) => Err(error),
        Err(error) => {
            tracing::error!(payment = %query.payment, error = error.chain(), "provider refused a question");
            ask_again(app, query).await
        }
    }
}

async fn act(app: &App, query: &Query, provider: &str, report: Option<ChargeReport>) -> Result<()> {
    let now = app.clock.now();
    let Some(report) = report else {
        let age = now.as_second() - query.create_time.as_second();
        return if age >= app.policy.abandon_after(false) {
            abandon(app, query).await
        } else {
            ask_again(app, query).await
        };
    };
    if report.state != ChargeState::Pending {
        let by = format!("query/{}", query.payment.uuid());
        let mut tx = app.pg.begin().await?;
        settle_in_tx(&mut tx, now, Told { provider, by: &by, report: &report }).await?;
        tx.commit().await?;
        app.wake_refunds();
    }
    // Of use only if it is still pending: then the answer did not fit.
    ask_again(app, query).await
}

/// The charge was never made, and nobody came back to make it. But one that the provider once made, and of which it knows
/// nothing now, may still be paid: that is given up when its time is over.
async fn abandon(app: &App, query: &Query) -> Result<()> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let before = db::orders::lock(&mut tx, query.order).await?.ok_or_else(|| no_such_order(query.order))?;
    let was_made = before.payment(query.payment).is_some_and(|payment| payment.charge.is_some());
    if now.as_second() - query.create_time.as_second() < app.policy.abandon_after(was_made) {
        tx.rollback().await?;
        tracing::warn!(payment = %query.payment, "provider knows nothing of a charge that it made");
        return ask_again(app, query).await;
    }
    let outcome = before.clone().fail(query.payment, NOT_STARTED)?;
    record(&mut tx, now, "services/payment", &before, &outcome).await?;
    tx.commit().await?;
    Ok(())
}

async fn ask_again(app: &App, query: &Query) -> Result<()> {
    let at = app.clock.now() + app.policy.query_pause(query.asked);
    Ok(db::payments::query_again(&mut *app.pg.conn().await?, query.payment, at).await?)
}
