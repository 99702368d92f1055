//! The rules of a chain, as configuration (`[membership.policy]`).

use jiff::SignedDuration;
use kernel::{Currency, Error, Money, Result};
use serde::Deserialize;

use crate::domain::{redemption::Terms, tier::Thresholds};

/// What a chain decides for itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Minutes for which an access token is good.
    pub access_token_minutes: i64,
    /// Days for which a refresh token is good.
    pub refresh_token_days: i64,
    /// Minutes for which a one-time code is good.
    pub code_minutes: i64,
    /// Days for which a key signs access tokens.
    pub signing_key_days: i64,
    /// The version of the terms and the privacy policy that is in force.
    pub terms_version: String,
    /// The currency of tiers. Orders in another currency earn points, but do not count for the tier.
    pub currency: String,
    /// Points for 100 major units (yuan) of an order.
    pub points_per_100_major: i32,
    /// Days for which points can be spent.
    pub points_days: i64,
    /// So many points, and no part of them, …
    pub redeem_points: i64,
    /// … are worth so much when they pay a part of an order, in minor units (fen) of `currency`.
    pub redeem_worth_minor: i64,
    /// At most so much of an order may be paid by points, in hundredths of a percent.
    pub redeem_max_share_basis_points: u32,
    /// Days for which points can be spent at least that come back because what they had paid was refunded.
    pub returned_points_days: i64,
    /// Rolling spend in major units from which on a member is silver.
    pub silver_from: i64,
    /// The same for gold.
    pub gold_from: i64,
    /// The same for platinum.
    pub platinum_from: i64,
    /// Days for which a member keeps a tier that his spend is too low for.
    pub tier_grace_days: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            access_token_minutes: 15,
            refresh_token_days: 30,
            code_minutes: 5,
            signing_key_days: 30,
            terms_version: "2026-01".to_owned(),
            currency: "CNY".to_owned(),
            points_per_100_major: 10,
            points_days: 365,
            redeem_points: 100,
            redeem_worth_minor: 1_000,
            redeem_max_share_basis_points: 5_000,
            returned_points_days: 30,
            silver_from: 1_000,
            gold_from: 5_000,
            platinum_from: 20_000,
            tier_grace_days: 30,
        }
    }
}

impl Policy {
    /// Refuses rules that make no sense, naming the one.
    pub fn validate(&self) -> Result<()> {
        let ranges = [
            ("access_token_minutes", self.access_token_minutes, 1..=60),
            ("refresh_token_days", self.refresh_token_days, 1..=366),
            ("code_minutes", self.code_minutes, 1..=15),
            ("signing_key_days", self.signing_key_days, 1..=366),
            ("points_per_100_major", i64::from(self.points_per_100_major), 0..=100_000),
            ("points_days", self.points_days, 1..=3_660),
            ("redeem_points", self.redeem_points, 1..=1_000_000_000),
            ("redeem_worth_minor", self.redeem_worth_minor, 1..=1_000_000_000),
            ("redeem_max_share_basis_points", i64::from(self.redeem_max_share_basis_points), 0..=10_000),
            ("returned_points_days", self.returned_points_days, 1..=3_660),
            ("silver_from", self.silver_from, 1..=1_000_000_000),
            ("gold_from", self.gold_from, self.silver_from..=1_000_000_000),
            ("platinum_from", self.platinum_from, self.gold_from..=1_000_000_000),
            ("tier_grace_days", self.tier_grace_days, 0..=366),
        ];
        for (name, value, range) in ranges {
            if !range.contains(&value) {
                let text = format!("must be from {} to {}, not {value}", range.start(), range.end());
                return Err(Error::invalid(format!("membership.policy.{name}"), text));
            }
        }
        if self.terms_version.is_empty() || self.terms_version.len() > 32 {
            return Err(Error::invalid("membership.policy.terms_version", "must have 1 to 32 characters"));
        }
        Currency::parse("membership.policy.currency", &self.currency).map(|_| ())
    }

    /// See `access_token_minutes`.
    pub fn access_token(&self) -> SignedDuration {
        SignedDuration::from_mins(self.access_token_minutes)
    }

    /// See `refresh_token_days`.
    pub fn refresh_token(&self) -> SignedDuration {
        days(self.refresh_token_days)
    }

    /// See `code_minutes`.
    pub fn code(&self) -> SignedDuration {
        SignedDuration::from_mins(self.code_minutes)
    }

    /// See `signing_key_days`.
    pub fn signing_key(&self) -> SignedDuration {
        days(self.signing_key_days)
    }

    /// See `points_days`.
    pub fn points(&self) -> SignedDuration {
        days(self.points_days)
    }

    /// What points are worth when they pay a part of an order, and how much they may pay.
    pub fn redemption_terms(&self) -> Result<Terms> {
        let worth = Money::new(self.redeem_worth_minor, self.currency()?);
        Ok(Terms { points: self.redeem_points, worth, max_share: self.redeem_max_share_basis_points })
    }

    /// See `returned_points_days`.
    pub fn returned_points(&self) -> SignedDuration {
        days(self.returned_points_days)
    }

    /// See `tier_grace_days`.
    pub fn tier_grace(&self) -> SignedDuration {
        days(self.tier_grace_days)
    }

    /// See `currency`.
    pub fn currency(&self) -> Result<Currency> {
        Currency::parse("membership.policy.currency", &self.currency)
    }

    /// From which spend on a member has a tier.
    pub fn thresholds(&self) -> Thresholds {
        Thresholds { silver: self.silver_from, gold: self.gold_from, platinum: self.platinum_from }
    }
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(days * 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(policy: &Policy) -> Option<String> {
        policy.validate().err().map(|error| error.violations()[0].field.clone())
    }

    #[test]
    fn the_defaults_are_valid_and_nonsense_is_named() {
        assert_eq!(refused(&Policy::default()), None);
        let dear = Policy { redeem_points: 0, ..Policy::default() };
        assert_eq!(refused(&dear).as_deref(), Some("membership.policy.redeem_points"));
        let low = Policy { gold_from: 999, ..Policy::default() };
        assert_eq!(refused(&low).as_deref(), Some("membership.policy.gold_from"));
        let shells = Policy { currency: "XXX".to_owned(), ..Policy::default() };
        assert_eq!(refused(&shells).as_deref(), Some("membership.policy.currency"));
    }
}
