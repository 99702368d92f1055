//! The ledger by itself: what it books, what it refuses, and what of it can be proven.

mod book;
mod chain;
mod races;
mod refused;
mod transfers;
mod upgrade;
