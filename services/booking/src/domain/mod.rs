//! The rules of booking, free of transport and storage. `now` is always an argument.

pub mod assignment;
pub mod availability;
pub mod booking;
pub mod calendar;
pub mod cancellation;
pub mod catalog;
pub mod chosen;
pub mod etag;
pub mod geo;
pub mod group;
pub mod hours;
pub mod licence;
pub mod party;
mod phase;
pub mod policy;
pub mod pricing;
pub mod roster;
pub mod span;
pub mod visit;
pub mod waitlist;
pub mod walk_in;
