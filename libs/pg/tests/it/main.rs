//! `pg` against a real Postgres.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints its seed"
)]

mod audit;
mod idempotency;
mod outbox;
mod outbox_order;
mod pool;
mod support;
mod tasks;
mod vault;
