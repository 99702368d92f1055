//! Marketing through its own doors: gRPC behind the real layer, and events as the feeds deliver them.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod access;
mod cash_coupons;
mod codes;
mod coupons;
mod feeds;
mod messages;
mod moves;
mod offers;
mod privacy;
mod quotes;
mod sending;
mod support;
mod visits;
