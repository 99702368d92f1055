//! What tests stand on: a real Postgres and a real Redis, a database of one's own per test, a clock that is moved by
//! hand, tokens of every kind, and a server in the same process.
//!
//! The first test that asks starts a private Postgres and Redis in `.meridian/test` of the workspace. They are left
//! running for the next test binary, until `cargo run -p testkit -- stop`. `MERIDIAN_TEST_POSTGRES_URL` (of a role that
//! may create databases) and `MERIDIAN_TEST_REDIS_URL` name others to use instead.
//!
//! | ask for | to get |
//! |---|---|
//! | [`database`] | an empty database with all migrations, gone with the test |
//! | [`redis`] | the shared Redis and a key prefix of one's own |
//! | [`own_postgres`], [`own_redis`] | a server that a test may kill, freeze or empty |
//! | [`clock`] | the time, standing still at [`START`] until it is moved |
//! | [`keys`] | tokens of members, staff and services, and bad ones |
//! | [`serve`] | a channel to a server in this process, behind the real layer |
//! | [`events_about`] | the names of all events about one sort of thing |
//! | [`eventually`] | a condition waited for, with a deadline |
//!
//! Everything here fails by panicking: a test that can't have its servers can't pass.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod cleaner;
mod clock;
mod database;
mod events;
mod eventually;
mod keys;
mod own_postgres;
mod own_redis;
mod server;
mod servers;
mod shared_redis;
mod template;

pub use clock::{ManualClock, START, clock};
pub use database::{TestDb, database, scratch_database};
pub use events::events_about;
pub use eventually::{Condition, eventually};
pub use keys::{TestKeys, keys, with_token};
pub use own_postgres::{OwnPostgres, own_postgres};
pub use own_redis::{OwnRedis, own_redis};
pub use server::{serve, serve_at};
pub use servers::provision;
pub use shared_redis::{TestRedis, redis};
