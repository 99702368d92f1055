//! Tips: added to visits, owed to therapists, handed over.

pub mod add;
pub mod balance;
pub mod pay_out;
