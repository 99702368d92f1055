//! What goes on without anybody asking: orders are made and closed, holds end, missed visits are closed, the waitlist is
//! served, payment's feed is read, shifts are made of patterns, it is told that licences lapse, the audit log is sealed. Every step is also a
//! plain function.

use std::{sync::Arc, time::Duration};

use feed::FeedSource;
use kernel::Result;
use runtime::{Tasks, lifecycle::Next};

use crate::{App, flows};

pub use crate::flows::{
    expire_booking::expire_bookings, no_show::close_missed, order_tasks::drain as run_tasks,
    roster::extend::extend_rosters, rotation::follow_shifts, tell_licences::tell_licences,
    walk_in::leave::end_queues as keep_queues,
};

/// Where the feeds come from.
#[derive(Debug, Clone)]
pub struct Feeds {
    /// Payment's.
    pub payment: FeedSource,
}

/// Starts all of it.
pub fn spawn(app: &Arc<App>, feeds: Feeds, tasks: &Tasks) {
    let consumer = Arc::new(flows::deposit_paid::DepositPaid(Arc::clone(app)));
    feed::spawn(tasks, app.pg.clone(), feeds.payment, consumer, Arc::clone(&app.clock));

    let orders = Arc::clone(app);
    tasks.spawn_loop("booking.tasks", Duration::from_millis(500), Some(app.pokes()), move || {
        let app = Arc::clone(&orders);
        async move { run_tasks(&app).await.map(|_| Next::Wait) }
    });

    let holds = Arc::clone(app);
    tasks.spawn_loop("booking.expire_holds", Duration::from_millis(500), None, move || {
        let app = Arc::clone(&holds);
        async move { expire_bookings(&app).await.map(|ended| Next::after_batch(ended, flows::expire_booking::BATCH)) }
    });

    let missed = Arc::clone(app);
    tasks.spawn_loop("booking.close_missed", Duration::from_secs(5), None, move || {
        let app = Arc::clone(&missed);
        async move { close_missed(&app).await.map(|closed| Next::after_batch(closed, flows::no_show::BATCH)) }
    });

    let roster = Arc::clone(app);
    tasks.spawn_loop("booking.extend_rosters", Duration::from_secs(600), None, move || {
        let app = Arc::clone(&roster);
        async move { extend_rosters(&app).await.map(|_| Next::Wait) }
    });

    let lists = Arc::clone(app);
    tasks.spawn_loop("booking.turn_lists", Duration::from_secs(5), None, move || {
        let app = Arc::clone(&lists);
        async move { follow_shifts(&app).await.map(|_| Next::Wait) }
    });

    let licences = Arc::clone(app);
    tasks.spawn_loop("booking.tell_licences", Duration::from_secs(60), None, move || {
        let app = Arc::clone(&licences);
        async move { tell_licences(&app).await.map(|told| Next::after_batch(told, flows::tell_licences::BATCH)) }
    });

    let lines = Arc::clone(app);
    tasks.spawn_loop("booking.waitlist", Duration::from_secs(1), None, move || {
        let app = Arc::clone(&lines);
        async move { keep_waitlist(&app).await.map(|ended| Next::after_batch(ended, flows::waitlist::serve::BATCH)) }
    });

    let queues = Arc::clone(app);
    tasks.spawn_loop("booking.queues", Duration::from_secs(30), None, move || {
        let app = Arc::clone(&queues);
        async move { keep_queues(&app).await.map(|ended| Next::after_batch(ended, flows::walk_in::leave::BATCH)) }
    });

    let audit = Arc::clone(app);
    tasks.spawn_loop("booking.seal_audit", Duration::from_secs(1), None, move || {
        let app = Arc::clone(&audit);
        async move { seal_audit(&app).await.map(|sealed| if sealed == 0 { Next::Wait } else { Next::Now }) }
    });
}

/// Serves the waitlist of stores whose roster was edited, and ends the waiting for times that are past; returns how many
/// entries that were. What fails of the one does not hold up the other.
pub async fn keep_waitlist(app: &App) -> Result<usize> {
    let served = flows::waitlist::serve::serve_edited(app).await;
    let ended = flows::waitlist::serve::end_waiting(app).await;
    served.and(ended)
}

/// Seals what was done since the last seal; returns how many entries that were.
pub async fn seal_audit(app: &App) -> Result<u64> {
    let mut tx = app.pg.begin().await?;
    let sealed = pg::audit::seal(&mut tx, app.clock.now()).await?;
    tx.commit().await?;
    Ok(sealed)
}
