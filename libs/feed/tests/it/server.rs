//! The server: who may read, from where, and how soon.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use kernel::{Uuid, ids};
use pg::outbox;
use proto::feed::v1::{
    SubscribeRequest, event_feed_service_client::EventFeedServiceClient,
    event_feed_service_server::EventFeedServiceServer,
};
use testkit::with_token;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Streaming, service::Routes, transport::Channel};

use crate::support::{PATIENCE, Publisher, aggregates};

fn request(aggregate: Uuid, cursor: &str) -> SubscribeRequest {
    SubscribeRequest {
        consumer: "test".to_owned(),
        partition: i32::from(outbox::partition(aggregate)),
        cursor: cursor.to_owned(),
    }
}

async fn subscribe(channel: &Channel, request: SubscribeRequest) -> Result<Streaming<proto::feed::v1::Event>, Code> {
    let token = testkit::keys().service_token("test");
    let answer = EventFeedServiceClient::new(channel.clone()).subscribe(with_token(request, &token)).await;
    answer.map(tonic::Response::into_inner).map_err(|status| status.code())
}

async fn next(stream: &mut Streaming<proto::feed::v1::Event>) -> proto::feed::v1::Event {
    let event = tokio::time::timeout(PATIENCE, stream.message()).await.expect("in time");
    event.expect("no failure").expect("a stream never ends")
}

#[tokio::test]
async fn what_is_stored_comes_first_and_then_what_happens() {
    let publisher = Publisher::new().await;
    let (channel, _stop) = publisher.serve().await;
    let aggregate = aggregates()[0];
    publisher.write(aggregate, 1, 300).await;
    let mut stream = subscribe(&channel, request(aggregate, "")).await.expect("subscribed");
    let mut cursors = Vec::new();
    for version in 1..=300 {
        let event = next(&mut stream).await;
        assert_eq!((event.aggregate_version, event.r#type.as_str()), (version, "google.protobuf.Duration"));
        cursors.push(event.cursor);
    }
    publisher.write(aggregate, 301, 301).await;
    assert_eq!(next(&mut stream).await.aggregate_version, 301);
    let mut stream = subscribe(&channel, request(aggregate, &cursors[99])).await.expect("subscribed");
    assert_eq!(next(&mut stream).await.aggregate_version, 101, "it goes on after the cursor");
}

#[tokio::test]
async fn bad_requests_are_refused() {
    let publisher = Publisher::new().await;
    let (channel, _stop) = publisher.serve().await;
    let good = request(aggregates()[0], "");
    for bad in [
        SubscribeRequest { partition: 4, ..good.clone() },
        SubscribeRequest { partition: -1, ..good.clone() },
        SubscribeRequest { cursor: "yesterday".to_owned(), ..good.clone() },
        SubscribeRequest { cursor: "9".repeat(65), ..good.clone() },
        SubscribeRequest { consumer: String::new(), ..good.clone() },
    ] {
        assert_eq!(subscribe(&channel, bad.clone()).await.map(drop), Err(Code::InvalidArgument), "{bad:?}");
    }
    let member = testkit::keys().member_token(ids::MemberId::new(testkit::START));
    let refused = EventFeedServiceClient::new(channel).subscribe(with_token(good, &member)).await;
    assert_eq!(refused.map(drop).map_err(|status| status.code()), Err(Code::PermissionDenied));
}

#[tokio::test]
async fn a_stopping_server_ends_its_streams() {
    let publisher = Publisher::new().await;
    let (channel, stop) = publisher.serve().await;
    let mut stream = subscribe(&channel, request(aggregates()[0], "")).await.expect("subscribed");
    stop.cancel();
    let end = tokio::time::timeout(PATIENCE, stream.message()).await.expect("in time");
    assert!(end.expect("no failure").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_reaches_readers_long_before_the_next_poll() {
    let publisher = Publisher::new().await;
    let (channel, _stop) = publisher.serve().await;
    let aggregate = aggregates()[0];
    let mut stream = subscribe(&channel, request(aggregate, "")).await.expect("subscribed");
    let mut delays = Vec::new();
    for version in 1..=20 {
        let before = Instant::now();
        publisher.write(aggregate, version, version).await;
        assert_eq!(next(&mut stream).await.aggregate_version, version);
        delays.push(before.elapsed());
    }
    delays.sort();
    assert!(delays[10] < Duration::from_millis(500), "{delays:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_held_back_is_reported_and_comes_when_it_may() {
    let publisher = Publisher::new().await;
    let clock = testkit::clock();
    clock.advance(Duration::from_secs(3));
    let lag = Arc::new(Mutex::new(0.0));
    let reported = Arc::clone(&lag);
    let stop = CancellationToken::new();
    let server =
        publisher.server(&stop).report_lag(clock, move |seconds| *reported.lock().expect("not poisoned") = seconds);
    let channel = testkit::serve(Routes::new(EventFeedServiceServer::new(server))).await;
    let aggregate = aggregates()[0];
    let mut stream = subscribe(&channel, request(aggregate, "")).await.expect("subscribed");

    let mut slow = publisher.pg.begin().await.expect("begun");
    publisher.append(&mut slow, aggregate, 1).await;
    publisher.write(aggregate, 2, 2).await;
    testkit::eventually(PATIENCE, || async { (3.0..4.0).contains(&*lag.lock().expect("not poisoned")) }).await;
    // Nobody is woken when it ends.
    slow.rollback().await.expect("rolled back");
    assert_eq!(next(&mut stream).await.aggregate_version, 2);
    testkit::eventually(PATIENCE, || async { *lag.lock().expect("not poisoned") < 1.0 }).await;
    stop.cancel();
}
