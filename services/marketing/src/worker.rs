//! What goes on without being asked: feeds are followed, messages sent, forgotten coupons freed, the audit trail sealed.

use std::{sync::Arc, time::Duration};

use feed::FeedSource;
use kernel::Result;
use runtime::{Tasks, lifecycle::Next};

pub use crate::flows::{
    cash_coupon::expire::expire_redemptions, release_coupons::release_coupons, send_scheduled::send_scheduled,
};
use crate::{
    App,
    flows::{
        cash_coupon::expire as redemptions, follow_bookings::FollowBookings, follow_members::FollowMembers,
        release_coupons as release,
    },
};

/// How often due messages are looked for.
const SEND_PERIOD: Duration = Duration::from_millis(500);

/// How often forgotten coupons are looked for.
const RELEASE_PERIOD: Duration = Duration::from_secs(15);

/// How often the audit trail is sealed.
const SEAL_PERIOD: Duration = Duration::from_secs(10);

/// The feeds that marketing follows.
#[derive(Debug, Clone)]
pub struct Feeds {
    /// Visits.
    pub booking: FeedSource,
    /// Members.
    pub membership: FeedSource,
}

/// Spawns the consumers and the loops. They end with `tasks`.
pub fn spawn(app: &Arc<App>, feeds: Feeds, tasks: &Tasks) {
    let (bookings, members) = (FollowBookings(Arc::clone(app)), FollowMembers(Arc::clone(app)));
    feed::spawn(tasks, app.pg.clone(), feeds.booking, Arc::new(bookings), Arc::clone(&app.clock));
    feed::spawn(tasks, app.pg.clone(), feeds.membership, Arc::new(members), Arc::clone(&app.clock));
    let of = Arc::clone(app);
    tasks.spawn_loop("marketing.send_scheduled", SEND_PERIOD, None, move || {
        let app = Arc::clone(&of);
        async move { send_scheduled(&app).await.map(|_| Next::Wait) }
    });
    let of = Arc::clone(app);
    tasks.spawn_loop("marketing.release_coupons", RELEASE_PERIOD, None, move || {
        let app = Arc::clone(&of);
        async move { Ok(Next::after_batch(release_coupons(&app).await?, release::BATCH)) }
    });
    let of = Arc::clone(app);
    tasks.spawn_loop("marketing.expire_redemptions", RELEASE_PERIOD, None, move || {
        let app = Arc::clone(&of);
        async move { Ok(Next::after_batch(expire_redemptions(&app).await?, redemptions::BATCH)) }
    });
    let of = Arc::clone(app);
    tasks.spawn_loop("marketing.seal_audit", SEAL_PERIOD, None, move || {
        let app = Arc::clone(&of);
        async move { seal_audit(&app).await.map(|_| Next::Wait) }
    });
}

/// Chains the audit entries written since the last time. Returns how many.
pub async fn seal_audit(app: &App) -> Result<usize> {
    let mut tx = app.pg.begin().await?;
    let sealed = pg::audit::seal(&mut tx, app.clock.now()).await?;
    tx.commit().await?;
    Ok(usize::try_from(sealed).unwrap_or(usize::MAX))
}
