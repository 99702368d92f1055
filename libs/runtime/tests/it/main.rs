//! The runtime against real sockets, a real Redis, a collector and real signals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod child;
mod grpc;
mod process;
mod redis_connection;
mod traces;
mod wake;

use std::time::Duration;

/// How long anything may take on a busy test machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for `work`, but not for ever.
async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("waited too long: {what}"))
}
