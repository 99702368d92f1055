//! One use case a file.

pub mod amend_order;
pub mod audit;
mod charge;
pub mod checkout;
pub mod close_order;
pub mod commission;
pub mod create_order;
pub mod drawer;
pub mod follow_booking;
pub mod invoice;
pub mod ledger;
pub mod pay_order;
pub mod payout;
pub mod prepaid;
pub mod query_pending;
pub mod read_orders;
pub mod reconciliation;
mod record;
pub mod records;
pub mod refund_order;
pub mod risk;
pub mod send_refunds;
mod settle;
pub mod stored_value;
pub mod take_notice;
pub mod tenders;
pub mod tip;

use kernel::{Error, ErrorKind, ids::OrderId};

/// Whether repeating a call to a foreign system may help.
fn is_transient(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::DeadlineExceeded | ErrorKind::Aborted)
}

fn no_such_order(id: OrderId) -> Error {
    Error::not_found(id)
}
