//! The loops as the program spawns them: nobody pushes, and all comes to its end.

use std::{sync::Arc, time::Duration};

use kernel::SystemClock;
use payment::{
    App, Peers, Policy,
    peers::{Provider, Providers, SandboxClient, SandboxClientConfig},
    sandbox::{self, SandboxConfig},
    worker,
};
use proto::payment::v1::{order::State, payment::Purpose};
use runtime::{Shutdown, Tasks, lifecycle::Outcome};
use testkit::eventually;
use tokio::net::TcpListener;

use crate::{
    house::{House, SECRET},
    wire::minor,
};

const PATIENCE: Duration = Duration::from_secs(20);

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
        clock,
        policy,
        Peers { providers: Providers::new([provider as Arc<dyn Provider>]) },
    ));
    worker::spawn(&app, &tasks);
    let feed =
        feed::FeedServer::new(house.db.pg.clone(), tokio::sync::watch::channel(0).1, tasks.shutdown().soft().clone());
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

    tasks.shutdown().begin();
    assert!(matches!(tasks.run(PATIENCE).await, Outcome::Clean));
}
