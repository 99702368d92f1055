//! The shell around every service of the suite: what a process does before, beside and after its work.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the settings of the suite: defaults, one file, environment, flags |
//! | [`telemetry`] | logs, traces, and how they end up outside |
//! | [`lifecycle`] | soft and hard stop, signals, tracked tasks, worker loops |
//! | [`metrics`] | the Prometheus registry and the figures that every process has |
//! | [`health`] | what is ready and why not, for people, for Kubernetes and over `grpc.health.v1` |
//! | [`serve`] | listening, the gRPC server and the admin server |
//! | [`wake`] | "there is something new" between processes, by Redis, without relying on it |
//! | [`redis_client`] | the one way in which connections to Redis are made |
//!
//! A process reads as a story: load the settings (exit code [`config::EXIT_CODE`] before anything is bound), start
//! telemetry, make a [`lifecycle::Shutdown`] and [`lifecycle::Tasks`], bind, spawn, and hand over to
//! [`lifecycle::Tasks::run`], whose outcome is the exit code.

pub mod config;
pub mod health;
pub mod lifecycle;
pub mod metrics;
pub mod redis_client;
pub mod serve;
pub mod telemetry;
pub mod wake;

pub use config::Settings;
pub use lifecycle::{Shutdown, Tasks};
