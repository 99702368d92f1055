//! Prepaid contracts, and what their end gives back.

pub mod quote_refund_by_law;
