//! Payments are found again, and handed to the books of others.

pub mod export_payments;
pub mod search_payments;
