//! What is asked for, why and when.

use jiff::civil::Date;
use kernel::Money;

use super::cause::Cause;

/// A request for a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Why.
    pub cause: Cause,
    /// When the consumer asked.
    pub requested_on: Date,
    /// When the contract was ended, held void, rescinded or of no effect. A notice ends it on the day it arrives.
    pub ended_on: Date,
    /// When the money goes back; interest runs up to this day.
    pub payout_on: Date,
    /// Proven costs of either side (Art. 15 ¶2).
    pub costs: Vec<Cost>,
}

impl Request {
    /// A request that ends the contract and is paid out on the day on which it is made.
    pub const fn on(cause: Cause, day: Date) -> Self {
        Self { cause, requested_on: day, ended_on: day, payout_on: day, costs: Vec::new() }
    }
}

/// A cost that one side wants from the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// Who bore it.
    pub borne_by: Party,
    /// Of what kind it is.
    pub kind: CostKind,
    /// How much, above zero.
    pub amount: Money,
}

/// A side of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// Who paid.
    Consumer,
    /// Who serves.
    Merchant,
}

/// The kind of a cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CostKind {
    /// A reasonable cost, proven.
    Reasonable,
    /// Commission that the merchant paid to its staff for the sale: never a reasonable cost (Art. 15 ¶3).
    StaffCommission,
}
