//! The whole worker, following feeds of other services over gRPC.

use std::time::Duration;

use feed::{FeedServer, FeedSource};
use kernel::SharedClock;
use marketing::{MIGRATOR, worker::Feeds};
use pg::outbox::{self, NewEvent};
use proto::{
    feed::v1::event_feed_service_server::EventFeedServiceServer,
    marketing::v1::coupon::State,
    membership::v1::{Tier, TierChanged},
};
use rpc::{client::ServiceAuth, service_token::ServiceTokens};
use runtime::{Shutdown, Tasks, lifecycle::Outcome};
use testkit::{START, TestDb, eventually, keys};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::{
    support::{PHONE, World, member, minor},
    visits::Visit,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// Another service, of which there is only the outbox.
async fn source(db: &TestDb, name: &'static str, clock: SharedClock) -> FeedSource {
    let server = FeedServer::new(db.pg.clone(), watch::channel(0).1, CancellationToken::new());
    let channel = testkit::serve(Routes::new(EventFeedServiceServer::new(server))).await;
    let tokens = ServiceTokens::new("marketing", keys().service_signer(), clock);
    FeedSource::new(name, channel, ServiceAuth::new(tokens))
}

async fn publish(db: &TestDb, event: NewEvent) {
    let mut tx = db.pg.begin().await.expect("begun");
    outbox::append(&mut tx, event).await.expect("written");
    tx.commit().await.expect("committed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worker_follows_both_feeds_and_sends() {
    let (world, me) = (World::new().await, member());
    let (bookings, members) = (testkit::database(&MIGRATOR).await, testkit::database(&MIGRATOR).await);
    let clock: SharedClock = world.clock.clone();
    let feeds = Feeds {
        booking: source(&bookings, "booking", clock.clone()).await,
        membership: source(&members, "membership", clock).await,
    };
    let tasks = Tasks::new(Shutdown::new());
    marketing::worker::spawn(&world.app, feeds, &tasks);

    let told = TierChanged { member: me.name(), old_tier: Tier::Member.into(), new_tier: Tier::Gold.into() };
    publish(&members, NewEvent::new(me.uuid(), 2, START, &told)).await;
    let known = || async {
        let tier: Option<String> = sqlx::query_scalar("select tier from member_profile")
            .fetch_optional(world.app.pg.pool())
            .await
            .expect("read");
        tier.as_deref() == Some("GOLD")
    };
    eventually(PATIENCE, known).await;
    let quote = world.quote(me).await;
    assert_eq!(minor(quote.price.as_ref()), 29_800 - 1_490 - 5_662);

    let visit = Visit::new(&world, me, &quote.name);
    let confirmed = proto::booking::v1::BookingConfirmed {
        booking: Some(proto::booking::v1::BookingFacts {
            state: proto::booking::v1::booking::State::Confirmed.into(),
            ..visit.facts.clone()
        }),
        reinstated: false,
    };
    publish(&bookings, NewEvent::new(visit.id.uuid(), 3, START, &confirmed)).await;
    eventually(PATIENCE, || async { world.mailbox(PHONE).await.expect("the mailbox").len() == 1 }).await;
    assert_eq!(world.coupon_state(me).await, State::Redeemed);
    tasks.shutdown().begin();
    assert!(matches!(tasks.run(PATIENCE).await, Outcome::Clean));
}
