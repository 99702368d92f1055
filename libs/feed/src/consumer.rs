//! What a service does with the events of another.

use std::{fmt, sync::Arc};

use kernel::{Result, SharedClock};
use pg::{Pg, Tx};
use proto::feed::v1::event_feed_service_client::EventFeedServiceClient;
use rpc::client::{self, Peer, ServiceAuth};
use runtime::Tasks;
use tonic::transport::Channel;

use crate::{Event, coordinator::Coordinator};

/// Applies the events of one feed to a service's own database.
pub trait Consumer: Send + Sync + 'static {
    /// The name of the consumer, usually that of its service; the cursor is kept under it.
    const NAME: &'static str;

    /// Does what an event means, in the transaction that stores the cursor. It calls no peer, goes by
    /// `aggregate_version`, and ignores types that it does not know. It runs in a span of the event's trace.
    ///
    /// After an error the transaction is rolled back and the event is tried again, for ever.
    fn apply(&self, tx: &mut Tx, event: &Event) -> impl Future<Output = Result<()>> + Send;
}

/// The feed of one service.
#[derive(Clone)]
pub struct FeedSource {
    /// The name of the service, such as `booking`; the cursor is kept under it.
    pub(crate) feed: &'static str,
    pub(crate) client: EventFeedServiceClient<Peer>,
}

impl FeedSource {
    /// The feed of the service named `feed`, reached by `channel`. Streams have no deadline, whatever `auth` says.
    pub fn new(feed: &'static str, channel: Channel, auth: ServiceAuth) -> Self {
        let peer = client::peer(channel, auth.without_timeout());
        Self { feed, client: EventFeedServiceClient::new(peer) }
    }
}

impl fmt::Debug for FeedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedSource").field("feed", &self.feed).finish_non_exhaustive()
    }
}

/// Applies the feed of `source` with `consumer` until the soft stop of `tasks`. Replicas that do the same on the same
/// database divide the partitions among themselves.
pub fn spawn<C: Consumer>(tasks: &Tasks, pg: Pg, source: FeedSource, consumer: Arc<C>, clock: SharedClock) {
    let name = format!("feed.{}.{}", source.feed, C::NAME);
    let coordinator = Coordinator::new(pg, source, consumer, clock);
    tasks.spawn(name, coordinator.run(tasks.shutdown().soft().clone()));
}
