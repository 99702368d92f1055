//! Wake-ups inside a process, between processes, and without Redis.

use runtime::{Shutdown, Tasks, wake::Wake};
use secrecy::SecretString;
use testkit::OwnRedis;
use tokio::sync::watch;

use crate::soon;

/// What a process has; two of them in one test are two processes to Redis.
struct Process {
    tasks: Tasks,
    wake: Wake,
}

fn url(server: &OwnRedis) -> SecretString {
    server.url().into()
}

/// How many messages were ever published.
async fn published(server: &OwnRedis) -> u64 {
    let stats: String =
        redis::cmd("INFO").arg("commandstats").query_async(&mut server.connection().await).await.unwrap();
    let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_publish:calls="));
    line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or(0)
}

fn process(url: &SecretString) -> Process {
    let tasks = Tasks::new(Shutdown::new());
    let wake = Wake::connect(url, "test", &tasks).unwrap();
    Process { tasks, wake }
}

/// Publishes until the reader is woken: a wake-up may be lost while a connection comes up.
async fn woken_by(publish: &impl Fn(), reader: &mut watch::Receiver<u64>) {
    reader.mark_unchanged();
    let wait = async {
        loop {
            publish();
            let again = std::time::Duration::from_millis(50);
            if tokio::time::timeout(again, reader.changed()).await.is_ok() {
                return;
            }
        }
    };
    soon("the wake-up", wait).await;
}

#[tokio::test]
async fn another_process_is_woken_and_only_for_its_service() {
    let server = testkit::own_redis().await;
    let (writer, reader) = (process(&url(&server)), process(&url(&server)));
    let mut booking = reader.wake.subscribe("booking");
    let publish = writer.wake.publisher("booking");
    woken_by(&publish, &mut booking).await;

    // From here on the connections are up: one call is one wake-up, and payment hears nothing of it.
    let mut payment = reader.wake.subscribe("payment");
    payment.mark_unchanged();
    booking.mark_unchanged();
    publish();
    soon("one wake-up", booking.changed()).await.unwrap();
    assert!(!payment.has_changed().unwrap());
}

#[tokio::test]
async fn a_burst_is_told_as_few() {
    let server = testkit::own_redis().await;
    let (writer, reader) = (process(&url(&server)), process(&url(&server)));
    let mut booking = reader.wake.subscribe("booking");
    let publish = writer.wake.publisher("booking");
    woken_by(&publish, &mut booking).await;
    let before = published(&server).await;
    // On this single-threaded runtime the publishing task cannot run in between.
    for _ in 0..10_000 {
        publish();
    }
    soon("the wake-up", booking.changed()).await.unwrap();
    let sent = published(&server).await - before;
    assert!((1..=3).contains(&sent), "{sent} messages");
}

#[tokio::test]
async fn the_same_process_is_woken_without_redis() {
    let server = testkit::own_redis().await;
    server.kill().await;
    let own = process(&url(&server));
    for wake in [own.wake.clone(), Wake::local()] {
        let mut reader = wake.subscribe("booking");
        wake.publisher("booking")();
        assert!(reader.has_changed().unwrap());
        reader.mark_unchanged();
    }
    own.tasks.shutdown().begin();
    let drain = std::time::Duration::from_secs(5);
    assert_eq!(own.tasks.run(drain).await, runtime::lifecycle::Outcome::Clean);
}

#[tokio::test]
async fn after_redis_was_away_readers_are_woken_and_wake_ups_work_again() {
    let server = testkit::own_redis().await;
    let (writer, reader) = (process(&url(&server)), process(&url(&server)));
    let mut booking = reader.wake.subscribe("booking");
    let publish = writer.wake.publisher("booking");
    woken_by(&publish, &mut booking).await;

    server.kill().await;
    publish();
    booking.mark_unchanged();
    server.restart().await;
    soon("being woken by the return itself", booking.changed()).await.unwrap();
    woken_by(&publish, &mut booking).await;
}

#[tokio::test]
async fn a_wrong_url_is_told_at_once() {
    let tasks = Tasks::new(Shutdown::new());
    assert!(Wake::connect(&SecretString::from("http://127.0.0.1"), "test", &tasks).is_err());
    assert!(tasks.tracker().is_empty());
}
