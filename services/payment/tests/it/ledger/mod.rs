//! The ledger by itself: what it books, what it refuses, and what of it can be proven.

pub mod book;
mod chain;
mod days;
mod model;
mod races;
mod reading;
mod refused;
mod transfers;
mod upgrade;
