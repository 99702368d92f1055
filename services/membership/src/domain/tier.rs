//! Tiers: how a member ranks by what he spent in the last 365 days.

use jiff::SignedDuration;
use kernel::{Currency, Timestamp};

/// The time that spend counts for.
pub const SPEND_WINDOW: SignedDuration = SignedDuration::from_hours(365 * 24);

/// How often a tier that can be lost is looked at.
pub const REVIEW_PERIOD: SignedDuration = SignedDuration::from_hours(24);

/// A rank; the greater is the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// From the start.
    Member,
    /// The second.
    Silver,
    /// The third.
    Gold,
    /// The highest.
    Platinum,
}

impl Tier {
    /// All of them with their names in the database, the lowest first.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::Member, "MEMBER"), (Self::Silver, "SILVER"), (Self::Gold, "GOLD"), (Self::Platinum, "PLATINUM")];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(tier, _)| *tier == self).map_or("MEMBER", |(_, name)| name)
    }

    /// Reads a name of the database.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(tier, _)| tier)
    }
}

/// From which spend on, in whole major units, a member has a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Silver.
    pub silver: i64,
    /// Gold.
    pub gold: i64,
    /// Platinum.
    pub platinum: i64,
}

impl Thresholds {
    /// The tier that a spend of so many minor units deserves.
    pub fn tier(&self, spend_minor: i64, currency: Currency) -> Tier {
        let major = spend_minor.div_euclid(currency.minor_per_major());
        if major >= self.platinum {
            Tier::Platinum
        } else if major >= self.gold {
            Tier::Gold
        } else if major >= self.silver {
            Tier::Silver
        } else {
            Tier::Member
        }
    }
}

/// What a look at a member's tier comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Review {
    /// His tier from now on.
    pub tier: Tier,
    /// Since when his spend has been too low for it.
    pub low_since: Option<Timestamp>,
    /// When to look again.
    pub next_time: Option<Timestamp>,
}

/// Looks at a tier. A better one comes at once; a worse one only after the spend has been too low for all of `grace`.
pub fn review(
    tier: Tier,
    low_since: Option<Timestamp>,
    deserved: Tier,
    grace: SignedDuration,
    now: Timestamp,
) -> Review {
    let (tier, low_since) = match low_since {
        _ if deserved >= tier => (deserved, None),
        Some(since) if now.duration_since(since) >= grace => (deserved, None),
        Some(since) => (tier, Some(since)),
        None if grace.is_zero() => (deserved, None),
        None => (tier, Some(now)),
    };
    Review { tier, low_since, next_time: (tier > Tier::Member).then(|| now + REVIEW_PERIOD) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: SignedDuration = SignedDuration::from_hours(30 * 24);

    fn day(n: i64) -> Timestamp {
        Timestamp::from_second(n * 86_400).expect("in range")
    }

    #[test]
    fn a_tier_begins_at_the_very_fen() {
        let thresholds = Thresholds { silver: 1_000, gold: 5_000, platinum: 20_000 };
        let tier = |minor| thresholds.tier(minor, Currency::CNY);
        assert_eq!([0, 99_999, 100_000].map(tier), [Tier::Member, Tier::Member, Tier::Silver]);
        assert_eq!(
            [499_999, 500_000, 1_999_999, 2_000_000].map(tier),
            [Tier::Silver, Tier::Gold, Tier::Gold, Tier::Platinum]
        );
        let yen = Currency::parse("c", "JPY").expect("known");
        assert_eq!(thresholds.tier(1_000, yen), Tier::Silver);
    }

    #[test]
    fn a_better_tier_comes_at_once() {
        let review = review(Tier::Silver, Some(day(1)), Tier::Platinum, GRACE, day(2));
        assert_eq!((review.tier, review.low_since, review.next_time), (Tier::Platinum, None, Some(day(3))));
    }

    #[test]
    fn a_worse_one_waits_for_the_grace_to_end() {
        let first = review(Tier::Gold, None, Tier::Member, GRACE, day(0));
        assert_eq!((first.tier, first.low_since), (Tier::Gold, Some(day(0))));
        assert_eq!(review(Tier::Gold, first.low_since, Tier::Member, GRACE, day(29)).tier, Tier::Gold);
        let last = review(Tier::Gold, first.low_since, Tier::Member, GRACE, day(30));
        assert_eq!((last.tier, last.low_since, last.next_time), (Tier::Member, None, None));
    }

    #[test]
    fn who_recovers_in_time_starts_afresh() {
        let recovered = review(Tier::Gold, Some(day(0)), Tier::Gold, GRACE, day(10));
        assert_eq!((recovered.tier, recovered.low_since), (Tier::Gold, None));
    }

    #[test]
    fn every_tier_has_a_name_that_reads_back() {
        for (tier, name) in Tier::ALL {
            assert_eq!((tier.as_str(), Tier::parse(name)), (name, Some(tier)));
        }
    }
}
