//! Commit order under concurrent writers, some of whom hold their transactions open or roll them back.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use kernel::{Uuid, ids};
use pg::{
    Pg,
    outbox::{self, NewEvent, PARTITIONS, StoredEvent},
};
use prost_types::Duration as Payload;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::sync::watch;

use crate::support::{self, MIGRATOR, now};

const WRITERS: u64 = 16;
const TRANSACTIONS: i64 = 60;

/// Writes transactions of one to three events about one aggregate, one after the other; returns the versions committed.
async fn write(pg: Pg, aggregate: Uuid, seed: u64) -> Vec<i64> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut committed = Vec::new();
    for number in 0..TRANSACTIONS {
        let mut tx = pg.begin().await.expect("begun");
        let versions: Vec<i64> = (0..random.random_range(1..=3)).map(|n| number * 10 + n).collect();
        for version in &versions {
            let event = NewEvent::new(aggregate, *version, now(), &Payload::default());
            outbox::append(&mut tx, event).await.expect("written");
        }
        // The slow transactions are what is tested: readers must not pass them by.
        let delay = if random.random_bool(0.05) { 120 } else { random.random_range(0..8) };
        tokio::time::sleep(Duration::from_millis(delay)).await;
        if random.random_bool(0.05) {
            tx.rollback().await.expect("rolled back");
        } else {
            tx.commit().await.expect("committed");
            committed.extend(versions);
        }
    }
    committed
}

/// Reads a partition in small batches while it is being written, until `total` says that all partitions are read.
async fn read(
    pg: Pg,
    partition: i16,
    counts: watch::Sender<usize>,
    mut total: watch::Receiver<Option<usize>>,
) -> Vec<StoredEvent> {
    let mut events: Vec<StoredEvent> = Vec::new();
    let mut counted = counts.subscribe();
    loop {
        let cursor = events.last().map(|event| event.cursor).unwrap_or_default();
        let mut conn = pg.conn().await.expect("a connection");
        let batch = outbox::read_after(&mut conn, partition, &cursor, 7).await.expect("read");
        drop(conn);
        counts.send_modify(|count| *count += batch.len());
        events.extend(batch);
        if *total.borrow_and_update() == Some(*counted.borrow_and_update()) {
            return events;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_out_of_order() {
    let db = testkit::database(&MIGRATOR).await;
    let mut random = support::seeded("nothing_is_lost_or_out_of_order");
    let (counts, _) = watch::channel(0);
    let (total, is_total) = watch::channel(None);
    let readers: Vec<_> = (0..PARTITIONS)
        .map(|partition| tokio::spawn(read(db.pg.clone(), partition, counts.clone(), is_total.clone())))
        .collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let aggregate = ids::uuid_v7(now());
            (aggregate, tokio::spawn(write(db.pg.clone(), aggregate, random.random())))
        })
        .collect();
    let mut written = HashMap::new();
    for (aggregate, writer) in writers {
        written.insert(aggregate, writer.await.expect("no panic"));
    }
    total.send_replace(Some(written.values().map(Vec::len).sum()));

    let mut seen: BTreeMap<Uuid, Vec<i64>> = BTreeMap::new();
    for (partition, reader) in (0..).zip(readers) {
        let events =
            tokio::time::timeout(Duration::from_secs(60), reader).await.expect("all is read").expect("no panic");
        assert!(events.is_sorted_by(|a, b| a.cursor < b.cursor), "the cursor does not only go forward");
        for event in events {
            assert_eq!(outbox::partition(event.aggregate_id), partition);
            seen.entry(event.aggregate_id).or_default().push(event.aggregate_version);
        }
    }
    // A writer commits one transaction before it begins the next, so its versions must be read in their order.
    for (aggregate, versions) in written {
        assert_eq!(seen.remove(&aggregate).unwrap_or_default(), versions, "lost, repeated or out of order");
    }
    assert!(seen.is_empty(), "something was read that was never committed");
}
