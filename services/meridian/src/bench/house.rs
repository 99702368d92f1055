//! The booking service as it is deployed: its own pool, locks in Redis, worker, feed, and gRPC server with the real
//! layer. Only its peers answer at once.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use booking::{App, MIGRATOR, worker::Feeds};
use feed::{FeedServer, FeedSource};
use kernel::SystemClock;
use pg::{Pg, PgConfig};
use proto::{
    booking::v1::{self as pb, booking_service_client::BookingServiceClient},
    feed::v1::event_feed_service_server::EventFeedServiceServer,
};
use rpc::{
    ServerLayerConfig,
    client::{self, KeepAlive},
    convert::to_timestamp,
};
use runtime::{Shutdown, Tasks, redis_client, wake::Wake};
use secrecy::SecretString;
use slotlock::SlotLock;
use sqlx::{Connection as _, PgConnection};
use tokio::net::TcpListener;
use tonic::{
    Request,
    service::{Routes, RoutesBuilder},
    transport::Channel,
};

use super::{
    history,
    keys::Keys,
    load::Caller,
    peers,
    scale::Scale,
    servers::Servers,
    shops::{Shops, Slot},
    threads::Threads,
};

/// Goes before all keys and channels in Redis.
pub const PREFIX: &str = "bench";

/// A running booking service.
pub struct House {
    /// Its wiring.
    pub app: Arc<App>,
    /// Who may call.
    pub keys: Keys,
    /// What it sells.
    pub shops: Arc<Shops>,
    /// When it committed something that others are told of.
    pub commits: Commits,
    /// The URL of its database.
    pub database_url: String,
    /// Where it listens: `http://127.0.0.1:<port>`.
    pub uri: String,
    /// What the members of its shops sign in with, in their order.
    tokens: Arc<Vec<String>>,
    next_slot: Arc<AtomicU64>,
    tasks: Tasks,
    _threads: Threads,
}

impl House {
    /// Starts it with an empty order book.
    pub async fn start(servers: &Servers, scale: &Scale) -> Result<Self> {
        let keys = Keys::make()?;
        let shops = Arc::new(Shops::new(scale.shops, scale.therapists, scale.days)?);
        let commits = Commits::default();
        let tasks = Tasks::new(Shutdown::new());
        let database_url = servers.migrated("booking", &MIGRATOR).await?;
        let config = PgConfig { max_connections: u32::try_from(scale.clients)?, ..config(&database_url) };
        let payment = config_of(&servers.migrated("payment", &MIGRATOR).await?);
        let wired = wire(Parts {
            config,
            payment,
            redis: SecretString::from(servers.redis_url()),
            keys: keys.clone(),
            commits: commits.clone(),
            tasks: tasks.clone(),
        });
        let threads = Threads::start("booking")?;
        let (app, uri) = threads.run(wired).await?;
        shops.store(&app.pg).await.context("the shops cannot be stored")?;
        let mut connection = PgConnection::connect(&database_url).await?;
        history::write(&mut connection, &shops).await.context("the past cannot be stored")?;
        connection.close().await?;
        let tokens = Arc::new(keys.members(&shops.members)?);
        let next_slot = Arc::default();
        Ok(Self { app, keys, shops, commits, database_url, uri, tokens, next_slot, tasks, _threads: threads })
    }

    /// Ends it.
    pub fn stop(self) {
        self.tasks.shutdown().abort();
    }

    /// A new channel to it. Must be called on the threads that use it.
    pub fn channel(&self) -> Result<Channel> {
        Ok(client::channel(&self.uri, KeepAlive::default())?)
    }

    /// A client who holds times that nobody else wants.
    pub fn holder(&self, channel: Channel) -> Holder {
        Holder {
            client: BookingServiceClient::new(channel),
            shops: Arc::clone(&self.shops),
            next_slot: Arc::clone(&self.next_slot),
            tokens: Arc::clone(&self.tokens),
        }
    }

    /// Has Postgres count its rows.
    pub async fn analyze(&self) -> Result<()> {
        analyze(&mut *self.app.pg.conn().await?).await
    }
}

/// The pool of a service. All clients begin at the same moment, and opening that many connections takes a while.
pub fn config(url: &str) -> PgConfig {
    PgConfig { acquire_timeout: Duration::from_secs(9), ..PgConfig::new(url, "meridian-bench") }
}

fn config_of(url: &str) -> PgConfig {
    PgConfig { max_connections: 4, ..config(url) }
}

/// Lets Postgres count its rows and note which everybody can see, as it does by itself after a while.
pub async fn analyze(connection: &mut PgConnection) -> Result<()> {
    sqlx::raw_sql(
        "vacuum (analyze) store, store_opening_hours, item, therapist, room, shift, booking, booking_history, allocation,
                          idempotency_key, outbox, task",
    )
    .execute(connection)
    .await?;
    Ok(())
}

struct Parts {
    config: PgConfig,
    payment: PgConfig,
    redis: SecretString,
    keys: Keys,
    commits: Commits,
    tasks: Tasks,
}

async fn wire(parts: Parts) -> Result<(Arc<App>, String)> {
    let Parts { config, payment, redis, keys, commits, tasks } = parts;
    let wake = Wake::connect(&redis, PREFIX, &tasks)?;
    let publish = wake.publisher("booking");
    let pg = Pg::connect(&config).await?.with_wake(move || {
        commits.note();
        publish();
    });
    let locks = SlotLock::new(Some(redis_client::connect(&redis)?), format!("{PREFIX}:"));
    let feed = FeedServer::new(pg.clone(), wake.subscribe("booking"), tasks.shutdown().soft().clone());
    let clock = Arc::new(SystemClock);
    let app = App::new(pg, locks, clock, peers::policy(), peers::link_key(), peers::prompt());

    // Payment has nothing to tell, but the worker listens to it as ever.
    let payment = serve_feed(&Pg::connect(&payment).await?, &wake, "payment", &keys, &tasks).await?;
    let channel = client::channel(&payment, KeepAlive::default())?;
    let feeds = Feeds { payment: FeedSource::new("payment", channel, keys.service("booking")) };
    booking::worker::spawn(&app, feeds, &tasks);
    let uri = serve("booking", booking::rpc::routes(&app, feed), &keys, &tasks).await?;
    Ok((app, uri))
}

/// Serves the outbox of `pg` alone; returns where.
pub async fn serve_feed(pg: &Pg, wake: &Wake, name: &'static str, keys: &Keys, tasks: &Tasks) -> Result<String> {
    let feed = FeedServer::new(pg.clone(), wake.subscribe(name), tasks.shutdown().soft().clone());
    let mut routes = RoutesBuilder::default();
    routes.add_service(EventFeedServiceServer::new(feed));
    serve(name, routes.routes(), keys, tasks).await
}

/// Serves `routes` behind the real layer; returns where.
pub async fn serve(service: &'static str, routes: Routes, keys: &Keys, tasks: &Tasks) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let uri = format!("http://{}", listener.local_addr()?);
    let clock = Arc::new(SystemClock);
    let layer = rpc::server_layer(ServerLayerConfig { service, keys: keys.trusted(), clock });
    let shutdown = tasks.shutdown().clone();
    tasks.spawn_essential(format!("{service}.grpc"), async move {
        runtime::serve::grpc(listener, routes, layer, &shutdown).await
    });
    Ok(uri)
}

/// When events were committed.
#[derive(Debug, Clone, Default)]
pub struct Commits(Arc<Noted>);

#[derive(Debug, Default)]
struct Noted {
    wanted: AtomicBool,
    times: Mutex<Vec<Instant>>,
}

impl Commits {
    /// Begins or ends to note them.
    pub fn want(&self, wanted: bool) {
        self.0.wanted.store(wanted, Ordering::Release);
    }

    /// Those since the last asking.
    pub fn take(&self) -> Vec<Instant> {
        std::mem::take(&mut self.0.times.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self) {
        if self.0.wanted.load(Ordering::Acquire) {
            self.0.times.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        }
    }
}

/// Holds one time after another.
#[derive(Clone)]
pub struct Holder {
    client: BookingServiceClient<Channel>,
    shops: Arc<Shops>,
    next_slot: Arc<AtomicU64>,
    tokens: Arc<Vec<String>>,
}

impl Holder {
    /// Holds the next time.
    pub async fn hold(&mut self) -> Result<pb::Booking> {
        let n = self.next_slot.fetch_add(1, Ordering::Relaxed);
        let slot = self.shops.slot(n).context("all times are sold")?;
        let token = &self.tokens[usize::try_from(n)? % self.tokens.len()];
        hold(&mut self.client, &self.shops, slot, token).await
    }
}

impl Caller for Holder {
    async fn call(&mut self) -> Result<()> {
        self.hold().await.map(drop)
    }
}

/// Holds a time; anything but a booking whose order is made is an error.
pub async fn hold(
    client: &mut BookingServiceClient<Channel>,
    shops: &Shops,
    slot: Slot<'_>,
    authorization: &str,
) -> Result<pb::Booking> {
    let mut request = Request::new(pb::HoldSlotRequest {
        store: slot.shop.store.id.name(),
        item: shops.item.id.name(),
        start_time: Some(to_timestamp(slot.start)),
        therapist: slot.therapist.name(),
        channel: pb::booking::Channel::App.into(),
        request_id: kernel::ids::uuid_v7(kernel::Clock::now(&SystemClock)).to_string(),
        ..pb::HoldSlotRequest::default()
    });
    request.metadata_mut().insert("authorization", authorization.parse()?);
    Ok(client.hold_slot(request).await?.into_inner())
}
