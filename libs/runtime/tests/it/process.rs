//! Signals and exit codes.

use std::time::Duration;

use runtime::{Shutdown, Tasks};
use rustix::process::Signal;

use crate::child::{Role, exit, plays};

#[tokio::test(flavor = "multi_thread")]
async fn child_that_drains() {
    if !plays("process::child_that_drains") {
        return;
    }
    let tasks = Tasks::new(Shutdown::new());
    tasks.stop_on_signals().unwrap();
    let soft = tasks.shutdown().soft().clone();
    tasks.spawn("call", async move {
        soft.cancelled().await;
        println!("finishing");
    });
    println!("running");
    exit(&tasks.run(Duration::from_secs(20)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn child_that_hangs() {
    if !plays("process::child_that_hangs") {
        return;
    }
    let tasks = Tasks::new(Shutdown::new());
    tasks.stop_on_signals().unwrap();
    let soft = tasks.shutdown().soft().clone();
    tasks.spawn("call", async move {
        soft.cancelled().await;
        println!("hanging");
        std::future::pending().await
    });
    println!("running");
    exit(&tasks.run(Duration::from_secs(3_600)).await);
}

#[tokio::test]
async fn the_first_signal_drains_and_the_process_ends_well() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut child = Role::start("process::child_that_drains", &[]);
        child.prints("running").await;
        child.signal(signal);
        child.prints("finishing").await;
        assert_eq!(child.ended().await.code, Some(0), "{signal:?}");
    }
}

#[tokio::test]
async fn the_second_signal_aborts() {
    let mut child = Role::start("process::child_that_hangs", &[]);
    child.prints("running").await;
    child.signal(Signal::TERM);
    child.prints("hanging").await;
    child.signal(Signal::INT);
    assert_eq!(child.ended().await.code, Some(130));
}
