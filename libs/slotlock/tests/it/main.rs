//! Slot locks against a real Redis.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod exclusion;
mod outage;

use std::time::Duration;

use redis::{
    Client,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use slotlock::{SlotKey, SlotLock};
use uuid::Uuid;

/// Long enough for a busy test machine; what the budget does is tested in `outage`.
const PATIENCE: Duration = Duration::from_secs(20);
const MINUTE: Duration = Duration::from_secs(60);

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number + 1)
}

fn keys(resources: &[u128], start: i64, end: i64) -> Vec<SlotKey> {
    resources.iter().flat_map(|resource| SlotKey::covering(id(*resource), start, end)).collect()
}

/// A connection as a service makes it: lazy, and retried often.
fn connection(client: Client) -> ConnectionManager {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(Duration::from_secs(1)))
        .set_max_delay(Duration::from_millis(200));
    ConnectionManager::new_lazy_with_config(client, config).unwrap()
}

/// Locks of this test alone.
fn patient(server: &testkit::TestRedis) -> SlotLock {
    SlotLock::new(Some(connection(server.client())), server.prefix.clone()).with_budget(PATIENCE)
}
