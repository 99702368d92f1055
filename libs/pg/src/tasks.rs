//! Calls to other systems that must happen although the process may die.
//!
//! A flow [`add`]s a task in the transaction of its decision. A worker [`claim`]s what is due under a lease, makes the
//! call outside any transaction with a request id derived from the task's id, and [`finish`]es the task in the
//! transaction that records the outcome. A worker that dies leaves a lease that runs out; the repeated call carries the
//! same request id, so the peer does nothing twice.
//!
//! Where somebody waits for what comes of it, the flow [`take`]s the task instead, and does it by [`go_on`] as soon as it
//! has committed: that spares a claim, which is a commit of its own.

use futures_util::future::try_join_all;
use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use kernel::{Error as Refusal, ErrorKind, Timestamp, Uuid, ids};
use sqlx::{Row, postgres::PgRow};
use tracing::Instrument;

use crate::{Pg, Result, Tx, traceparent};

/// How long a worker may be at a task before another takes it over.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// The same for whoever wrote the task and does it at once.
const OWN_LEASE: SignedDuration = SignedDuration::from_secs(5);
/// How many tasks one worker does side by side.
const SIDE_BY_SIDE: i64 = 8;
const FIRST_RETRY: SignedDuration = SignedDuration::from_millis(200);
/// Short, since behind a task there is mostly somebody who waits, such as for his order while his hold runs.
const LAST_RETRY: SignedDuration = SignedDuration::from_secs(10);

/// A task to be written.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// What is to be done, such as `create_order`.
    pub kind: &'static str,
    /// What it is about.
    pub aggregate_id: Uuid,
    /// What the worker needs to know besides; no personal data.
    pub payload: Vec<u8>,
    /// Not before this.
    pub due_time: Timestamp,
}

/// A task that this worker holds.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its id; calls to peers derive their request ids from it.
    pub id: Uuid,
    /// What is to be done.
    pub kind: String,
    /// What it is about.
    pub aggregate_id: Uuid,
    /// What the worker needs to know besides.
    pub payload: Vec<u8>,
    /// How often it was tried before.
    pub attempt_count: i32,
    /// The trace of the decision.
    pub traceparent: Option<String>,
}

impl Task {
    fn new(task: NewTask, now: Timestamp) -> Self {
        let NewTask { kind, aggregate_id, payload, due_time: _ } = task;
        let (id, kind, traceparent) = (ids::uuid_v7(now), kind.to_owned(), traceparent::current());
        Self { id, kind, aggregate_id, payload, attempt_count: 0, traceparent }
    }

    /// The request id of this task's call to a peer.
    pub fn request_id(&self) -> Uuid {
        ids::derive(self.id, "request")
    }
}

/// Does what tasks ask for.
pub trait Handler: Send + Sync {
    /// Does `task` and [`finish`]es it. An error that waiting may cure (see [`may_pass`]) means another try later; any
    /// other ends the task as failed.
    fn handle(&self, task: &Task) -> impl Future<Output = kernel::Result<()>> + Send;
}

/// Writes a task in the transaction of the decision.
pub async fn add(tx: &mut Tx, now: Timestamp, task: NewTask) -> Result<Uuid> {
    let (due_time, task) = (task.due_time, Task::new(task, now));
    insert(tx, now, &task, due_time, None).await?;
    Ok(task.id)
}

/// Writes a task that its writer does at once, whenever it is due: to be passed to [`go_on`] after the commit. If the
/// writer dies before, a worker takes it over after 5 seconds.
pub async fn take(tx: &mut Tx, now: Timestamp, task: NewTask) -> Result<Task> {
    let (due_time, task) = (task.due_time, Task::new(task, now));
    insert(tx, now, &task, due_time, Some(now + OWN_LEASE)).await?;
    Ok(task)
}

#[tracing::instrument(name = "db.task.add", skip_all, fields(kind = task.kind))]
async fn insert(
    tx: &mut Tx,
    now: Timestamp,
    task: &Task,
    due_time: Timestamp,
    claim_expire_time: Option<Timestamp>,
) -> Result<()> {
    sqlx::query(
        "insert into task (id, kind, aggregate_id, payload, traceparent, create_time, due_time, claim_expire_time,
                           attempt_count)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(task.id)
    .bind(&task.kind)
    .bind(task.aggregate_id)
    .bind(&task.payload)
    .bind(&task.traceparent)
    .bind(now.to_sqlx())
    .bind(due_time.to_sqlx())
    .bind(claim_expire_time.map(ToSqlx::to_sqlx))
    .bind(i32::from(claim_expire_time.is_some()))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Calls off what is still to be done of one kind for one aggregate; a worker that is at it right now goes on, but nobody
/// takes over should it die. So a call whose effect would have to be undone is not called off: its handler looks at the
/// state and sees to that.
#[tracing::instrument(name = "db.task.call_off", skip_all, fields(kind))]
pub async fn call_off(tx: &mut Tx, now: Timestamp, aggregate_id: Uuid, kind: &'static str) -> Result<u64> {
    let done = sqlx::query(
        "update task set done_time = $3, failure = 'called off'
         where aggregate_id = $1 and kind = $2 and done_time is null",
    )
    .bind(aggregate_id)
    .bind(kind)
    .bind(now.to_sqlx())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// Takes up to `limit` tasks that are due, for 30 seconds.
#[tracing::instrument(name = "db.task.claim", skip_all)]
pub async fn claim(pg: &Pg, now: Timestamp, limit: i64) -> Result<Vec<Task>> {
    let rows = sqlx::query(
        "update task set claim_expire_time = $2, attempt_count = attempt_count + 1
         where id in (
             select id from task
             where done_time is null and due_time <= $1 and (claim_expire_time is null or claim_expire_time <= $1)
             order by due_time limit $3 for update skip locked
         )
         returning id, kind, aggregate_id, payload, attempt_count - 1 as attempt_count, traceparent",
    )
    .bind(now.to_sqlx())
    .bind((now + LEASE).to_sqlx())
    .bind(limit)
    .fetch_all(&mut *pg.conn().await?)
    .await?;
    rows.iter().map(task).collect()
}

/// Ends a task in the transaction that records its outcome. False if it was ended before: then the outcome is known
/// already and the transaction should do nothing else.
#[tracing::instrument(name = "db.task.finish", skip_all)]
pub async fn finish(tx: &mut Tx, now: Timestamp, id: Uuid) -> Result<bool> {
    end(tx, now, id, None).await
}

/// Does all that is due, a few at a time side by side, and returns how many tasks were taken up.
pub async fn drain(pg: &Pg, now: impl Fn() -> Timestamp, handler: &impl Handler) -> kernel::Result<usize> {
    let mut taken = 0;
    loop {
        let tasks = claim(pg, now(), SIDE_BY_SIDE).await?;
        if tasks.is_empty() {
            return Ok(taken);
        }
        taken += tasks.len();
        // All of them run under leases that began together, so all must begin together.
        try_join_all(tasks.iter().map(|task| attempt(pg, &now, handler, task))).await?;
    }
}

async fn attempt(pg: &Pg, now: &impl Fn() -> Timestamp, handler: &impl Handler, task: &Task) -> Result<()> {
    let span = tracing::info_span!("task", kind = task.kind, attempt = task.attempt_count);
    if let Some(parent) = &task.traceparent {
        traceparent::adopt(&span, parent);
    }
    match handler.handle(task).instrument(span).await {
        Ok(()) => Ok(()),
        Err(error) => put_back(pg, now(), task, error).await,
    }
}

/// Does a task that was [taken](take) when it was written. If that fails, the worker will see to it.
pub async fn go_on(pg: &Pg, now: impl Fn() -> Timestamp, task: &Task, handler: &impl Handler) -> Result<()> {
    attempt(pg, &now, handler, task).await
}

/// Whether an error may pass by waiting.
pub fn may_pass(error: &Refusal) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unavailable
            | ErrorKind::DeadlineExceeded
            | ErrorKind::Aborted
            | ErrorKind::ResourceExhausted
            | ErrorKind::Internal
    )
}

async fn put_back(pg: &Pg, now: Timestamp, task: &Task, error: Refusal) -> Result<()> {
    if may_pass(&error) {
        let wait = retry_after(task.attempt_count);
        tracing::warn!(
            kind = task.kind,
            attempt = task.attempt_count,
            error = error.chain(),
            wait_ms = wait.as_millis(),
            "task put off"
        );
        sqlx::query("update task set due_time = $2, claim_expire_time = null where id = $1 and done_time is null")
            .bind(task.id)
            .bind((now + wait).to_sqlx())
            .execute(&mut *pg.conn().await?)
            .await?;
        return Ok(());
    }
    tracing::error!(kind = task.kind, aggregate = %task.aggregate_id, error = error.chain(), "task refused for good");
    let mut tx = pg.begin().await?;
    end(&mut tx, now, task.id, Some(&error.to_string())).await?;
    tx.commit().await
}

async fn end(tx: &mut Tx, now: Timestamp, id: Uuid, failure: Option<&str>) -> Result<bool> {
    let ended = sqlx::query("update task set done_time = $2, failure = $3 where id = $1 and done_time is null")
        .bind(id)
        .bind(now.to_sqlx())
        .bind(failure)
        .execute(&mut **tx)
        .await?;
    Ok(ended.rows_affected() == 1)
}

/// Twice as long each time, from 200 ms up to 10 s.
fn retry_after(attempt_count: i32) -> SignedDuration {
    let doublings = u32::try_from(attempt_count).unwrap_or(0).min(16);
    FIRST_RETRY.saturating_mul(1 << doublings).min(LAST_RETRY)
}

fn task(row: &PgRow) -> Result<Task> {
    Ok(Task {
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        aggregate_id: row.try_get("aggregate_id")?,
        payload: row.try_get("payload")?,
        attempt_count: row.try_get("attempt_count")?,
        traceparent: row.try_get("traceparent")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_doubles_up_to_ten_seconds() {
        let waits: Vec<_> = [0, 1, 2, 5, 6, 1_000].map(|n| retry_after(n).as_millis()).into();
        assert_eq!(waits, [200, 400, 800, 6_400, 10_000, 10_000]);
    }
}
