//! Membership through its gRPC surface, on a real Postgres.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod codes;
mod members;
mod points;
mod redemption;
mod registration;
mod secrecy;
mod sessions;
mod staff;
mod tiers;
mod tokens;
mod wiring;
mod world;
