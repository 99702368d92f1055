//! Editing the roster. Every flow owns the roster of its store first ([`crate::db::roster`]), edits, and then sees to it
//! that no live booking was stranded.

pub mod blocks;
pub mod calendars;
pub mod day;
pub(crate) mod edit;
mod events;
pub mod exceptions;
pub mod extend;
pub mod patterns;
mod settle;
mod shifts;
pub mod single_shifts;
pub mod stranded;
pub mod time_off;
