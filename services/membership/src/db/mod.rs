//! All SQL of membership: functions on a connection, rows → domain. A row that our own code can't have written is an
//! error, never a panic.

pub mod code;
pub mod lock;
pub mod member;
pub mod points;
pub mod purchase;
pub mod redemption;
pub mod reply;
pub mod session;
pub mod sign_in_failure;
pub mod signing_key;
pub mod staff;

use kernel::Timestamp;

/// An instant as a parameter.
fn sql(at: Timestamp) -> jiff_sqlx::Timestamp {
    jiff_sqlx::ToSqlx::to_sqlx(at)
}

/// An instant that may be missing.
fn jiff(at: Option<jiff_sqlx::Timestamp>) -> Option<Timestamp> {
    at.map(jiff_sqlx::Timestamp::to_jiff)
}

/// A count as workers report it.
fn count(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}
