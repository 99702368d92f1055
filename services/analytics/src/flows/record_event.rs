//! What a service tells, into facts.

use std::sync::Arc;

use feed::{Consumer, Event};
use kernel::{Result, crash};
use pg::{Tx, outbox};

use super::{booking_events, marketing_events, membership_events, payment_events};
use crate::{App, db, domain::Feed};

/// Reads one feed.
#[derive(Debug)]
pub struct RecordEvent {
    app: Arc<App>,
    feed: Feed,
}

impl RecordEvent {
    /// The reader of `feed`.
    pub fn new(app: Arc<App>, feed: Feed) -> Self {
        Self { app, feed }
    }
}

impl Consumer for RecordEvent {
    const NAME: &'static str = super::rebuild::CONSUMER;

    /// Counts every event, and draws the facts from those that it knows.
    async fn apply(&self, tx: &mut Tx, event: &Event) -> Result<()> {
        db::position::count(tx, self.feed, outbox::partition(event.aggregate_id), event.occur_time).await?;
        match self.feed {
            Feed::Booking => booking_events::record(&self.app, tx, event).await?,
            Feed::Membership => membership_events::record(&self.app, tx, event).await?,
            Feed::Payment => payment_events::record(&self.app, tx, event).await?,
            Feed::Marketing => marketing_events::record(&self.app, tx, event).await?,
        }
        crash::point("analytics.record_event.applied");
        Ok(())
    }
}
