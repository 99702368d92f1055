//! What rules look at.

use jiff::civil::Date;
use kernel::{
    Money,
    ids::{ItemId, StoreId, TherapistId},
};

use super::Manner;

/// A visit that was completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Where.
    pub store: StoreId,
    /// On which day of the store.
    pub date: Date,
    /// What it costs after reductions, without tips; 0 or above.
    pub price: Money,
    /// The partner platform through which it came.
    pub partner: Option<String>,
    /// Its parts, in order; one at least.
    pub parts: Vec<Part>,
}

/// A part of a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Who gave it.
    pub therapist: TherapistId,
    /// What.
    pub item: ItemId,
    /// Grade of his skill then, 1 to 5; `None` if nobody knows.
    pub grade: Option<i16>,
    /// How he came to it; `None` if nobody knows.
    pub manner: Option<Manner>,
    /// How long it took as planned.
    pub minutes: u32,
}
