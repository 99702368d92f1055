//! What therapists and partners earn.

mod accruing;
mod clawing;
pub mod office;
mod races;
mod reading;
mod refunds;
mod rules;
mod settling;
mod settling_races;
