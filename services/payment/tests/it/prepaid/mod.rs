//! Prepaid contracts, and what their end gives back.

mod quote;
