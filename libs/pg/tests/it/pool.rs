//! The safe `begin`, timeouts, and what a failure is called.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kernel::ErrorKind;
use pg::{Pg, PgConfig};
use rand::RngExt;
use sqlx::Connection as _;

use crate::support::{self, MIGRATOR, notes, write_note};

/// sqlx #4385: a `begin` that is dropped halfway may leave its transaction open on a pooled connection; what the next
/// user writes there is acknowledged and never committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_begins_lose_no_acknowledged_write() {
    let db = testkit::database(&MIGRATOR).await;
    let pg = Pg::connect(&PgConfig { max_connections: 4, ..PgConfig::new(&db.url, "pg-it") }).await.expect("connected");
    let mut random = support::seeded("cancelled_begins_lose_no_acknowledged_write");
    for round in 0..300 {
        let begins: Vec<_> = (0..4)
            .map(|_| {
                let pg = pg.clone();
                tokio::spawn(async move { pg.begin().await.map(drop) })
            })
            .collect();
        // Cut them off at a random point of their way.
        for _ in 0..random.random_range(0..60) {
            tokio::task::yield_now().await;
        }
        begins.iter().for_each(|begin| begin.abort());
        let mut conn = pg.conn().await.expect("a connection");
        write_note(&mut conn, &round.to_string()).await.expect("acknowledged");
    }
    let mut fresh = db.pg.conn().await.expect("a connection");
    let kept: i64 = sqlx::query_scalar("select count(*) from note").fetch_one(&mut *fresh).await.expect("counted");
    assert_eq!(kept, 300, "acknowledged writes are lost");
}

#[tokio::test]
async fn a_dropped_transaction_is_rolled_back() {
    let db = testkit::database(&MIGRATOR).await;
    let mut tx = db.pg.begin().await.expect("begun");
    write_note(&mut tx, "dropped").await.expect("written");
    drop(tx);
    let mut tx = db.pg.begin().await.expect("begun");
    write_note(&mut tx, "rolled back").await.expect("written");
    tx.rollback().await.expect("rolled back");
    let mut tx = db.pg.begin().await.expect("begun");
    write_note(&mut tx, "committed").await.expect("written");
    tx.commit().await.expect("committed");
    let mut conn = db.pg.conn().await.expect("a connection");
    assert_eq!(notes(&mut conn, "dropped").await, 0);
    assert_eq!(notes(&mut conn, "rolled back").await, 0);
    assert_eq!(notes(&mut conn, "committed").await, 1);
}

#[tokio::test]
async fn a_violated_constraint_is_told_by_name() {
    let db = testkit::database(&MIGRATOR).await;
    let mut conn = db.pg.conn().await.expect("a connection");
    write_note(&mut conn, "once").await.expect("written");
    let error = write_note(&mut conn, "once").await.expect_err("twice");
    assert!(error.is_constraint("note_text_unique"));
    assert!(!error.is_constraint("note_pkey"));
}

#[tokio::test]
async fn a_slow_statement_is_a_deadline_exceeded() {
    let db = testkit::database(&MIGRATOR).await;
    let config = PgConfig { statement_timeout: Duration::from_millis(200), ..PgConfig::new(&db.url, "pg-it") };
    let pg = Pg::connect(&config).await.expect("connected");
    let mut conn = pg.conn().await.expect("a connection");
    let error = sqlx::query("select pg_sleep(60)").execute(&mut *conn).await.map_err(pg::Error::from);
    assert_eq!(kernel::Error::from(error.expect_err("too slow")).kind(), ErrorKind::DeadlineExceeded);
}

#[tokio::test]
async fn a_forgotten_transaction_is_ended_by_the_server() {
    let db = testkit::database(&MIGRATOR).await;
    let config =
        PgConfig { idle_in_transaction_timeout: Duration::from_millis(300), ..PgConfig::new(&db.url, "pg-it") };
    let pg = Pg::connect(&config).await.expect("connected");
    let mut tx = pg.begin().await.expect("begun");
    write_note(&mut tx, "forgotten").await.expect("written");
    let pid: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *tx).await.expect("a number");
    testkit::eventually(Duration::from_secs(10), || async {
        let alive = sqlx::query_scalar("select exists (select from pg_stat_activity where pid = $1)").bind(pid);
        !alive.fetch_one(db.pg.pool()).await.unwrap_or(true)
    })
    .await;
    assert!(tx.commit().await.is_err());
    assert_eq!(notes(&mut pg.conn().await.expect("a connection"), "forgotten").await, 0);
}

#[tokio::test]
async fn transactions_begin_although_all_connections_were_closed_meanwhile() {
    let own = testkit::own_postgres(&MIGRATOR).await;
    use_all(&own.pg).await;
    own.kill().await;
    own.restart().await;
    use_all(&own.pg).await;
    // An orderly shutdown says farewell, which the next statement reads as its answer.
    let mut other = sqlx::PgConnection::connect(&own.url).await.expect("let in");
    sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
        .execute(&mut other)
        .await
        .expect("ended");
    use_all(&own.pg).await;
}

/// Begins as many transactions as there may be at once, and gives their connections back.
async fn use_all(pg: &Pg) {
    let most = pg.pool().options().get_max_connections();
    let mut open = Vec::new();
    for _ in 0..most {
        let mut tx = pg.begin().await.expect("begun");
        sqlx::query("select").execute(&mut *tx).await.expect("it lives");
        open.push(tx);
    }
    drop(open);
    testkit::eventually(Duration::from_secs(10), || async { pg.pool().num_idle() == most as usize }).await;
}

#[tokio::test]
async fn a_pool_that_is_used_up_is_unavailable() {
    let db = testkit::database(&MIGRATOR).await;
    let config =
        PgConfig { max_connections: 1, acquire_timeout: Duration::from_millis(500), ..PgConfig::new(&db.url, "pg-it") };
    let waits = Arc::new(AtomicUsize::new(0));
    let counted = waits.clone();
    let pg = Pg::connect(&config).await.expect("connected").with_wait_meter(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let held = pg.begin().await.expect("begun");
    let error = kernel::Error::from(pg.begin().await.expect_err("nothing left"));
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    drop(held);
    pg.begin().await.expect("free again");
    assert_eq!(waits.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let config = PgConfig {
        acquire_timeout: Duration::from_millis(200),
        ..PgConfig::new("postgres://nobody@127.0.0.1:1/nothing", "pg-it")
    };
    let error = kernel::Error::from(Pg::connect(&config).await.expect_err("nobody listens"));
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[test]
fn the_password_is_in_no_debug_text() {
    let config = PgConfig::new("postgres://booking:hunter2@127.0.0.1/booking", "booking");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn the_migrations_of_platform_and_service_are_one_sequence() {
    let versions: Vec<i64> = pg::migrator(&MIGRATOR).iter().map(|migration| migration.version).collect();
    assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
    let (platform, service) = versions.split_at(versions.partition_point(|version| *version <= 1_000));
    assert_eq!((platform.first(), service), (Some(&1), [1_001].as_slice()));
}

#[tokio::test]
async fn a_full_disk_is_called_that_and_may_pass() {
    let db = testkit::database(&MIGRATOR).await;
    let full = "do $$ begin raise exception 'no space left on device' using errcode = 'disk_full'; end $$";
    let error = sqlx::raw_sql(full).execute(db.pg.pool()).await.expect_err("no space");
    let error = kernel::Error::from(pg::Error::from(error));
    assert_eq!((error.kind(), error.reason()), (kernel::ErrorKind::Unavailable, "STORAGE_FULL"));
    assert!(pg::tasks::may_pass(&error));
}
