//! Tasks outlive the process that wrote them.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use jiff::SignedDuration;
use kernel::{Error, ErrorKind, Timestamp, Uuid};
use pg::{
    Pg,
    tasks::{self, Handler, NewTask, Task},
};

use crate::support::{MIGRATOR, now};

/// Fails so often with an error of that kind, then finishes tasks.
struct Peer<'a> {
    pg: &'a Pg,
    failures: AtomicUsize,
    kind: ErrorKind,
    calls: Mutex<Vec<Uuid>>,
}

impl<'a> Peer<'a> {
    fn new(pg: &'a Pg, failures: usize, kind: ErrorKind) -> Self {
        Self { pg, failures: AtomicUsize::new(failures), kind, calls: Mutex::default() }
    }

    fn calls(&self) -> Vec<Uuid> {
        self.calls.lock().expect("not poisoned").clone()
    }
}

impl Handler for Peer<'_> {
    async fn handle(&self, task: &Task) -> kernel::Result<()> {
        self.calls.lock().expect("not poisoned").push(task.request_id());
        let left = self.failures.load(Ordering::SeqCst);
        if left > 0 {
            self.failures.store(left - 1, Ordering::SeqCst);
            return Err(Error::new(self.kind, "PEER", "the peer says no"));
        }
        let mut tx = self.pg.begin().await?;
        tasks::finish(&mut tx, now(), task.id).await?;
        Ok(tx.commit().await?)
    }
}

async fn add(pg: &Pg, at: Timestamp, aggregate_id: Uuid) -> Uuid {
    let mut tx = pg.begin().await.expect("begun");
    let task = NewTask { kind: "call", aggregate_id, payload: vec![7], due_time: at };
    let id = tasks::add(&mut tx, at, task).await.expect("added");
    tx.commit().await.expect("committed");
    id
}

async fn open(pg: &Pg) -> i64 {
    sqlx::query_scalar("select count(*) from task where done_time is null").fetch_one(pg.pool()).await.expect("counted")
}

#[tokio::test]
async fn what_is_due_is_done_and_what_is_not_is_left() {
    let db = testkit::database(&MIGRATOR).await;
    let (pg, at) = (&db.pg, now());
    for n in 0..20 {
        add(pg, at, Uuid::from_u128(n)).await;
    }
    add(pg, at + SignedDuration::from_mins(1), Uuid::from_u128(99)).await;
    let peer = Peer::new(pg, 0, ErrorKind::Internal);
    assert_eq!(tasks::drain(pg, || at, &peer).await.expect("drained"), 20);
    assert_eq!((peer.calls().len(), open(pg).await), (20, 1));
}

#[tokio::test]
async fn a_passing_failure_is_tried_again_later_with_the_same_request_id() {
    let db = testkit::database(&MIGRATOR).await;
    let (pg, at) = (&db.pg, now());
    add(pg, at, Uuid::from_u128(1)).await;
    let peer = Peer::new(pg, 2, ErrorKind::Unavailable);
    tasks::drain(pg, || at, &peer).await.expect("drained");
    assert_eq!(tasks::drain(pg, || at, &peer).await.expect("not due yet"), 0);
    let later = |millis| at + SignedDuration::from_millis(millis);
    tasks::drain(pg, || later(200), &peer).await.expect("drained");
    tasks::drain(pg, || later(600), &peer).await.expect("drained");
    let calls = peer.calls();
    assert_eq!((calls.len(), open(pg).await), (3, 0));
    assert!(calls.iter().all(|request_id| *request_id == calls[0]));
}

#[tokio::test]
async fn a_refusal_for_good_ends_the_task_and_is_kept() {
    let db = testkit::database(&MIGRATOR).await;
    let (pg, at) = (&db.pg, now());
    add(pg, at, Uuid::from_u128(1)).await;
    let peer = Peer::new(pg, 1, ErrorKind::FailedPrecondition);
    tasks::drain(pg, || at, &peer).await.expect("drained");
    let failure: String = sqlx::query_scalar("select failure from task").fetch_one(pg.pool()).await.expect("a task");
    assert_eq!((failure.as_str(), open(pg).await), ("the peer says no (PEER)", 0));
}

#[tokio::test]
async fn a_worker_that_died_loses_its_lease_and_another_takes_over() {
    let db = testkit::database(&MIGRATOR).await;
    let (pg, at) = (&db.pg, now());
    add(pg, at, Uuid::from_u128(1)).await;
    assert_eq!(tasks::claim(pg, at, 10).await.expect("claimed").len(), 1);
    let peer = Peer::new(pg, 0, ErrorKind::Internal);
    assert_eq!(tasks::drain(pg, || at, &peer).await.expect("somebody is at it"), 0);
    let later = at + SignedDuration::from_secs(30);
    assert_eq!(tasks::drain(pg, || later, &peer).await.expect("taken over"), 1);
    assert_eq!(open(pg).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_workers_do_each_task_once() {
    let db = testkit::database(&MIGRATOR).await;
    let (pg, at) = (&db.pg, now());
    for n in 0..60 {
        add(pg, at, Uuid::from_u128(n)).await;
    }
    let peer = Peer::new(pg, 0, ErrorKind::Internal);
    let done = futures_util::future::join_all((0..8).map(|_| tasks::drain(pg, || at, &peer))).await;
    let done: usize = done.into_iter().map(|done| done.expect("drained")).sum();
    assert_eq!((done, peer.calls().len(), open(pg).await), (60, 60, 0));
}

#[tokio::test]
async fn what_was_called_off_is_not_done() {
    let db = testkit::database(&MIGRATOR).await;
    let (pg, at) = (&db.pg, now());
    for n in 1..=2 {
        add(pg, at, Uuid::from_u128(n)).await;
    }
    let mut tx = pg.begin().await.expect("begun");
    assert_eq!(tasks::call_off(&mut tx, at, Uuid::from_u128(1), "call").await.expect("called off"), 1);
    tx.commit().await.expect("committed");
    let peer = Peer::new(pg, 0, ErrorKind::Internal);
    assert_eq!(tasks::drain(pg, || at, &peer).await.expect("drained"), 1);
    assert_eq!((peer.calls().len(), open(pg).await), (1, 0));
}

/// A task of whoever writes it.
async fn take(pg: &Pg, at: Timestamp) -> Task {
    let mut tx = pg.begin().await.expect("begun");
    let task = NewTask { kind: "call", aggregate_id: Uuid::from_u128(1), payload: Vec::new(), due_time: at };
    let task = tasks::take(&mut tx, at, task).await.expect("taken");
    tx.commit().await.expect("committed");
    task
}

#[tokio::test]
async fn a_task_is_its_writers_at_first() {
    let db = testkit::database(&MIGRATOR).await;
    let (pg, at) = (&db.pg, now());
    let task = take(pg, at).await;
    let peer = Peer::new(pg, 0, ErrorKind::Internal);
    assert_eq!(tasks::drain(pg, || at, &peer).await.expect("drained"), 0, "somebody is at it");
    tasks::go_on(pg, || at, &task, &peer).await.expect("done");
    assert_eq!((peer.calls(), open(pg).await), (vec![task.request_id()], 0));
}

#[tokio::test]
async fn a_writer_who_dies_or_fails_leaves_his_task_to_the_worker() {
    let db = testkit::database(&MIGRATOR).await;
    let (pg, at) = (&db.pg, now());
    let dead = take(pg, at).await;
    let peer = Peer::new(pg, 0, ErrorKind::Internal);
    let later = |seconds| at + SignedDuration::from_secs(seconds);
    assert_eq!(tasks::drain(pg, || later(4), &peer).await.expect("drained"), 0);
    assert_eq!(tasks::drain(pg, || later(5), &peer).await.expect("drained"), 1);
    assert_eq!(peer.calls(), [dead.request_id()]);

    let failed = take(pg, at).await;
    let peer = Peer::new(pg, 1, ErrorKind::Unavailable);
    tasks::go_on(pg, || at, &failed, &peer).await.expect("put back");
    assert_eq!(tasks::drain(pg, || later(1), &peer).await.expect("drained"), 1);
    assert_eq!((peer.calls(), open(pg).await), (vec![failed.request_id(); 2], 0));
}
