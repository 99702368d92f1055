//! Under light load, 25 holds with 50 events a second: how long from the commit of a hold to its answer, and how long
//! from the commit of an event until a consumer in another service has applied it.
//!
//! The feed is served by a second replica of booking, which hears of commits over Redis alone, and is read over gRPC into
//! a database of the consumer's own. An event counts as applied when the consumer's transaction has committed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use booking::MIGRATOR;
use feed::{Consumer, Event, FeedSource};
use kernel::{SystemClock, Uuid};
use pg::{
    Pg, PgConfig, Tx,
    outbox::{self, NewEvent},
};
use proto::booking::v1 as pb;
use rpc::client::{self, KeepAlive};
use runtime::{Shutdown, Tasks, wake::Wake};
use secrecy::SecretString;
use tokio::{
    task,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use super::{
    house::{self, House, PREFIX},
    report::{Figure, Limit, Report},
    samples::Samples,
    scale::Scale,
    servers::Servers,
    threads::Threads,
};

/// From one hold to the next; each has two events.
const PERIOD: Duration = Duration::from_millis(40);
/// How long the reader may take to be ready, and at the end to catch up.
const PATIENCE: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(20);
/// Longer than any hold takes that is worth waiting for.
const LONGEST: Duration = Duration::from_secs(10);

/// An event: of which booking, and which version it made.
type Id = (Uuid, i64);

/// Measures.
pub async fn measure(servers: &Servers, house: &House, scale: &Scale, report: &mut Report) -> Result<()> {
    let reader = Reader::start(servers, house).await?;
    let held = hold_all(house, scale, &reader).await;
    house.commits.want(false);
    let held = held?;
    let feed = reader.wait_for(&held.committed).await;
    reader.stop();

    let figures = [
        ("hold: commit to answer, p99", held.after_commit, "25 holds /s; its order is made meanwhile"),
        ("hold: call to answer, p99", held.whole, "25 holds /s"),
    ];
    for (name, samples, note) in figures {
        let times = samples.times();
        report.add(Figure::new(name, times.p99, "ms", note).times(times));
    }
    let times = feed?.times();
    let figure = Figure::new("event: commit to consumer, p99", times.p99, "ms", "50 events /s").times(times);
    report.add(figure.limit(Limit::AtMost(150.0)));
    Ok(())
}

#[derive(Default)]
struct Held {
    committed: Vec<(Id, Instant)>,
    after_commit: Samples,
    whole: Samples,
}

/// Holds at an even pace. Of each the two commits are known: of the hold, and of its order.
async fn hold_all(house: &House, scale: &Scale, reader: &Reader) -> Result<Held> {
    let mut holder = house.holder(house.channel()?);
    house.commits.want(true);
    // The consumer's partitions are taken one after another; an event that is applied shows that they are.
    for n in 0..READY_HOLDS {
        let booking = timeout(LONGEST, holder.hold()).await.context("no answer within 10 s")??;
        let id = kernel::ids::BookingId::parse_name("name", &booking.name)?.uuid();
        reader.wait_for(&[((id, 2), Instant::now())]).await.with_context(|| format!("hold {n}"))?;
    }
    let mut held = Held::default();
    let mut pace = interval(PERIOD);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..scale.light_holds {
        pace.tick().await;
        house.commits.take();
        let called = Instant::now();
        let booking = timeout(LONGEST, holder.hold()).await.context("no answer within 10 s")??;
        let answered = Instant::now();
        let id = kernel::ids::BookingId::parse_name("name", &booking.name)?.uuid();
        held.whole.push(answered.duration_since(called));
        // Now and then the worker is quicker to make the order; then the second commit isn't part of the call.
        if let [first, second] = house.commits.take()[..] {
            held.after_commit.push(answered.duration_since(first));
            held.committed.extend([((id, 1), first), ((id, 2), second)]);
        }
    }
    let enough = usize::try_from(scale.light_holds)? * 9 / 10;
    ensure!(held.after_commit.len() >= enough, "the commits of too many holds are not known");
    Ok(held)
}

/// Events that fall into every partition, with all but certainty.
const READY_HOLDS: usize = 24;

/// Another replica of booking, and a service that consumes its feed.
struct Reader {
    applied: Applied,
    tasks: Tasks,
    _threads: Threads,
}

impl Reader {
    async fn start(servers: &Servers, house: &House) -> Result<Self> {
        let threads = Threads::start("reader")?;
        let tasks = Tasks::new(Shutdown::new());
        let applied = Applied::default();
        let small = |url: &str| PgConfig { max_connections: 8, ..house::config(url) };
        let (replica, own) = (small(&house.database_url), small(&servers.migrated("reader", &MIGRATOR).await?));
        let redis = SecretString::from(servers.redis_url());
        let (keys, running, consumer) = (house.keys.clone(), tasks.clone(), applied.clone());
        threads
            .run(async move {
                let wake = Wake::connect(&redis, PREFIX, &running)?;
                let uri = house::serve_feed(&Pg::connect(&replica).await?, &wake, "booking", &keys, &running).await?;
                let committed = consumer.clone();
                let pg = Pg::connect(&own).await?.with_wake(move || committed.commit());
                let channel = client::channel(&uri, KeepAlive::default())?;
                let source = FeedSource::new("booking", channel, keys.service("reader"));
                feed::spawn(&running, pg, source, Arc::new(consumer), Arc::new(SystemClock));
                Ok(())
            })
            .await?;
        Ok(Self { applied, tasks, _threads: threads })
    }

    /// How long each took from its commit until it was applied.
    async fn wait_for(&self, committed: &[(Id, Instant)]) -> Result<Samples> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            {
                let state = self.applied.state();
                if committed.iter().all(|(id, _)| state.done.contains_key(id)) {
                    let mut samples = Samples::default();
                    for (id, at) in committed {
                        samples.push(state.done.get(id).map_or(Duration::ZERO, |done| done.duration_since(*at)));
                    }
                    return Ok(samples);
                }
            }
            ensure!(Instant::now() < deadline, "events were not applied within {} s", PATIENCE.as_secs());
            sleep(POLL).await;
        }
    }

    fn stop(self) {
        self.tasks.shutdown().abort();
    }
}

/// A consumer that writes an event of its own for each that it reads, as services do, and knows when.
#[derive(Debug, Clone, Default)]
struct Applied(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// By the task that has them in its open transaction.
    open: HashMap<task::Id, Vec<Id>>,
    done: HashMap<Id, Instant>,
}

impl Applied {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The transaction of the current task has committed.
    fn commit(&self) {
        let now = Instant::now();
        let mut state = self.state();
        let ids = task::try_id().and_then(|task| state.open.remove(&task)).unwrap_or_default();
        state.done.extend(ids.into_iter().map(|id| (id, now)));
    }
}

impl Consumer for Applied {
    const NAME: &'static str = "reader";

    async fn apply(&self, tx: &mut Tx, event: &Event) -> kernel::Result<()> {
        let (id, version) = (event.aggregate_id, event.aggregate_version);
        outbox::append(tx, NewEvent::new(id, version, event.occur_time, &pb::BookingHeld::default())).await?;
        if let Some(task) = task::try_id() {
            self.state().open.entry(task).or_default().push((id, version));
        }
        Ok(())
    }
}
