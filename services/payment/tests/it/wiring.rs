//! The loops as the program spawns them: nobody pushes, and all comes to its end.

use std::{sync::Arc, time::Duration};

use feed::{FeedServer, FeedSource};
use kernel::SystemClock;
use payment::{
    App, Peers, Policy,
    peers::{Provider, Providers, SandboxClient, SandboxClientConfig},
    sandbox::{self, SandboxConfig},
    worker::{self, Feeds},
};
use pg::outbox::{self, NewEvent};
use proto::{
    booking::v1::StoreChanged,
    feed::v1::event_feed_service_server::EventFeedServiceServer,
    payment::v1::{order::State, payment::Purpose},
};
use rpc::{client::ServiceAuth, service_token::ServiceTokens};
use runtime::{Shutdown, Tasks, lifecycle::Outcome};
use testkit::{START, TestDb, eventually};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::{
    house::{House, SECRET, vault},
    wire::minor,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// Booking, of which there is only the outbox.
async fn booking(db: &TestDb) -> FeedSource {
    let server = FeedServer::new(db.pg.clone(), watch::channel(0).1, CancellationToken::new());
    let channel = testkit::serve(Routes::new(EventFeedServiceServer::new(server))).await;
    let tokens = ServiceTokens::new("payment", testkit::keys().service_signer(), testkit::clock());
    FeedSource::new("booking", channel, ServiceAuth::new(tokens))
}

async fn publish_zone(db: &TestDb, house: &House, version: i64, time_zone: &str) {
    let changed =
        StoreChanged { store: house.store.name(), time_zone: time_zone.to_owned(), ..StoreChanged::default() };
    let mut tx = db.pg.begin().await.expect("begun");
    outbox::append(&mut tx, NewEvent::new(house.store.uuid(), version, START, &changed)).await.expect("written");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn what_is_lost_is_found_and_what_is_owed_goes_back() {
    let house = House::open().await;
    let tasks = Tasks::new(Shutdown::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let clock = Arc::new(SystemClock);
    let config =
        SandboxConfig { pg: house.db.pg.clone(), clock: clock.clone(), secret: SECRET.into(), public_url: url.clone() };
    sandbox::serve(config, listener, &tasks).expect("it serves");
    // Its notices go nowhere, so that all must be asked for.
    let config = SandboxClientConfig { url, notify_url: "http://127.0.0.1:1/".into(), secret: SECRET.into() };
    let provider = Arc::new(SandboxClient::try_new(config, clock.clone()).expect("a client"));
    let policy = Policy { query_after_seconds: 1, worker_period_seconds: 1, ..Policy::default() };
    let app = Arc::new(App::new(
        house.db.pg.clone(),
        vault(),
        clock,
        policy,
        Peers { providers: Providers::new([provider as Arc<dyn Provider>]), invoicing: None },
    ));
    let stores = testkit::database(&payment::MIGRATOR).await;
    worker::spawn(&app, Feeds { booking: booking(&stores).await }, &tasks);
    let feed = FeedServer::new(house.db.pg.clone(), watch::channel(0).1, tasks.shutdown().soft().clone());
    let client = proto::payment::v1::payment_service_client::PaymentServiceClient::new(
        testkit::serve(payment::rpc::routes(&app, feed)).await,
    );
    let house = House { client, app, ..house };

    let order = house.order().await;
    let deposit = house.start(&order, Purpose::Deposit).await;
    house.press(&deposit, "succeed", "").await;
    eventually(PATIENCE, || async { house.get(&order).await.state() == State::DepositPaid }).await;
    house.close(&order, None).await;
    eventually(PATIENCE, || async { minor(&house.get(&order).await.refunded) == 6_000 }).await;
    assert_eq!(house.books().await, []);

    // An older version that comes late is no news.
    publish_zone(&stores, &house, 2, "Asia/Tokyo").await;
    publish_zone(&stores, &house, 1, "Asia/Seoul").await;
    let known = "select count(*) from store_zone where time_zone = 'Asia/Tokyo' and version = 2";
    eventually(PATIENCE, || async { house.count(known).await == 1 }).await;
    eventually(PATIENCE, || async { house.count("select count(*) from ledger_seal").await > 0 }).await;

    tasks.shutdown().begin();
    assert!(matches!(tasks.run(PATIENCE).await, Outcome::Clean));
}
