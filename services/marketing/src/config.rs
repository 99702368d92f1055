//! The rules of a chain, as configuration (`[marketing.policy]`).

use jiff::SignedDuration;
use kernel::{Error, Result};
use serde::Deserialize;

use crate::domain::{template::Language, tier::Tier};

/// What a chain decides for itself. Reductions are in hundredths of a percent: 300 is 3 %.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// What members of each tier pay less.
    pub tier_basis_points: TierBasisPoints,
    /// What the first visit costs less; 0 ends the campaign, coupons that were given keep their worth.
    pub first_visit_basis_points: u32,
    /// Days for which a first-visit coupon can be used.
    pub first_visit_valid_days: i64,
    /// The most that a cash coupon may be worth, in major units (yuan).
    pub cash_coupon_max_major: i64,
    /// Days for which a cash coupon can be used at least that comes back because what it had paid was refunded.
    pub returned_coupon_days: i64,
    /// Minutes for which a coupon is kept for a quote of which no booking was heard.
    pub reservation_minutes: i64,
    /// Minutes before the start at which a customer is reminded.
    pub reminder_minutes: i64,
    /// The language of messages about visits.
    pub language: Language,
    /// Whether the demo mailbox can be read over the API: one-time codes included, so never in production.
    pub demo_mailbox: bool,
}

/// Reductions by tier, in hundredths of a percent.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TierBasisPoints {
    /// From the start.
    pub member: u32,
    /// The second tier.
    pub silver: u32,
    /// The third tier.
    pub gold: u32,
    /// The highest tier.
    pub platinum: u32,
}

impl Default for TierBasisPoints {
    fn default() -> Self {
        Self { member: 0, silver: 300, gold: 500, platinum: 800 }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            tier_basis_points: TierBasisPoints::default(),
            first_visit_basis_points: 2_000,
            first_visit_valid_days: 90,
            cash_coupon_max_major: 1_000,
            returned_coupon_days: 30,
            reservation_minutes: 15,
            reminder_minutes: 60,
            language: Language::ZhCn,
            demo_mailbox: false,
        }
    }
}

impl Policy {
    /// Refuses rules that make no sense, naming the one.
    pub fn validate(&self) -> Result<()> {
        let tiers = self.tier_basis_points;
        let ranges = [
            ("tier_basis_points.member", i64::from(tiers.member), 0..=10_000),
            ("tier_basis_points.silver", i64::from(tiers.silver), 0..=10_000),
            ("tier_basis_points.gold", i64::from(tiers.gold), 0..=10_000),
            ("tier_basis_points.platinum", i64::from(tiers.platinum), 0..=10_000),
            ("first_visit_basis_points", i64::from(self.first_visit_basis_points), 0..=10_000),
            ("first_visit_valid_days", self.first_visit_valid_days, 1..=3_650),
            ("cash_coupon_max_major", self.cash_coupon_max_major, 0..=1_000_000),
            ("returned_coupon_days", self.returned_coupon_days, 1..=3_650),
            ("reservation_minutes", self.reservation_minutes, 1..=1_440),
            ("reminder_minutes", self.reminder_minutes, 1..=43_200),
        ];
        for (name, value, range) in ranges {
            if !range.contains(&value) {
                let text = format!("must be from {} to {}, not {value}", range.start(), range.end());
                return Err(Error::invalid(format!("marketing.policy.{name}"), text));
            }
        }
        Ok(())
    }

    /// What members of `tier` pay less.
    pub fn tier_reduction(&self, tier: Tier) -> u32 {
        match tier {
            Tier::Member => self.tier_basis_points.member,
            Tier::Silver => self.tier_basis_points.silver,
            Tier::Gold => self.tier_basis_points.gold,
            Tier::Platinum => self.tier_basis_points.platinum,
        }
    }

    /// See `first_visit_valid_days`.
    pub fn first_visit_validity(&self) -> SignedDuration {
        SignedDuration::from_hours(self.first_visit_valid_days * 24)
    }

    /// See `returned_coupon_days`.
    pub fn returned_coupon(&self) -> SignedDuration {
        SignedDuration::from_hours(self.returned_coupon_days * 24)
    }

    /// See `reservation_minutes`.
    pub fn reservation(&self) -> SignedDuration {
        SignedDuration::from_mins(self.reservation_minutes)
    }

    /// See `reminder_minutes`.
    pub fn reminder(&self) -> SignedDuration {
        SignedDuration::from_mins(self.reminder_minutes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_nonsense_is_named() {
        assert!(Policy::default().validate().is_ok());
        let tiers = TierBasisPoints { gold: 10_001, ..TierBasisPoints::default() };
        let policy = Policy { tier_basis_points: tiers, ..Policy::default() };
        let field = policy.validate().err().map(|error| error.violations()[0].field.clone());
        assert_eq!(field.as_deref(), Some("marketing.policy.tier_basis_points.gold"));
    }
}
