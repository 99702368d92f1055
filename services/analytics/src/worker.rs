//! What goes on without being asked: the feeds of the other services are read.

use std::sync::Arc;

use feed::FeedSource;
use runtime::Tasks;

use crate::{App, domain::Feed, flows::record_event::RecordEvent};

/// Where the feeds come from.
#[derive(Debug, Clone)]
pub struct Feeds {
    /// The booking service.
    pub booking: FeedSource,
    /// The membership service.
    pub membership: FeedSource,
    /// The payment service.
    pub payment: FeedSource,
    /// The marketing service.
    pub marketing: FeedSource,
}

/// Spawns the readers. They end with `tasks`.
pub fn spawn(app: &Arc<App>, feeds: Feeds, tasks: &Tasks) {
    let Feeds { booking, membership, payment, marketing } = feeds;
    for (feed, source) in [
        (Feed::Booking, booking),
        (Feed::Membership, membership),
        (Feed::Payment, payment),
        (Feed::Marketing, marketing),
    ] {
        let reader = RecordEvent::new(Arc::clone(app), feed);
        feed::spawn(tasks, app.pg.clone(), source, Arc::new(reader), Arc::clone(&app.clock));
    }
}
