//! The rules: pure functions and values. They know no wire format and no database, and take the time as an argument.

pub mod code;
pub mod member;
pub mod phone;
pub mod points;
pub mod redemption;
pub mod session;
pub mod signing_key;
pub mod staff;
pub mod tier;
