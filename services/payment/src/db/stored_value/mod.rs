//! Cards, lots, what is paid with them, campaigns and limits.
//!
//! Locks are taken in this order: order, card, campaign or limit, ledger. Whoever changes a lot has locked its card.

pub mod campaigns;
pub mod cards;
pub mod limits;
mod lots;
pub mod refunds;
pub mod spendings;
pub mod statement;
pub mod top_ups;

use kernel::{Timestamp, Uuid};

/// The last row of the page before, in a list that shows the newest first.
pub type After = Option<(Timestamp, Uuid)>;
