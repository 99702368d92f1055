//! Shops.

use kernel::{Currency, Result, Timestamp, ids::StoreId};

use crate::domain::{
    geo::Position,
    hours::{self, OpeningHours, SpecialDay},
    licence::Licence,
    policy::{CancellationTier, OwnPolicy},
    span::Span,
};

/// A shop of the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Store {
    /// Its id.
    pub id: StoreId,
    /// What people call it.
    pub display_name: String,
    /// Street address.
    pub address: String,
    /// Where it is.
    pub position: Option<Position>,
    /// IANA name; known to exist.
    pub time_zone: String,
    /// When it is open, each week.
    pub opening_hours: Vec<OpeningHours>,
    /// Days on which other hours hold, by date.
    pub special_days: Vec<SpecialDay>,
    /// What it charges in.
    pub currency: Currency,
    /// Addresses of pictures.
    pub photos: Vec<String>,
    /// Counts the edits, from 1.
    pub version: i64,
    /// When it was opened in the system.
    pub create_time: Timestamp,
}

impl Store {
    /// The times within `window` at which it is open, one for each opening, by start.
    pub fn openings(&self, window: Span) -> Result<Vec<Span>> {
        let zone = hours::time_zone("store.time_zone", &self.time_zone)?;
        Ok(hours::openings(&self.opening_hours, &self.special_days, &zone, window))
    }
}

/// What is not needed to find a time at a store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreDetails {
    /// What it is allowed to do.
    pub licences: Vec<Licence>,
    /// Its own rules.
    pub policy: OwnPolicy,
    /// What a cancellation costs, the longest notice first; empty if the chain's rule holds.
    pub cancellation: Vec<CancellationTier>,
}
