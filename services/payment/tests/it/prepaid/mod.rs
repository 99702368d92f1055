//! Prepaid contracts, and what their end gives back.

mod contracts;
mod model;
mod quote;
mod races;
mod refunds;
mod rests;
pub mod roles;
pub mod shop;
pub mod tenders;
mod uses;
