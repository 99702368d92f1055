//! Editing the roster. Every flow owns the roster of its store first ([`crate::db::roster`]), edits, and then sees to it
//! that no live booking was stranded.

pub mod stranded;
