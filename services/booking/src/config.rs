//! The rules of a chain, as configuration (`[booking.policy]`). The defaults are those that the trade uses.

use jiff::SignedDuration;
use kernel::{Error, Result};
use serde::Deserialize;

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
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            hold_minutes: 10,
            cancel_notice_minutes: 60,
            deposit_basis_points: 2_000,
            late_payment_minutes: 15,
            bookable_days: 92,
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
