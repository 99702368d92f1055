//! `EventFeedService` over the outbox of a service.

use std::{collections::VecDeque, fmt, pin::Pin};

use async_trait::async_trait;
use futures_util::{Stream, stream};
use kernel::{SharedClock, Timestamp};
use pg::{
    Pg,
    outbox::{self, Cursor, StoredEvent},
};
use proto::feed::v1::{Event, SubscribeRequest, event_feed_service_server::EventFeedService};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::tail::{self, Heads};

/// How many events are read from the database at once. They are read when the reader takes them, so that a slow one
/// costs nothing but this buffer.
const BATCH: i64 = 256;

/// Serves the outbox of one service.
#[derive(Clone)]
pub struct FeedServer {
    pg: Pg,
    heads: watch::Receiver<Heads>,
    shutdown: CancellationToken,
}

impl FeedServer {
    /// Serves the outbox of `pg`. It looks for new events whenever `wake` changes and every second besides; `shutdown`
    /// ends the streams. Must be called inside a tokio runtime.
    pub fn new(pg: Pg, wake: watch::Receiver<u64>, shutdown: CancellationToken) -> Self {
        let (heads, seen) = watch::channel(Heads::default());
        tokio::spawn(shutdown.clone().run_until_cancelled_owned(tail::watch(pg.clone(), wake, heads)));
        Self { pg, heads: seen, shutdown }
    }

    /// Tells `set` for how many seconds the oldest event has been held back by a transaction that is still running; 0 if
    /// none is. It is for a metric: when it grows, some transaction in the Postgres instance is far too long.
    #[must_use]
    pub fn report_lag(self, clock: SharedClock, set: impl Fn(f64) + Send + 'static) -> Self {
        let mut heads = self.heads.clone();
        let report = async move {
            loop {
                let held = heads.borrow_and_update().held_since;
                set(held.map_or(0.0, |since| seconds_between(since, clock.now())));
                if heads.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::spawn(self.shutdown.clone().run_until_cancelled_owned(report));
        self
    }

    fn stream(&self, partition: i16, cursor: Cursor) -> EventStream {
        let reader = Reader {
            pg: self.pg.clone(),
            heads: self.heads.clone(),
            partition,
            cursor,
            buffer: VecDeque::new(),
            failed: false,
        };
        let shutdown = self.shutdown.clone();
        Box::pin(stream::unfold((reader, shutdown), |(mut reader, shutdown)| async move {
            let event = shutdown.run_until_cancelled(reader.next()).await.flatten()?;
            Some((event.map(encode).map_err(rpc::status), (reader, shutdown)))
        }))
    }
}

impl fmt::Debug for FeedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedServer").field("pg", &self.pg).finish_non_exhaustive()
    }
}

/// The events of one partition.
pub type EventStream = Pin<Box<dyn Stream<Item = Result<Event, Status>> + Send>>;

#[async_trait]
impl EventFeedService for FeedServer {
    type SubscribeStream = EventStream;

    async fn subscribe(&self, request: Request<SubscribeRequest>) -> Result<Response<EventStream>, Status> {
        rpc::unary(request, async |_, request: SubscribeRequest| {
            let partition = i16::try_from(request.partition)
                .ok()
                .filter(|partition| (0..outbox::PARTITIONS).contains(partition))
                .ok_or_else(|| kernel::Error::invalid("partition", "must be from 0 to 3"))?;
            let cursor = request.cursor.parse()?;
            tracing::debug!(consumer = request.consumer, partition, cursor = request.cursor, "feed subscribed");
            Ok(self.stream(partition, cursor))
        })
        .await
    }
}

/// Where one stream is.
struct Reader {
    pg: Pg,
    heads: watch::Receiver<Heads>,
    partition: i16,
    cursor: Cursor,
    buffer: VecDeque<StoredEvent>,
    failed: bool,
}

impl Reader {
    /// The next event, as soon as there is one; none after a failure.
    async fn next(&mut self) -> Option<kernel::Result<StoredEvent>> {
        if self.failed {
            return None;
        }
        loop {
            if let Some(event) = self.buffer.pop_front() {
                self.cursor = event.cursor;
                return Some(Ok(event));
            }
            match self.read().await {
                Ok(events) => self.buffer = events.into(),
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error.into()));
                }
            }
            if self.buffer.is_empty() {
                let (partition, cursor) = (self.partition, self.cursor);
                self.heads.wait_for(|heads| heads.of(partition) > cursor).await.ok()?;
            }
        }
    }

    async fn read(&self) -> pg::Result<Vec<StoredEvent>> {
        let mut conn = self.pg.conn().await?;
        outbox::read_after(&mut conn, self.partition, &self.cursor, BATCH).await
    }
}

fn encode(event: StoredEvent) -> Event {
    Event {
        event_id: event.id.uuid().to_string(),
        r#type: event.type_name,
        aggregate_id: event.aggregate_id.to_string(),
        aggregate_version: event.aggregate_version,
        occur_time: Some(rpc::convert::to_timestamp(event.occur_time)),
        payload: event.payload.into(),
        traceparent: event.traceparent.unwrap_or_default(),
        cursor: event.cursor.to_string(),
    }
}

pub(crate) fn seconds_between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}
