//! One partition while this replica holds it: read, apply, move the cursor.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use kernel::{Error, Result, SharedClock};
use pg::{Pg, outbox::Cursor, traceparent};
use proto::feed::v1::SubscribeRequest;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span};

use crate::{
    Consumer, Event, FeedSource,
    cursor::{self, Replica},
    metrics::Meter,
};

/// How many events share a transaction when they are there anyway.
const BATCH: usize = 100;

const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// One partition of a feed, held by this replica from the given cursor on.
pub(crate) struct Session<C> {
    pub(crate) pg: Pg,
    pub(crate) source: FeedSource,
    pub(crate) consumer: Arc<C>,
    pub(crate) clock: SharedClock,
    pub(crate) replica: Replica,
    pub(crate) partition: i16,
    pub(crate) cursor: Cursor,
    pub(crate) meter: Meter,
    /// Ends the session between two transactions.
    pub(crate) stop: CancellationToken,
}

/// Why a transaction did not happen.
enum Setback {
    /// The partition is another replica's by now, or was rewound: the session is over.
    Lost,
    /// It may go better next time.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Setback {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Ever longer pauses between attempts.
struct Backoff(Duration);

impl Backoff {
    fn new() -> Self {
        Self(FIRST_RETRY)
    }

    fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (self.0 * 2).min(LAST_RETRY);
        pause
    }
}

impl<C: Consumer> Session<C> {
    /// Applies events until stopped or until the partition is lost.
    pub(crate) async fn run(mut self) {
        let mut backoff = Backoff::new();
        while !self.stop.is_cancelled() {
            let before = self.cursor;
            match self.follow().await {
                Ok(()) => {}
                Err(Setback::Lost) => {
                    tracing::info!(feed = self.replica.feed, partition = self.partition, "partition lost");
                    return;
                }
                Err(Setback::Failed(error)) => {
                    if self.cursor != before {
                        backoff = Backoff::new();
                    }
                    self.wait_after(&error, None, backoff.next()).await;
                }
            }
        }
    }

    /// Follows one stream to its end.
    async fn follow(&mut self) -> Result<(), Setback> {
        let peer = self.replica.feed;
        let request = SubscribeRequest {
            consumer: self.replica.consumer.to_owned(),
            partition: i32::from(self.partition),
            cursor: self.cursor.to_string(),
        };
        let stop = self.stop.clone();
        let mut client = self.source.client.clone();
        let Some(stream) = stop.run_until_cancelled(client.subscribe(request)).await else { return Ok(()) };
        let stream = stream.map_err(|status| rpc::from_status(status, peer))?.into_inner();
        let mut chunks = stream.ready_chunks(BATCH);
        while let Some(chunk) = stop.run_until_cancelled(chunks.next()).await {
            // The stream never ends of itself: the other side is stopping.
            let chunk = chunk.ok_or_else(|| Error::unavailable("the event feed"))?;
            let mut events = Vec::with_capacity(chunk.len());
            let mut end = None;
            for event in chunk {
                match event.map_err(|status| rpc::from_status(status, peer)).and_then(Event::try_from) {
                    Ok(event) => events.push(event),
                    Err(error) => {
                        end = Some(error);
                        break;
                    }
                }
            }
            self.take(&events).await?;
            if let Some(error) = end {
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Applies events in one transaction or, if that fails, each in its own until it succeeds.
    async fn take(&mut self, events: &[Event]) -> Result<(), Setback> {
        if events.len() > 1 {
            self.meter.waiting(&events[0], self.clock.now());
            match self.commit(events).await {
                Err(Setback::Failed(error)) => {
                    tracing::debug!(error = error.chain(), events = events.len(), "batch failed; applying one by one");
                }
                done_or_lost => return done_or_lost,
            }
        }
        for event in events {
            let mut backoff = Backoff::new();
            while !self.stop.is_cancelled() {
                self.meter.waiting(event, self.clock.now());
                match self.commit(std::slice::from_ref(event)).await {
                    Err(Setback::Failed(error)) => {
                        self.wait_after(&error, Some(event), backoff.next()).await;
                        self.check_cursor().await?;
                    }
                    Err(Setback::Lost) => return Err(Setback::Lost),
                    Ok(()) => break,
                }
            }
        }
        Ok(())
    }

    /// Effects and cursor in one transaction.
    async fn commit(&mut self, events: &[Event]) -> Result<(), Setback> {
        let Some(last) = events.last() else { return Ok(()) };
        let mut tx = self.pg.begin().await?;
        for event in events {
            let span = info_span!(
                parent: None,
                "feed.apply",
                otel.kind = "consumer",
                feed = self.replica.feed,
                consumer = C::NAME,
                event.id = %event.id,
                event.type = event.type_name,
            );
            if let Some(parent) = &event.traceparent {
                traceparent::adopt(&span, parent);
            }
            self.consumer.apply(&mut tx, event).instrument(span).await?;
        }
        // Last, so that the row is locked as shortly as can be.
        if !cursor::advance(&mut tx, &self.replica, self.partition, self.cursor, last.cursor).await? {
            tx.rollback().await?;
            return Err(Setback::Lost);
        }
        tx.commit().await?;
        self.cursor = last.cursor;
        self.meter.applied(events, self.clock.now());
        Ok(())
    }

    /// Finds out whether the attempt that failed was in fact a repetition. When the connection breaks during a commit,
    /// the commit may have happened; then what can't be done twice would fail for ever and never come to
    /// [`cursor::advance`].
    async fn check_cursor(&self) -> Result<(), Setback> {
        let found = match self.pg.conn().await {
            Ok(mut conn) => cursor::held(&mut conn, &self.replica, self.partition).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(found) if found != Some(self.cursor) => Err(Setback::Lost),
            // What can't be reached now is asked again after the next attempt.
            _ => Ok(()),
        }
    }

    /// Reports a failed attempt, of applying `event` or else of reading the feed, and waits before the next.
    async fn wait_after(&self, error: &Error, event: Option<&Event>, pause: Duration) {
        if self.stop.is_cancelled() {
            // Everything stops, the feed's server too.
            return;
        }
        self.meter.failed();
        tracing::warn!(
            feed = self.replica.feed,
            consumer = C::NAME,
            partition = self.partition,
            event.id = event.map(|event| tracing::field::display(event.id)),
            event.type = event.map(|event| event.type_name.as_str()),
            error = error.chain(),
            retry_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            "{}",
            if event.is_some() { "event not applied" } else { "feed interrupted" },
        );
        self.stop.run_until_cancelled(sleep(pause)).await;
    }
}
