//! A private Postgres and a private Redis for one data folder: what `meridian up` and the tests stand on.
//!
//! Nothing here touches the servers of the system. Everything lives in one folder:
//!
//! | in the data folder | holds |
//! |---|---|
//! | `servers.json` | ports and passwords, readable by the owner only |
//! | `postgres.conf`, `pg_hba.conf`, `redis.conf` | written anew at each start |
//! | `postgres/` | the database files and the server's log |
//! | `redis/` | Redis's log and process id |
//! | `tools/` | programs fetched without root, if there were none |
//! | `lock`, `start.lock` | who works with the folder now |
//!
//! The servers listen on 127.0.0.1 only and ask for generated passwords, because other people may have accounts on the
//! machine. There are no Unix sockets: their paths are limited to 107 bytes, and a checkout may lie deeper.
//!
//! Started as root, the servers run as `postgres` or `nobody`. If that user can't reach the data folder (a checkout in
//! a private home), the files of the servers lie in `/var/lib/meridian-<hash>` and `servers.json` says so.
//!
//! Modules: `account` who runs the servers; `place` where their files lie; `programs` finds them, `install` and
//! `unpacked` fetch them; `postgres` and `cache` run them; `database` makes databases; `port`, `process`, `lock`, `state`, `files` are
//! small tools.

mod account;
mod cache;
mod database;
mod error;
mod files;
mod install;
mod lock;
mod options;
mod place;
mod port;
mod postgres;
mod process;
mod programs;
mod provision;
mod state;
mod unpacked;

pub use cache::Redis;
pub use database::{database_url, ensure_database};
pub use error::{Error, Result};
pub use lock::Exclusive;
pub use options::{Options, Profile, Progress};
pub use postgres::Postgres;
pub use process::{is_alive, resume, stop_at_once, suspend};
pub use provision::Provision;
