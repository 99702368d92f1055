//! Events: written with their effect, woken for, carrying their trace.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kernel::{Uuid, ids};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use pg::{
    Pg, Tx,
    outbox::{self, Cursor, NewEvent, StoredEvent},
};
use prost_types::Duration as Payload;
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{MIGRATOR, now};

async fn append(tx: &mut Tx, aggregate: Uuid, version: i64) {
    let event = NewEvent::new(aggregate, version, now(), &Payload { seconds: version, nanos: 0 });
    outbox::append(tx, event).await.expect("written");
}

async fn read(pg: &Pg, aggregate: Uuid) -> Vec<StoredEvent> {
    let mut conn = pg.conn().await.expect("a connection");
    outbox::read_after(&mut conn, outbox::partition(aggregate), &Cursor::default(), 100).await.expect("read")
}

/// Reads until there are `wanted` events. Other tests' transactions in the same server may hold them back for a while.
async fn read_until(pg: &Pg, aggregate: Uuid, wanted: usize) -> Vec<StoredEvent> {
    testkit::eventually(Duration::from_secs(20), || async { read(pg, aggregate).await.len() >= wanted }).await;
    read(pg, aggregate).await
}

fn versions(events: &[StoredEvent]) -> Vec<i64> {
    events.iter().map(|event| event.aggregate_version).collect()
}

#[tokio::test]
async fn an_event_reads_back_as_it_was_written() {
    let db = testkit::database(&MIGRATOR).await;
    let aggregate = ids::uuid_v7(now());
    let occurred = now();
    let mut tx = db.pg.begin().await.expect("begun");
    let event = NewEvent::new(aggregate, 3, occurred, &Payload { seconds: 1, nanos: 2 });
    let id = outbox::append(&mut tx, event).await.expect("written");
    tx.commit().await.expect("committed");

    let events = read_until(&db.pg, aggregate, 1).await;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((event.id, event.aggregate_id, event.aggregate_version), (id, aggregate, 3));
    assert_eq!((event.type_name.as_str(), event.occur_time), ("google.protobuf.Duration", occurred));
    assert_eq!(event.payload, [8, 1, 16, 2]);
    assert_eq!(event.traceparent, None);
    let mut conn = db.pg.conn().await.expect("a connection");
    let rest = outbox::read_after(&mut conn, outbox::partition(aggregate), &event.cursor, 100).await.expect("read");
    assert_eq!(rest, [], "nothing is behind the last event");
}

#[tokio::test]
async fn an_event_waits_for_older_transactions() {
    let db = testkit::database(&MIGRATOR).await;
    let aggregate = ids::uuid_v7(now());
    let mut slow = db.pg.begin().await.expect("begun");
    append(&mut slow, aggregate, 1).await;
    let mut quick = db.pg.begin().await.expect("begun");
    append(&mut quick, aggregate, 2).await;
    quick.commit().await.expect("committed");
    assert_eq!(read(&db.pg, aggregate).await, [], "version 1 may still come before it");
    let mut conn = db.pg.conn().await.expect("a connection");
    let horizon = outbox::horizon(&mut conn).await.expect("seen");
    assert!(horizon.heads.is_empty() && horizon.held_since.is_some());
    slow.commit().await.expect("committed");
    let events = read_until(&db.pg, aggregate, 2).await;
    assert_eq!(versions(&events), [1, 2]);
    let horizon = outbox::horizon(&mut conn).await.expect("seen");
    assert_eq!(horizon.heads, [(outbox::partition(aggregate), events[1].cursor)]);
    assert_eq!(horizon.held_since, None);
}

#[tokio::test]
async fn an_event_that_was_rolled_back_never_happened() {
    let db = testkit::database(&MIGRATOR).await;
    let aggregate = ids::uuid_v7(now());
    for version in 1..=3 {
        let mut tx = db.pg.begin().await.expect("begun");
        append(&mut tx, aggregate, version).await;
        if version == 2 {
            tx.rollback().await.expect("rolled back");
        } else {
            tx.commit().await.expect("committed");
        }
    }
    assert_eq!(versions(&read_until(&db.pg, aggregate, 2).await), [1, 3]);
}

#[tokio::test]
async fn only_a_commit_with_events_wakes_readers() {
    let db = testkit::database(&MIGRATOR).await;
    let woken = Arc::new(AtomicUsize::new(0));
    let count = woken.clone();
    let pg = db.pg.clone().with_wake(move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let aggregate = ids::uuid_v7(now());

    pg.begin().await.expect("begun").commit().await.expect("committed");
    let mut tx = pg.begin().await.expect("begun");
    append(&mut tx, aggregate, 1).await;
    tx.rollback().await.expect("rolled back");
    assert_eq!(woken.load(Ordering::Relaxed), 0);

    let mut tx = pg.begin().await.expect("begun");
    append(&mut tx, aggregate, 1).await;
    append(&mut tx, aggregate, 2).await;
    assert_eq!(woken.load(Ordering::Relaxed), 0, "not before the commit");
    tx.commit().await.expect("committed");
    assert_eq!(woken.load(Ordering::Relaxed), 1, "once per commit");
}

#[tokio::test]
async fn an_event_carries_the_trace_of_its_writer() {
    let db = testkit::database(&MIGRATOR).await;
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("pg-it"));
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let aggregate = ids::uuid_v7(now());

    let span = tracing::info_span!("writing");
    let trace = span.context().span().span_context().trace_id();
    async {
        let mut tx = db.pg.begin().await.expect("begun");
        append(&mut tx, aggregate, 1).await;
        tx.commit().await.expect("committed");
    }
    .instrument(span)
    .await;

    let events = read_until(&db.pg, aggregate, 1).await;
    let traceparent = events[0].traceparent.clone().expect("a trace");
    assert_eq!(traceparent.split('-').nth(1), Some(trace.to_string().as_str()));

    let reading = tracing::info_span!("reading");
    pg::traceparent::adopt(&reading, &traceparent);
    assert_eq!(reading.context().span().span_context().trace_id(), trace, "the reader continues the trace");
}
