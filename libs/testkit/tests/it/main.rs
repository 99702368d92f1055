//! The ground that other tests stand on.
#![expect(clippy::expect_used, reason = "helpers of tests fail like tests")]

mod databases;
mod redis_servers;
mod served;
mod tokens;
