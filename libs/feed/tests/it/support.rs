//! What the tests share: a service that writes events, and a consumer that notes what it applied.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use feed::{Consumer, Event, FeedServer, FeedSource, server::EventStream};
use futures_util::{StreamExt, stream};
use kernel::{Error, Uuid, ids};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use pg::{
    Pg, Tx,
    outbox::{self, NewEvent},
};
use prost_types::Duration as Payload;
use proto::feed::v1::{
    SubscribeRequest,
    event_feed_service_server::{EventFeedService, EventFeedServiceServer},
};
use rpc::{client::ServiceAuth, service_token::ServiceTokens};
use runtime::{Shutdown, Tasks};
use sqlx::migrate::Migrator;
use testkit::{ManualClock, START, TestDb};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, service::Routes, transport::Channel};
use tracing_subscriber::layer::SubscriberExt;

/// The migrations of the imaginary services on both sides.
pub static MIGRATOR: Migrator = sqlx::migrate!("tests/it/migrations");

/// How long to wait for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Makes spans be traced, for the whole binary: a subscriber of one test alone would lose the spans whose code another
/// test ran first.
static TRACED: LazyLock<SdkTracerProvider> = LazyLock::new(|| {
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("feed-it"));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).expect("the first");
    provider
});

/// A service with an outbox.
pub struct Publisher {
    pub pg: Pg,
    _db: TestDb,
    wake: watch::Receiver<u64>,
}

impl Publisher {
    pub async fn new() -> Self {
        LazyLock::force(&TRACED);
        let db = testkit::database(&MIGRATOR).await;
        let (sender, wake) = watch::channel(0);
        let pg = db.pg.clone().with_wake(move || sender.send_modify(|n| *n += 1));
        Self { pg, _db: db, wake }
    }

    /// A server of its feed, and the token that ends its streams.
    pub async fn serve(&self) -> (Channel, CancellationToken) {
        let stop = CancellationToken::new();
        let server = self.server(&stop);
        (testkit::serve(Routes::new(EventFeedServiceServer::new(server))).await, stop)
    }

    /// A server whose streams break after every few events.
    pub async fn serve_badly(&self) -> Channel {
        let server = BreakingServer(self.server(&CancellationToken::new()));
        testkit::serve(Routes::new(EventFeedServiceServer::new(server))).await
    }

    /// A server of its feed, to be served.
    pub fn server(&self, stop: &CancellationToken) -> FeedServer {
        FeedServer::new(self.pg.clone(), self.wake.clone(), stop.clone())
    }

    /// Writes the versions `from..=to` of an aggregate, each in its own transaction.
    pub async fn write(&self, aggregate: Uuid, from: i64, to: i64) {
        for version in from..=to {
            let mut tx = self.pg.begin().await.expect("begun");
            self.append(&mut tx, aggregate, version).await;
            tx.commit().await.expect("committed");
        }
    }

    pub async fn append(&self, tx: &mut Tx, aggregate: Uuid, version: i64) {
        let event = NewEvent::new(aggregate, version, START, &Payload { seconds: version, nanos: 0 });
        outbox::append(tx, event).await.expect("written");
    }
}

struct BreakingServer(FeedServer);

#[async_trait::async_trait]
impl EventFeedService for BreakingServer {
    type SubscribeStream = EventStream;

    async fn subscribe(&self, request: Request<SubscribeRequest>) -> Result<Response<EventStream>, Status> {
        let whole = self.0.subscribe(request).await?;
        let broken = stream::once(async { Err(Status::unavailable("the connection broke")) });
        Ok(whole.map(|events| Box::pin(events.take(3).chain(broken)) as EventStream))
    }
}

/// Notes every event in the transaction that it is given.
#[derive(Default)]
pub struct Notes {
    /// Events that fail, by aggregate and version.
    pub failing: Mutex<HashSet<(Uuid, i64)>>,
    /// Events that end the task that applies them, once.
    pub deadly: Mutex<HashSet<(Uuid, i64)>>,
    /// Events whose commit happens although the connection breaks before it is told, once; in this database.
    pub unheard: Mutex<HashMap<(Uuid, i64), Pg>>,
    /// The trace that the newest event was applied in.
    pub traceparent: Mutex<Option<String>>,
}

impl Consumer for Notes {
    const NAME: &'static str = "notes";

    async fn apply(&self, tx: &mut Tx, event: &Event) -> kernel::Result<()> {
        let key = (event.aggregate_id, event.aggregate_version);
        *self.traceparent.lock().expect("not poisoned") = pg::traceparent::current();
        let payload = event.decode::<Payload>()?.ok_or_else(|| Error::internal("another type"))?;
        assert_eq!(payload.seconds, event.aggregate_version);
        let unheard = self.unheard.lock().expect("not poisoned").remove(&key);
        if let Some(pg) = unheard {
            commit_unheard(&pg, event).await?;
            // What was done can't be done again.
            self.failing.lock().expect("not poisoned").insert(key);
            return Err(Error::unavailable("the database"));
        }
        note(tx, event).await?;
        assert!(!self.deadly.lock().expect("not poisoned").remove(&key), "the consumer dies");
        if self.failing.lock().expect("not poisoned").contains(&key) {
            return Err(Error::internal("it fails"));
        }
        Ok(())
    }
}

async fn note(tx: &mut Tx, event: &Event) -> pg::Result<()> {
    sqlx::query("insert into applied (event_id, aggregate_id, version, partition) values ($1, $2, $3, $4)")
        .bind(event.id.uuid())
        .bind(event.aggregate_id)
        .bind(event.aggregate_version)
        .bind(outbox::partition(event.aggregate_id))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Effect and cursor, as the consumer's own transaction would have committed them.
async fn commit_unheard(pg: &Pg, event: &Event) -> pg::Result<()> {
    let mut tx = pg.begin().await?;
    note(&mut tx, event).await?;
    sqlx::query("update feed_cursor set xid = $1::text::xid8, position = $2 where partition = $3")
        .bind(event.cursor.xid.to_string())
        .bind(event.cursor.position)
        .bind(outbox::partition(event.aggregate_id))
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// A replica of the consuming service.
pub struct Replica {
    pub tasks: Tasks,
    pub notes: Arc<Notes>,
}

impl Replica {
    pub fn start(pg: &Pg, channel: Channel, clock: &Arc<ManualClock>) -> Self {
        Self::start_as("publisher", pg, channel, clock)
    }

    /// Under another name of the feed, which its metrics bear.
    pub fn start_as(feed: &'static str, pg: &Pg, channel: Channel, clock: &Arc<ManualClock>) -> Self {
        let tasks = Tasks::new(Shutdown::new());
        let notes = Arc::<Notes>::default();
        let tokens = ServiceTokens::new("notes", testkit::keys().service_signer(), testkit::clock());
        let source = FeedSource::new(feed, channel, ServiceAuth::new(tokens));
        feed::spawn(&tasks, pg.clone(), source, Arc::clone(&notes), clock.clone());
        Self { tasks, notes }
    }

    /// As `kill -9` would: nothing is brought to an end, nothing is given up.
    pub fn kill(&self) {
        self.tasks.shutdown().abort();
    }

    /// As a deployment would.
    pub async fn stop(&self) {
        self.tasks.shutdown().begin();
        let outcome = self.tasks.run(PATIENCE).await;
        assert_eq!(outcome, runtime::lifecycle::Outcome::Clean);
    }
}

/// Three aggregates in every partition.
pub fn aggregates() -> Vec<Uuid> {
    (0..outbox::PARTITIONS)
        .flat_map(|partition| {
            let ids = (0..).map(|n| ids::derive(Uuid::nil(), &format!("aggregate {n}")));
            ids.filter(move |id| outbox::partition(*id) == partition).take(3)
        })
        .collect()
}

/// The versions applied of each aggregate, in the order of their application.
pub async fn applied(pg: &Pg) -> HashMap<Uuid, Vec<i64>> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as("select aggregate_id, version from applied order by position")
        .fetch_all(pg.pool())
        .await
        .expect("read");
    let mut applied: HashMap<Uuid, Vec<i64>> = HashMap::new();
    for (aggregate, version) in rows {
        applied.entry(aggregate).or_default().push(version);
    }
    applied
}

/// Waits until at least `wanted` events are applied; then each aggregate must have each version once, in order.
pub async fn all_applied_once(pg: &Pg, aggregates: &[Uuid], versions: i64) {
    let wanted = aggregates.len() * usize::try_from(versions).expect("a count");
    testkit::eventually(PATIENCE, || async {
        let count = applied(pg).await.values().map(Vec::len).sum::<usize>();
        if count >= wanted { Ok(()) } else { Err(format!("{count} of {wanted} are applied")) }
    })
    .await;
    let applied = applied(pg).await;
    for aggregate in aggregates {
        assert_eq!(applied[aggregate], (1..=versions).collect::<Vec<_>>(), "{aggregate}");
    }
}

/// Who holds each partition.
pub async fn holders(pg: &Pg) -> Vec<Option<Uuid>> {
    sqlx::query_scalar("select holder from feed_cursor order by partition").fetch_all(pg.pool()).await.expect("read")
}

/// Waits until all partitions are held, by `replicas` replicas.
pub async fn shared_by(pg: &Pg, replicas: usize) {
    testkit::eventually(PATIENCE, || async {
        let holders = holders(pg).await;
        let distinct: HashSet<_> = holders.iter().flatten().collect();
        if holders.len() == 4 && !holders.contains(&None) && distinct.len() == replicas {
            Ok(())
        } else {
            Err(format!("{holders:?}"))
        }
    })
    .await;
}
