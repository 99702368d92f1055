//! One use case a file, and the consumers of other services' feeds. A flow that changes something for a caller ends in
//! the reply for the wire, since the reply is part of the effect: it is stored with it, under the request id.

mod apply_coupon;
pub mod cash_coupon;
pub mod create_quote;
mod first_visit;
pub mod follow_bookings;
pub mod follow_members;
pub mod get_quote;
pub mod list_coupons;
pub mod list_mailbox;
pub mod list_messages;
pub mod preview_quote;
pub mod release_coupons;
mod schedule_messages;
pub mod send_message;
pub mod send_scheduled;

use kernel::{Timestamp, Uuid};
use pg::idempotency::Key;

/// A request that must have one effect and one answer, however often it comes.
#[derive(Debug)]
pub struct Once<'a, Q> {
    /// What identifies it.
    pub key: Key<'a>,
    /// The message, whose content must be the same each time.
    pub message: &'a Q,
}

/// Which page of a list is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// The time and id of the row before it.
    pub after: Option<(Timestamp, Uuid)>,
    /// How many rows to read.
    pub limit: i64,
}
