//! All SQL of marketing: functions on a connection, rows → domain. A row that our own code can't have written is an
//! error, never a panic.

pub mod cash_coupon;
pub mod coupon;
pub mod key;
pub mod mailbox;
pub mod member;
pub mod message;
pub mod overrun;
pub mod quote;
pub mod visit;

use kernel::{Currency, Timestamp};

/// The currency of a `char(3)` column.
fn currency(table: &'static str, row: impl ToString, code: &str) -> pg::Result<Currency> {
    Currency::parse("currency", code).map_err(|_| pg::Error::inconsistent(table, row, "unknown currency"))
}

/// An instant as a parameter.
fn sql(at: Timestamp) -> jiff_sqlx::Timestamp {
    jiff_sqlx::ToSqlx::to_sqlx(at)
}
