//! How services learn what happened in another: the outbox of one served as a stream, applied exactly once by others.
//!
//! ```text
//! flow ── event in its transaction ──▶ outbox ──▶ FeedServer ══ gRPC ══▶ spawn ──▶ Consumer::apply ┐ one
//!                                                                          cursor ◀───────────────┘ transaction
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`server`] | [`FeedServer`], `EventFeedService` over the outbox of a service |
//! | [`event`] | [`Event`] as a consumer sees it |
//! | [`consumer`] | [`Consumer`], what a service does with events; [`FeedSource`], where they come from; [`spawn`] |
//! | [`rewind`] | reading a feed again from its beginning |
//!
//! Invariants:
//! * The cursor moves in the transaction of the effect, from exactly where it was: an event is applied once in effect,
//!   whatever dies in between and however many replicas believe that they hold a partition. Leases only save work.
//! * Events are applied in the order of the feed. One that fails is tried again for ever and holds up its partition
//!   (not the others): what a consumer can't apply is a bug or an outage, and skipping it would lose it.
//! * Nothing is kept but in Postgres: a lost wake-up, stream or replica costs seconds.

pub mod consumer;
mod coordinator;
mod cursor;
pub mod event;
mod metrics;
pub mod server;
mod session;
mod tail;

pub use consumer::{Consumer, FeedSource, spawn};
pub use cursor::rewind;
pub use event::Event;
pub use server::FeedServer;
