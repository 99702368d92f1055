//! The rules of orders, payments, refunds, invoices and the ledger. Pure: no storage, no transport, `now` is an argument.

pub mod checkout;
pub mod commission;
pub mod csv;
pub mod drawer;
pub mod etag;
pub mod invoice;
pub mod ledger;
pub mod order;
pub mod outcome;
pub mod payment;
pub mod payout;
pub mod peer_tender;
pub mod prepaid;
pub mod reconciliation;
pub mod refund;
pub mod refund_law;
pub mod risk;
pub mod stored_value;
pub mod subject;

pub use checkout::{Checkout, CheckoutState};
pub use order::{Amendment, Keep, Line, NewCheckout, NewOrder, NewTender, Order, State};
pub use outcome::{Event, Facts, Happened, Outcome};
pub use payment::{Action, Charge, JsapiParams, Payment, Purpose, Tender};
pub use refund::Refund;
pub use subject::Subject;

#[cfg(test)]
mod simulation;
