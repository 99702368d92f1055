//! Pure rules: no transport, no storage, and the time is an argument.

pub mod cash_coupon;
pub mod coupon;
pub mod message;
pub mod phone;
pub mod quote;
pub mod template;
pub mod tier;
pub mod visit;
