//! Consumers: exactly once in effect, shared among replicas, never passing over an event.

use std::time::Duration;

use opentelemetry::trace::TraceContextExt;
use testkit::eventually;
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::support::{
    MIGRATOR, PATIENCE, Publisher, Replica, aggregates, all_applied_once, applied, holders, shared_by,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_share_the_partitions_and_a_killed_one_is_replaced() {
    let (publisher, db, clock) = (Publisher::new().await, testkit::database(&MIGRATOR).await, testkit::clock());
    let (channel, _stop) = publisher.serve().await;
    let aggregates = aggregates();
    let first = Replica::start(&db.pg, channel.clone(), &clock);
    let second = Replica::start(&db.connect().await, channel, &clock);
    shared_by(&db.pg, 2).await;
    for aggregate in &aggregates {
        publisher.write(*aggregate, 1, 20).await;
    }
    all_applied_once(&db.pg, &aggregates, 20).await;

    // Killed in the middle of a stream of events, it leaves its leases behind.
    let writing = async {
        for aggregate in &aggregates {
            publisher.write(*aggregate, 21, 40).await;
        }
    };
    let killing = async {
        eventually(PATIENCE, || async { applied(&db.pg).await[&aggregates[0]].len() > 21 }).await;
        first.kill();
    };
    tokio::join!(writing, killing);
    clock.advance(Duration::from_secs(6));
    shared_by(&db.pg, 1).await;
    all_applied_once(&db.pg, &aggregates, 40).await;
    second.stop().await;
    assert_eq!(holders(&db.pg).await, [None; 4], "a replica that stops gives its partitions up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_stream_is_taken_up_where_it_broke() {
    let (publisher, db, clock) = (Publisher::new().await, testkit::database(&MIGRATOR).await, testkit::clock());
    let replica = Replica::start(&db.pg, publisher.serve_badly().await, &clock);
    let aggregates = aggregates();
    for aggregate in &aggregates {
        publisher.write(*aggregate, 1, 10).await;
    }
    all_applied_once(&db.pg, &aggregates, 10).await;
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_replica_goes_on_where_the_last_one_stopped() {
    let (publisher, db, clock) = (Publisher::new().await, testkit::database(&MIGRATOR).await, testkit::clock());
    let (channel, _stop) = publisher.serve().await;
    let aggregates = aggregates();
    for round in 0..3 {
        let replica = Replica::start(&db.pg, channel.clone(), &clock);
        for aggregate in &aggregates {
            publisher.write(*aggregate, round * 5 + 1, round * 5 + 5).await;
        }
        // Whether it has applied all of them by now or not.
        replica.stop().await;
    }
    let replica = Replica::start(&db.pg, channel, &clock);
    all_applied_once(&db.pg, &aggregates, 15).await;
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_only_seems_dead_applies_nothing_twice() {
    let (publisher, db) = (Publisher::new().await, testkit::database(&MIGRATOR).await);
    let (channel, _stop) = publisher.serve().await;
    let aggregates = aggregates();
    // Two clocks that are far apart: each replica believes again and again that the other's leases have run out.
    let (slow, fast) = (testkit::clock(), testkit::clock());
    let replicas =
        [Replica::start(&db.pg, channel.clone(), &slow), Replica::start(&db.connect().await, channel, &fast)];
    for round in 0..10 {
        fast.advance(Duration::from_secs(10));
        for aggregate in &aggregates {
            publisher.write(*aggregate, round * 4 + 1, round * 4 + 4).await;
        }
    }
    all_applied_once(&db.pg, &aggregates, 40).await;
    for replica in replicas {
        replica.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_event_holds_up_its_partition_and_loses_nothing() {
    let (publisher, db, clock) = (Publisher::new().await, testkit::database(&MIGRATOR).await, testkit::clock());
    let (channel, _stop) = publisher.serve().await;
    let aggregates = aggregates();
    let failing = (aggregates[0], 3);
    let mut tx = publisher.pg.begin().await.expect("begun");
    for aggregate in &aggregates {
        for version in 1..=5 {
            publisher.append(&mut tx, *aggregate, version).await;
        }
    }
    let replica = Replica::start(&db.pg, channel, &clock);
    replica.notes.failing.lock().expect("not poisoned").insert(failing);
    // They come in one batch, with the failing one in the middle.
    tx.commit().await.expect("committed");
    let held_up = pg::outbox::partition(failing.0);
    let others: Vec<_> = aggregates.iter().copied().filter(|id| pg::outbox::partition(*id) != held_up).collect();
    testkit::eventually(PATIENCE, || async {
        let applied = applied(&db.pg).await;
        others.iter().all(|id| applied.get(id).is_some_and(|versions| versions.len() == 5))
            && applied.get(&failing.0).is_some_and(|versions| versions == &[1, 2])
    })
    .await;
    replica.notes.failing.lock().expect("not poisoned").clear();
    all_applied_once(&db.pg, &aggregates, 5).await;
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_happened_unheard_is_not_tried_again_for_ever() {
    let (publisher, db, clock) = (Publisher::new().await, testkit::database(&MIGRATOR).await, testkit::clock());
    let (channel, _stop) = publisher.serve().await;
    let aggregate = aggregates()[0];
    let replica = Replica::start(&db.pg, channel, &clock);
    replica.notes.unheard.lock().expect("not poisoned").insert((aggregate, 2), db.pg.clone());
    for version in 1..=3 {
        publisher.write(aggregate, version, version).await;
        // Each comes alone, not in a batch.
        let arrived = || async { applied(&db.pg).await.get(&aggregate).map_or(0, Vec::len) as i64 >= version };
        eventually(PATIENCE, arrived).await;
    }
    all_applied_once(&db.pg, &[aggregate], 3).await;
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_panics_is_started_again() {
    let (publisher, db, clock) = (Publisher::new().await, testkit::database(&MIGRATOR).await, testkit::clock());
    let (channel, _stop) = publisher.serve().await;
    let aggregates = aggregates();
    let replica = Replica::start(&db.pg, channel, &clock);
    replica.notes.deadly.lock().expect("not poisoned").insert((aggregates[0], 2));
    for aggregate in &aggregates {
        publisher.write(*aggregate, 1, 3).await;
    }
    all_applied_once(&db.pg, &aggregates, 3).await;
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_from_the_beginning_sees_everything_again() {
    let (publisher, db, clock) = (Publisher::new().await, testkit::database(&MIGRATOR).await, testkit::clock());
    let (channel, _stop) = publisher.serve().await;
    let aggregates = aggregates();
    let replica = Replica::start(&db.pg, channel, &clock);
    for aggregate in &aggregates {
        publisher.write(*aggregate, 1, 7).await;
    }
    all_applied_once(&db.pg, &aggregates, 7).await;
    // While the replica is at work.
    let mut tx = db.pg.begin().await.expect("begun");
    sqlx::query("truncate applied").execute(&mut *tx).await.expect("emptied");
    feed::rewind(&mut tx, "publisher", "notes").await.expect("rewound");
    tx.commit().await.expect("committed");
    all_applied_once(&db.pg, &aggregates, 7).await;
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_effect_continues_the_trace_of_its_cause() {
    let (publisher, db, clock) = (Publisher::new().await, testkit::database(&MIGRATOR).await, testkit::clock());
    let (channel, _stop) = publisher.serve().await;
    let aggregate = aggregates()[0];

    let cause = tracing::info_span!("cause");
    let trace = cause.context().span().span_context().trace_id().to_string();
    publisher.write(aggregate, 1, 1).instrument(cause).await;
    let replica = Replica::start(&db.pg, channel, &clock);
    all_applied_once(&db.pg, &[aggregate], 1).await;
    let applied_in = replica.notes.traceparent.lock().expect("not poisoned").clone().expect("a trace");
    assert_eq!(applied_in.split('-').nth(1), Some(trace.as_str()));
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lag_delay_and_failures_are_told() {
    let (publisher, db, clock) = (Publisher::new().await, testkit::database(&MIGRATOR).await, testkit::clock());
    let (channel, _stop) = publisher.serve().await;
    let replica = Replica::start_as("metered", &db.pg, channel, &clock);
    let aggregate = aggregates()[0];
    replica.notes.failing.lock().expect("not poisoned").insert((aggregate, 1));
    clock.advance(Duration::from_secs(2));
    publisher.write(aggregate, 1, 1).await;
    let partition = pg::outbox::partition(aggregate);
    let labels = r#"consumer="notes",feed="metered""#;
    let lag = |seconds| format!("feed_lag_seconds{{{labels},partition=\"{partition}\"}} {seconds}\n");
    let told = |line: String| async move { runtime::metrics::render().contains(&line) };
    eventually(PATIENCE, || told(lag(2))).await;
    eventually(PATIENCE, || async { !told(format!("feed_failures_total{{{labels}}} 0\n")).await }).await;
    replica.notes.failing.lock().expect("not poisoned").clear();
    eventually(PATIENCE, || told(lag(0))).await;
    eventually(PATIENCE, || told(format!("feed_delay_seconds_count{{{labels}}} 1\n"))).await;
    replica.stop().await;
    assert!(!told(lag(0)).await, "a partition given up has no lag");
}
