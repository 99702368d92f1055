//! What therapists and partners earn.

mod accruing;
pub mod office;
mod races;
mod reading;
mod refunds;
mod rules;
mod settling;
mod settling_races;
