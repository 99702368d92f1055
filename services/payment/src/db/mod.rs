//! All SQL of the service, a file per table family. Functions work on a connection or join the caller's transaction.

mod action;
pub mod checkouts;
pub mod commission;
pub mod drawers;
pub mod invariants;
pub mod invoices;
pub mod ledger;
pub mod notices;
pub mod orders;
pub mod payments;
pub mod payouts;
pub mod peer_tenders;
pub mod prepaid;
pub mod reconciliation;
pub mod records;
pub mod refunds;
mod returns;
pub mod risk;
pub mod stored_value;
pub mod stores;
pub mod tips;

use kernel::{Currency, Money};
use pg::{Error, Result};

/// Reads a stored currency code.
fn currency(table: &'static str, row: impl ToString, code: &str) -> Result<Currency> {
    Currency::parse("currency", code).map_err(|error| Error::inconsistent(table, row, error))
}

/// An amount of the order's currency.
fn money(currency: Currency) -> impl Fn(i64) -> Money {
    move |minor| Money::new(minor, currency)
}
