//! What goes on without being asked: pending payments are asked about, refunds are sent, invoices are seen to, who keeps
//! points and coupons is told what became of them, checkouts and transfers expire, days are closed, old sendings of notices
//! and what risk counted long ago are forgotten, bills are matched, ledger and audit trail are sealed, and booking's feed is
//! followed.

use std::{sync::Arc, time::Duration};

use feed::FeedSource;
use kernel::Result;
use runtime::{Tasks, lifecycle::Next};

pub use crate::flows::{
    checkout::expire::expire_checkouts,
    invoice::settle::settle_invoices,
    ledger::{close_days::close_days, expire_transfers::expire_transfers, seal::seal_ledger},
    prepaid::expire_contracts::expire_contracts,
    query_pending::query_pending,
    reconciliation::reconcile_day::reconcile_due,
    risk::forget::forget_risk_events,
    send_refunds::send_refunds,
    stored_value::lapse::lapse as lapse_stored_value,
    tenders::peer::tell::tell_peers,
};
use crate::{
    App, db,
    flows::{
        checkout::expire as checkouts,
        follow_booking::FollowBooking,
        invoice::settle as invoices,
        ledger::{expire_transfers as expiry, seal},
        prepaid::expire_contracts as ends,
        query_pending as query,
        risk::forget as risk,
        send_refunds as refunds,
        stored_value::lapse,
    },
};

/// How often old sendings of notices and what risk has counted are forgotten, and how many of the former at a time.
const FORGET_PERIOD: Duration = Duration::from_secs(300);
const FORGET_BATCH: usize = 1_000;

/// How often the audit trail is sealed.
const SEAL_PERIOD: Duration = Duration::from_secs(10);

/// How often the ledger is sealed. What was booked since is added up whenever balances are asked for.
const SEAL_LEDGER_PERIOD: Duration = Duration::from_secs(5);

/// How often it is looked what has lapsed of cards and top-ups.
const LAPSE_PERIOD: Duration = Duration::from_secs(30);

/// How often it is looked whether a store's day, or a contract's time, is over.
const CLOSE_PERIOD: Duration = Duration::from_secs(60);

/// How often it is looked whether a bill is due that was not matched.
const BILL_PERIOD: Duration = Duration::from_secs(900);

/// The feeds that payment follows.
#[derive(Debug, Clone)]
pub struct Feeds {
    /// Stores, and visits that are completed.
    pub booking: FeedSource,
}

/// Spawns the consumer and the loops. They end with `tasks`.
pub fn spawn(app: &Arc<App>, feeds: Feeds, tasks: &Tasks) {
    let booking = FollowBooking(Arc::clone(app));
    feed::spawn(tasks, app.pg.clone(), feeds.booking, Arc::new(booking), Arc::clone(&app.clock));
    let period = app.policy.worker_period();
    let of = Arc::clone(app);
    tasks.spawn_loop("payment.query_pending", period, None, move || {
        let app = Arc::clone(&of);
        async move { Ok(Next::after_batch(query_pending(&app).await?, query::BATCH)) }
    });
    let of = Arc::clone(app);
    tasks.spawn_loop("payment.send_refunds", period, Some(app.refunds_decided()), move || {
        let app = Arc::clone(&of);
        async move { Ok(Next::after_batch(send_refunds(&app).await?, refunds::BATCH)) }
    });
    let of = Arc::clone(app);
    tasks.spawn_loop("payment.expire_checkouts", period, None, move || {
        let app = Arc::clone(&of);
        async move { Ok(Next::after_batch(expire_checkouts(&app).await?, checkouts::BATCH)) }
    });
    let of = Arc::clone(app);
    tasks.spawn_loop("payment.tell_peers", period, None, move || {
        let app = Arc::clone(&of);
        async move { tell_peers(&app).await.map(|_| Next::Wait) }
    });
    let of = Arc::clone(app);
    tasks.spawn_loop("payment.settle_invoices", period, None, move || {
        let app = Arc::clone(&of);
        async move { Ok(Next::after_batch(settle_invoices(&app).await?, invoices::BATCH)) }
    });
    let of = Arc::clone(app);
    tasks.spawn_loop("payment.expire_transfers", period, None, move || {
        let app = Arc::clone(&of);
        async move { Ok(Next::after_batch(expire_transfers(&app).await?, expiry::BATCH)) }
    });
    let of = Arc::clone(app);
    tasks.spawn_loop("payment.expire_contracts", CLOSE_PERIOD, None, move || {
        let app = Arc::clone(&of);
        async move { Ok(Next::after_batch(expire_contracts(&app).await?, ends::BATCH)) }
    });
    let of = Arc::clone(app);
    tasks.spawn_loop("payment.lapse_stored_value", LAPSE_PERIOD, None, move || {
        let app = Arc::clone(&of);
        async move { Ok(Next::after_batch(lapse_stored_value(&app).await?, lapse::BATCH)) }
    });
    let of = Arc::clone(app);
    tasks.spawn_loop("payment.close_days", CLOSE_PERIOD, None, move || {
        let app = Arc::clone(&of);
        async move { Ok(Next::after_batch(close_days(&app).await?, 1)) }
    });
    let of = Arc::clone(app);
    tasks.spawn_loop("payment.seal_ledger", SEAL_LEDGER_PERIOD, None, move || {
        let app = Arc::clone(&of);
        async move { Ok(Next::after_batch(seal_ledger(&app).await?, seal::BATCH)) }
    });
    let of = Arc::clone(app);
    tasks.spawn_loop("payment.reconcile_due", BILL_PERIOD, None, move || {
        let app = Arc::clone(&of);
        async move { Ok(Next::after_batch(reconcile_due(&app).await?, 1)) }
    });
    let of = Arc::clone(app);
    tasks.spawn_loop("payment.forget_nonces", FORGET_PERIOD, None, move || {
        let app = Arc::clone(&of);
        async move { Ok(Next::after_batch(forget_nonces(&app).await?, FORGET_BATCH)) }
    });
    let of = Arc::clone(app);
    tasks.spawn_loop("payment.forget_risk_events", FORGET_PERIOD, None, move || {
        let app = Arc::clone(&of);
        async move { Ok(Next::after_batch(forget_risk_events(&app).await?, risk::BATCH)) }
    });
    let of = Arc::clone(app);
    tasks.spawn_loop("payment.seal_audit", SEAL_PERIOD, None, move || {
        let app = Arc::clone(&of);
        async move { seal_audit(&app).await.map(|_| Next::Wait) }
    });
}

/// Forgets the sendings of notices that are too old to be replayed. Returns how many.
pub async fn forget_nonces(app: &App) -> Result<usize> {
    // One may be dated as far ahead as back.
    let window = 2 * u64::from(app.policy.notice_tolerance_seconds) + 1;
    let before = app.clock.now() - Duration::from_secs(window);
    let batch = i64::try_from(FORGET_BATCH).unwrap_or(i64::MAX);
    let forgotten = db::notices::forget_nonces(&mut *app.pg.conn().await?, before, batch).await?;
    Ok(usize::try_from(forgotten).unwrap_or(usize::MAX))
}

/// Chains the audit entries written since the last time. Returns how many.
pub async fn seal_audit(app: &App) -> Result<usize> {
    let mut tx = app.pg.begin().await?;
    let sealed = pg::audit::seal(&mut tx, app.clock.now()).await?;
    tx.commit().await?;
    Ok(usize::try_from(sealed).unwrap_or(usize::MAX))
}
