//! Calendars: reading them, and the rights to read them.

pub mod links;
pub mod read;
