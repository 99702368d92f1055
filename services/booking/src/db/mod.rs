//! All SQL of booking: functions on a connection, rows → domain. A row that our own code can't have written is an
//! error, never a panic.

pub mod allocation;
pub mod block;
pub mod booking;
pub mod calendar;
pub mod calendar_link;
pub mod catalog;
pub mod day;
pub mod fairness;
pub mod group;
mod instants;
pub mod live;
pub mod locks;
pub mod policy;
pub mod preference;
pub mod roster;
pub mod rotation;
pub mod shift;
pub mod shift_pattern;
pub mod supply;
pub mod time_off;
pub mod waitlist;
pub mod walk_in;
pub mod working_calendar;

use kernel::{Currency, Money, Timestamp};

/// The currency of a `char(3)` column.
fn currency(table: &'static str, row: impl ToString, code: &str) -> pg::Result<Currency> {
    Currency::parse("currency", code).map_err(|_| pg::Error::inconsistent(table, row, "unknown currency"))
}

/// An amount of two columns.
fn money(table: &'static str, row: impl ToString, minor: i64, code: &str) -> pg::Result<Money> {
    Ok(Money::new(minor, currency(table, row, code)?))
}

/// An instant as a parameter.
fn sql(at: Timestamp) -> jiff_sqlx::Timestamp {
    jiff_sqlx::ToSqlx::to_sqlx(at)
}

/// A date as a parameter.
fn sql_date(date: jiff::civil::Date) -> jiff_sqlx::Date {
    jiff_sqlx::ToSqlx::to_sqlx(date)
}
