//! What crosses services: the real executable, a process per service, real Postgres and Redis, HTTP in front.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and tells what it does"
)]

mod audit;
mod books;
mod changes;
mod client;
mod crashes;
mod crashes_changes;
mod faults;
mod invoices;
mod points;
mod story;
mod suite;
mod trace;
mod ways_to_pay;
mod world;
