use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{oneshot, watch};

use super::*;

fn tasks() -> Tasks {
    Tasks::new(Shutdown::new())
}

#[tokio::test(start_paused = true)]
async fn a_soft_stop_waits_for_running_work() {
    let tasks = tasks();
    let (done, is_done) = oneshot::channel();
    let soft = tasks.shutdown().soft().clone();
    tasks.spawn("work", async move {
        soft.cancelled().await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let _ = done.send(());
    });
    tasks.shutdown().begin();
    assert_eq!(tasks.run(Duration::from_secs(20)).await, Outcome::Clean);
    is_done.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn work_that_does_not_end_is_dropped_after_the_drain_timeout() {
    let tasks = tasks();
    tasks.spawn("stubborn", std::future::pending());
    tasks.shutdown().begin();
    let before = tokio::time::Instant::now();
    assert_eq!(tasks.run(Duration::from_secs(20)).await, Outcome::TimedOut);
    assert_eq!(before.elapsed(), Duration::from_secs(20));
    assert!(tasks.tracker().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_abort_cuts_the_drain_short() {
    let tasks = tasks();
    tasks.spawn("stubborn", std::future::pending());
    tasks.shutdown().begin();
    let shutdown = tasks.shutdown().clone();
    let abort = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        shutdown.abort();
    };
    let (outcome, ()) = tokio::join!(tasks.run(Duration::from_secs(20)), abort);
    assert_eq!(outcome, Outcome::Aborted);
    assert_eq!(format!("{:?}", outcome.exit_code()), format!("{:?}", std::process::ExitCode::from(130)));
}

#[tokio::test(start_paused = true)]
async fn an_essential_task_that_fails_stops_the_process() {
    for (name, task) in [
        ("error", Box::pin(async { Err("no disk") }) as futures_util::future::BoxFuture<'static, Result<(), &str>>),
        ("panic", Box::pin(async { panic!("at the disco") })),
        ("end", Box::pin(async { Ok(()) })),
    ] {
        let tasks = tasks();
        tasks.spawn_essential(name, task);
        let Outcome::Failed(why) = tasks.run(Duration::from_secs(20)).await else {
            panic!("{name} was not noticed");
        };
        assert!(why.starts_with(name), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_essential_task_may_end_once_a_stop_was_asked_for() {
    let tasks = tasks();
    let soft = tasks.shutdown().soft().clone();
    tasks.spawn_essential("server", async move {
        soft.cancelled().await;
        Ok::<_, std::io::Error>(())
    });
    tasks.shutdown().begin();
    assert_eq!(tasks.run(Duration::from_secs(20)).await, Outcome::Clean);
}

#[tokio::test(start_paused = true)]
async fn a_worker_steps_every_period_and_at_once_when_there_is_more() {
    let tasks = tasks();
    let count = Arc::new(AtomicU32::new(0));
    let seen = count.clone();
    tasks.spawn_loop("steps", Duration::from_secs(10), None, move || {
        let step = seen.fetch_add(1, Ordering::SeqCst);
        async move { Ok(if step < 3 { Next::Now } else { Next::Wait }) }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(count.load(Ordering::SeqCst), 4);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(count.load(Ordering::SeqCst), 5);
    tasks.shutdown().begin();
    assert_eq!(tasks.run(Duration::from_secs(1)).await, Outcome::Clean);
}

#[tokio::test(start_paused = true)]
async fn a_worker_is_woken_even_by_news_that_comes_during_a_step() {
    let tasks = tasks();
    let (waker, wake) = watch::channel(0);
    let (steps, mut seen) = watch::channel(0_u64);
    let waker = Arc::new(waker);
    let news = waker.clone();
    tasks.spawn_loop("woken", Duration::from_secs(3_600), Some(wake), move || {
        steps.send_modify(|count| *count += 1);
        if *steps.borrow() == 1 {
            news.send_modify(|version| *version += 1);
        }
        std::future::ready(Ok(Next::Wait))
    });
    let before = tokio::time::Instant::now();
    seen.wait_for(|count| *count == 2).await.unwrap();
    waker.send_modify(|version| *version += 1);
    seen.wait_for(|count| *count == 3).await.unwrap();
    assert!(before.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_failing_worker_backs_off_and_recovers() {
    let tasks = tasks();
    let (steps, mut seen) = watch::channel(0_u32);
    tasks.spawn_loop("fails", Duration::from_secs(1), None, move || {
        steps.send_modify(|count| *count += 1);
        let step = *steps.borrow();
        async move {
            match step {
                1 => panic!("once"),
                2..=7 => Err(kernel::Error::unavailable("postgres")),
                _ => Ok(Next::Wait),
            }
        }
    });
    let before = tokio::time::Instant::now();
    seen.wait_for(|count| *count == 8).await.unwrap();
    // 1 + 2 + 4 + 8 + 16 + 30 + 30 seconds.
    assert_eq!(before.elapsed().as_secs(), 91);
    seen.wait_for(|count| *count == 9).await.unwrap();
    assert_eq!(before.elapsed().as_secs(), 92, "after a success the period counts again");
}
