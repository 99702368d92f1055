//! Money that goes back by hand: looked up, and paid.

pub mod list;
pub mod make;
