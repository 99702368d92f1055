//! Postgres as every service uses it: the pool, transactions that survive cancelled callers, and what must share a
//! transaction with an effect.
//!
//! | module | holds |
//! |---|---|
//! | [`pool`] | [`Pg`], the pool with the one safe way to begin a transaction |
//! | [`tx`] | [`Tx`], an open transaction |
//! | [`error`] | what goes wrong in a database, and what a caller is told about it |
//! | [`idempotency`] | one effect and one answer per request id |
//! | [`outbox`] | events written with the effect and read in commit order |
//! | [`audit`] | who saw or changed what: append-only, chained, verifiable |
//! | [`seal`] | rows that are only added, chained in commit order |
//! | [`tasks`] | calls to other systems that must happen although the process may die |
//! | [`vault`] | personal data: sealed per owner, found by a blind index, shredded by deleting a key |
//! | [`traceparent`] | the trace that an event carries to its readers |
//!
//! The tables behind them are in `migrations/`; [`migrator`] joins them with those of a service.

pub mod audit;
pub mod error;
pub mod idempotency;
pub mod outbox;
pub mod pool;
pub mod seal;
pub mod tasks;
pub mod traceparent;
mod trust;
pub mod tx;
pub mod vault;

pub use error::{Error, Result};
pub use pool::{Pg, PgConfig};
pub use sqlx::PgConnection;
pub use tx::Tx;

use sqlx::migrate::Migrator;

/// The tables that every service database has; versions 1 to 1000.
static PLATFORM: Migrator = sqlx::migrate!("./migrations");

/// The platform's migrations followed by those of `service`, whose versions start at 1001.
///
/// Run it over a connection without a statement timeout: a pool made by [`Pg::connect`] has one.
pub fn migrator(service: &Migrator) -> Migrator {
    Migrator::with_migrations(PLATFORM.iter().chain(service.iter()).cloned().collect())
}
