//! The feeds themselves: every event is counted once, and all facts can be drawn again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use analytics::{
    App, MIGRATOR, Policy,
    domain::Feed,
    flows::rebuild::rebuild,
    worker::{self, Feeds},
};
use feed::{Event, FeedServer, FeedSource};
use kernel::{Timestamp, ids::BookingId};
use pg::{Pg, vault::Vault};
use proto::{analytics::v1 as pb, feed::v1::event_feed_service_server::EventFeedServiceServer};
use rpc::{client::ServiceAuth, service_token::ServiceTokens};
use runtime::{Shutdown, Tasks};
use testkit::{START, TestDb};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{service::Routes, transport::Channel};

use crate::world::{Chain, MASTER, World, at, day, yuan};

/// How long to wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// The outboxes of the four services.
struct Publishers(Vec<(Feed, TestDb, Channel)>);

impl Publishers {
    async fn new() -> Self {
        let mut publishers = Vec::new();
        for feed in Feed::ALL {
            // Any database with the platform's tables will do.
            let db = testkit::database(&MIGRATOR).await;
            let (_, wake) = watch::channel(0);
            let server = FeedServer::new(db.pg.clone(), wake, CancellationToken::new());
            let channel = testkit::serve(Routes::new(EventFeedServiceServer::new(server))).await;
            publishers.push((feed, db, channel));
        }
        Self(publishers)
    }

    fn of(&self, feed: Feed) -> &(Feed, TestDb, Channel) {
        self.0.iter().find(|(known, ..)| *known == feed).expect("every feed has a publisher")
    }

    async fn publish(&self, feed: Feed, event: &Event) {
        sqlx::query(
            "insert into outbox (partition, event_id, type, aggregate_id, aggregate_version, occur_time, payload)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(pg::outbox::partition(event.aggregate_id))
        .bind(event.id.uuid())
        .bind(&event.type_name)
        .bind(event.aggregate_id)
        .bind(event.aggregate_version)
        .bind(jiff_sqlx::ToSqlx::to_sqlx(event.occur_time))
        .bind(event.payload.to_vec())
        .execute(self.of(feed).1.pg.pool())
        .await
        .expect("published");
    }

    /// How many events each partition of each feed has.
    async fn counts(&self) -> BTreeMap<(String, i32), i64> {
        let mut counts = BTreeMap::new();
        for (feed, db, _) in &self.0 {
            let rows: Vec<(i16, i64)> = sqlx::query_as("select partition, count(*) from outbox group by partition")
                .fetch_all(db.pg.pool())
                .await
                .expect("counted");
            counts.extend(
                rows.into_iter().map(|(partition, count)| ((feed.name().to_owned(), i32::from(partition)), count)),
            );
        }
        counts
    }

    fn source(&self, feed: Feed) -> FeedSource {
        let tokens = ServiceTokens::new("analytics", testkit::keys().service_signer(), testkit::clock());
        FeedSource::new(feed.name(), self.of(feed).2.clone(), ServiceAuth::new(tokens))
    }

    /// A replica of analytics that reads all of them.
    fn replica(&self, pg: &Pg, clock: &Arc<testkit::ManualClock>) -> Tasks {
        let clock: kernel::SharedClock = clock.clone();
        let app = App::new(pg.clone(), clock, Policy::default(), Arc::new(Vault::new(MASTER)));
        let tasks = Tasks::new(Shutdown::new());
        let feeds = Feeds {
            booking: self.source(Feed::Booking),
            membership: self.source(Feed::Membership),
            payment: self.source(Feed::Payment),
            marketing: self.source(Feed::Marketing),
        };
        worker::spawn(&app, feeds, &tasks);
        tasks
    }
}

fn counted(positions: &[pb::FeedPosition]) -> BTreeMap<(String, i32), i64> {
    let known = positions.iter().filter(|position| position.event_count > 0);
    known.map(|position| ((position.feed.clone(), position.partition), position.event_count)).collect()
}

/// Waits until no event is missing; none may be counted twice.
async fn all_counted_once(world: &World, publishers: &Publishers) {
    let wanted = publishers.counts().await;
    testkit::eventually(PATIENCE, || async {
        let seen = counted(&world.positions().await);
        let (done, all) = (seen.values().sum::<i64>(), wanted.values().sum::<i64>());
        if done >= all { Ok(()) } else { Err(format!("{done} of {all} are counted")) }
    })
    .await;
    assert_eq!(counted(&world.positions().await), wanted);
}

fn stories(chains: &[Chain]) -> Vec<(Feed, Event)> {
    let later = |hours: i64| -> Timestamp { START + jiff::SignedDuration::from_hours(hours) };
    let mut events = Vec::new();
    for (number, chain) in (0_i64..).zip(chains) {
        events.extend(chain.story(later(number)));
        events.push((Feed::Payment, chain.captured(BookingId::new(START), 2, later(20 * number), yuan(number + 1))));
    }
    events
}

async fn all_figures(world: &World, chains: &[Chain]) -> Vec<Vec<pb::DailyFigures>> {
    let mut all = Vec::new();
    for chain in chains {
        all.push(world.figures(chain.store, day(2027, 2, 27), day(2027, 3, 15)).await.expect("figures"));
    }
    all
}

#[tokio::test]
async fn every_event_is_counted_once_though_a_replica_dies() {
    let (world, publishers) = (World::new().await, Publishers::new().await);
    let clock = testkit::clock();
    let chains: Vec<Chain> = (0..10).map(|_| Chain::new()).collect();
    let events = stories(&chains);
    let (before, after) = events.split_at(events.len() / 2);
    for (feed, event) in before {
        publishers.publish(*feed, event).await;
    }
    let doomed = publishers.replica(&world.db.pg, &clock);
    testkit::eventually(PATIENCE, || async { !counted(&world.positions().await).is_empty() }).await;
    doomed.shutdown().abort();
    for (feed, event) in after {
        publishers.publish(*feed, event).await;
    }
    // Its leases run out.
    clock.set(at("2027-03-01T02:00:00Z"));
    let other = world.db.connect().await;
    let survivors = [publishers.replica(&world.db.pg, &clock), publishers.replica(&other, &clock)];
    all_counted_once(&world, &publishers).await;

    let straight = World::new().await;
    for (feed, event) in &events {
        straight.apply(*feed, event).await;
    }
    assert_eq!(all_figures(&world, &chains).await, all_figures(&straight, &chains).await);
    for tasks in survivors {
        tasks.shutdown().begin();
        assert_eq!(tasks.run(PATIENCE).await, runtime::lifecycle::Outcome::Clean);
    }
}

#[tokio::test]
async fn facts_drawn_again_give_the_same_figures() {
    let (world, publishers) = (World::new().await, Publishers::new().await);
    let chains: Vec<Chain> = (0..3).map(|_| Chain::new()).collect();
    for (feed, event) in stories(&chains) {
        publishers.publish(feed, &event).await;
    }
    let tasks = publishers.replica(&world.db.pg, &testkit::clock());
    all_counted_once(&world, &publishers).await;
    let figures = all_figures(&world, &chains).await;
    assert!(figures.iter().flatten().any(|day| day.points_earned > 0));

    // A mistake in how they were drawn, and the readers go on working.
    sqlx::query("update fact_payment set amount_minor = 2 * amount_minor")
        .execute(world.db.pg.pool())
        .await
        .expect("spoiled");
    assert_ne!(all_figures(&world, &chains).await, figures);
    rebuild(&world.app).await.expect("cleared");
    all_counted_once(&world, &publishers).await;
    assert_eq!(all_figures(&world, &chains).await, figures);
    tasks.shutdown().begin();
    assert_eq!(tasks.run(PATIENCE).await, runtime::lifecycle::Outcome::Clean);
}
