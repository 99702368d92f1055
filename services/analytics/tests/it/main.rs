//! Analytics against a real Postgres, through gRPC and the real server layer.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod access;
mod changes;
mod days;
mod facts;
mod feeds;
mod privacy;
mod world;
