//! The rules of a chain, as configuration (`[booking.policy]`). The defaults are those that the trade uses.

use jiff::SignedDuration;
use kernel::{Error, Result};
use serde::Deserialize;

use crate::domain::policy::{AssignmentPolicy, StorePolicy, WorkLimits};

/// What a chain decides for itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Minutes for which a time is kept without a deposit.
    pub hold_minutes: i64,
    /// Minutes before the start up to which a cancellation gives back all that was paid.
    pub cancel_notice_minutes: i64,
    /// The part of the price that confirms a booking, in hundredths of a percent.
    pub deposit_basis_points: u32,
    /// Minutes after a hold has run out in which a late deposit may still bring the same time back.
    pub late_payment_minutes: i64,
    /// How many days ahead a time can be booked.
    pub bookable_days: i64,
    /// Minutes from its making to which a hold may be prolonged.
    pub hold_limit_minutes: i64,
    /// Minutes before its start up to which a visit can be booked.
    pub lead_minutes: i64,
    /// Minutes after its start after which a confirmed visit counts as missed.
    pub no_show_grace_minutes: i64,
    /// Minutes for which a freed time is kept for the next on the waitlist.
    pub waitlist_offer_minutes: i64,
    /// Minutes before its start from which a visit can be checked in.
    pub check_in_minutes: i64,
    /// In how many lines a customer may wait at a time.
    pub waitlist_entries_per_customer: i64,
    /// How many holds a customer may have at a time, so that nobody hoards times.
    pub holds_per_customer: i64,
    /// How many holds may come from one device at a time.
    pub holds_per_device: i64,
    /// How many holds a partner platform may have at a time.
    pub holds_per_partner: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            hold_minutes: 10,
            cancel_notice_minutes: 60,
            deposit_basis_points: 2_000,
            late_payment_minutes: 15,
            bookable_days: 92,
            hold_limit_minutes: 30,
            lead_minutes: 0,
            no_show_grace_minutes: 15,
            waitlist_offer_minutes: 15,
            check_in_minutes: 60,
            waitlist_entries_per_customer: 10,
            holds_per_customer: 5,
            holds_per_device: 10,
            holds_per_partner: 200,
        }
    }
}

impl Policy {
    /// Refuses rules that make no sense, naming the one.
    pub fn validate(&self) -> Result<()> {
        let ranges = [
            ("hold_minutes", self.hold_minutes, 1..=1_440),
            ("cancel_notice_minutes", self.cancel_notice_minutes, 0..=43_200),
            ("deposit_basis_points", i64::from(self.deposit_basis_points), 0..=10_000),
            ("late_payment_minutes", self.late_payment_minutes, 0..=1_440),
            ("bookable_days", self.bookable_days, 1..=366),
            ("hold_limit_minutes", self.hold_limit_minutes, self.hold_minutes..=1_440),
            ("lead_minutes", self.lead_minutes, 0..=43_200),
            ("no_show_grace_minutes", self.no_show_grace_minutes, 0..=1_440),
            ("waitlist_offer_minutes", self.waitlist_offer_minutes, 1..=1_440),
            ("check_in_minutes", self.check_in_minutes, 0..=44_640),
            ("waitlist_entries_per_customer", self.waitlist_entries_per_customer, 1..=1_000),
            ("holds_per_customer", self.holds_per_customer, 1..=1_000),
            ("holds_per_device", self.holds_per_device, 1..=1_000),
            ("holds_per_partner", self.holds_per_partner, 1..=100_000),
        ];
        for (name, value, range) in ranges {
            if !range.contains(&value) {
                let text = format!("must be from {} to {}, not {value}", range.start(), range.end());
                return Err(Error::invalid(format!("booking.policy.{name}"), text));
            }
        }
        Ok(())
    }

    /// See `hold_minutes`.
    pub fn hold(&self) -> SignedDuration {
        SignedDuration::from_mins(self.hold_minutes)
    }

    /// See `cancel_notice_minutes`.
    pub fn cancel_notice(&self) -> SignedDuration {
        SignedDuration::from_mins(self.cancel_notice_minutes)
    }

    /// See `late_payment_minutes`.
    pub fn late_payment(&self) -> SignedDuration {
        SignedDuration::from_mins(self.late_payment_minutes)
    }

    /// The rules of a store that has none of its own.
    pub fn store_defaults(&self) -> StorePolicy {
        StorePolicy {
            assignment: AssignmentPolicy::default(),
            hold_minutes: self.hold_minutes,
            hold_limit_minutes: self.hold_limit_minutes,
            lead_minutes: self.lead_minutes,
            no_show_grace_minutes: self.no_show_grace_minutes,
            waitlist_offer_minutes: self.waitlist_offer_minutes,
            check_in_minutes: self.check_in_minutes,
            limits: WorkLimits::default(),
            partner_quota: None,
        }
    }

    /// See `bookable_days`.
    pub fn bookable(&self) -> SignedDuration {
        SignedDuration::from_hours(self.bookable_days * 24)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_nonsense_is_named() {
        assert!(Policy::default().validate().is_ok());
        let policy = Policy { deposit_basis_points: 10_001, ..Policy::default() };
        let field = policy.validate().err().map(|error| error.violations()[0].field.clone());
        assert_eq!(field.as_deref(), Some("booking.policy.deposit_basis_points"));
    }
}
