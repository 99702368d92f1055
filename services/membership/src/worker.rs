//! What goes on without anybody asking: payment's feed is read, points end, redemptions that nobody decides end,
//! tiers are looked at, signing keys are made in
//! time, old codes and sessions are deleted, the audit log is sealed. Every step is also a plain function.

use std::{sync::Arc, time::Duration};

use feed::FeedSource;
use kernel::Result;
use runtime::{Tasks, lifecycle::Next};

use crate::{App, flows};

pub use crate::flows::{
    clean::clean, expire_points::expire_points, redeem::expire::expire_redemptions, review_tier::review_tiers,
    signing_keys::rotate_keys,
};

/// Where the feeds come from.
#[derive(Debug, Clone)]
pub struct Feeds {
    /// Payment's.
    pub payment: FeedSource,
}

/// Starts all of it.
pub fn spawn(app: &Arc<App>, feeds: Feeds, tasks: &Tasks) {
    let consumer = Arc::new(flows::payment_feed::PaymentFeed(Arc::clone(app)));
    feed::spawn(tasks, app.pg.clone(), feeds.payment, consumer, Arc::clone(&app.clock));

    let keys = Arc::clone(app);
    tasks.spawn_loop("membership.rotate_keys", Duration::from_secs(60), None, move || {
        let app = Arc::clone(&keys);
        async move { rotate_keys(&app).await.map(|_| Next::Wait) }
    });

    let points = Arc::clone(app);
    tasks.spawn_loop("membership.expire_points", Duration::from_secs(60), None, move || {
        let app = Arc::clone(&points);
        async move { expire_points(&app).await.map(|done| Next::after_batch(done, flows::expire_points::BATCH)) }
    });

    let redemptions = Arc::clone(app);
    tasks.spawn_loop("membership.expire_redemptions", Duration::from_secs(30), None, move || {
        let app = Arc::clone(&redemptions);
        async move { expire_redemptions(&app).await.map(|done| Next::after_batch(done, flows::redeem::expire::BATCH)) }
    });

    let tiers = Arc::clone(app);
    tasks.spawn_loop("membership.review_tiers", Duration::from_secs(60), None, move || {
        let app = Arc::clone(&tiers);
        async move { review_tiers(&app).await.map(|done| Next::after_batch(done, flows::review_tier::BATCH)) }
    });

    let old = Arc::clone(app);
    tasks.spawn_loop("membership.clean", Duration::from_secs(3_600), None, move || {
        let app = Arc::clone(&old);
        async move { clean(&app).await.map(|_| Next::Wait) }
    });

    let audit = Arc::clone(app);
    tasks.spawn_loop("membership.seal_audit", Duration::from_secs(1), None, move || {
        let app = Arc::clone(&audit);
        async move { seal_audit(&app).await.map(|sealed| if sealed == 0 { Next::Wait } else { Next::Now }) }
    });
}

/// Seals what was done since the last seal; returns how many entries that were.
pub async fn seal_audit(app: &App) -> Result<u64> {
    let mut tx = app.pg.begin().await?;
    let sealed = pg::audit::seal(&mut tx, app.clock.now()).await?;
    tx.commit().await?;
    Ok(sealed)
}
