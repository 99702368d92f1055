//! The feed over real Postgres and a real server: once each, in order, whatever dies.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod consumer;
mod server;
mod support;
