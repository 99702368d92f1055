//! Reconciliation: proofs of days, lines of bills, breaks.
//!
//! A bill is matched by whole statements over tables that live as long as the transaction: [`stage`] copies its lines,
//! [`weigh()`] sets each beside what we have, as of one moment, and what follows only reads what came of that.

mod breaks;
mod proof;
mod spool;
mod weigh;

pub use breaks::{Filter, arrived, insert_foreign, list, lock, resolve};
pub use proof::{Matched, find, insert, reconciled_since, refuse};
pub use spool::Spool;
pub use weigh::{Bounds, Sums, fees_by_store, found_by_store, keep_breaks, keep_lines, stage, sums, weigh};
