//! What the sandboxes of real protocols share: the books, the queue of notices, and misbehaving on order.
//!
//! They are foreign systems too, and are reached by HTTP only. Their books live as long as the process.

pub mod book;
pub mod mishap;
pub mod page;
pub mod queue;

pub use book::{Book, Refund, RefundStage, Stage, Trade};
pub use mishap::{Mishap, Mishaps, Ordered, Spoilt};
pub use queue::{Headers, Outgoing, Queue, Schedule, Seal};
