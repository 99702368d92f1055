//! Prepaid contracts, their uses and refunds.

mod contract;
mod read;
mod refund;
mod usage;

pub use contract::{insert, record_change, save};
pub use read::{Filter, Watched, get, list, lock, lock_of_order, watched};
pub use refund::{StoredRefund, insert as insert_refund};
pub use usage::{decide, get as get_use, had, insert as insert_use};
