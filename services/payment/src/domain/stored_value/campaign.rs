//! Pay so much, get so much on top.

use std::time::Duration;

use kernel::{
    Currency, Error, Money, Result, Timestamp,
    ids::{StoreId, TopUpCampaignId},
};

/// The longest that bonus can be good for; more is as good as for ever.
pub const MAX_BONUS_DAYS: u32 = 3_660;

/// Whoever tops up by `threshold` or more in its time gets `bonus` on top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// Its id.
    pub id: TopUpCampaignId,
    /// Only for cards of this store; `None`: for all.
    pub store: Option<StoreId>,
    /// What customers read.
    pub display_name: String,
    /// The least top-up that gets the bonus; above zero.
    pub threshold: Money,
    /// What is given; above zero, whatever is paid beyond the threshold.
    pub bonus: Money,
    /// From when.
    pub start_time: Timestamp,
    /// Until when; `None`: until it is ended.
    pub end_time: Option<Timestamp>,
    /// For how many days the bonus is good; `None`: for ever.
    pub bonus_days: Option<u32>,
    /// How many times a card can have it; `None`: any number of times.
    pub per_card: Option<u32>,
    /// How much is given away in all; `None`: any amount.
    pub budget: Option<Money>,
    /// How much is given away, or promised with a top-up that is not paid yet.
    pub granted: Money,
    /// When it was made.
    pub create_time: Timestamp,
    /// Counts its changes, from 1.
    pub version: i64,
}

impl Campaign {
    /// Checks what the types don't say.
    ///
    /// # Errors
    /// `InvalidArgument` with the wrong fields.
    pub fn validate(&self) -> Result<()> {
        let wrong = |field: &str, what: &str| Err(Error::invalid(format!("campaign.{field}"), what));
        if self.threshold.minor() <= 0 {
            return wrong("threshold", "must be above zero");
        }
        if self.bonus.minor() <= 0 {
            return wrong("bonus", "must be above zero");
        }
        if self.bonus.currency() != self.currency() {
            return wrong("bonus", "must be in the currency of the threshold");
        }
        if self.end_time.is_some_and(|end| end <= self.start_time) {
            return wrong("end_time", "must be after start_time");
        }
        if self.bonus_days.is_some_and(|days| days == 0 || days > MAX_BONUS_DAYS) {
            return wrong("bonus_days", "must be from 1 to 3660, or left out");
        }
        if self.per_card == Some(0) {
            return wrong("per_card", "must be at least 1, or left out");
        }
        match self.budget {
            Some(budget) if budget.currency() != self.currency() => {
                wrong("budget", "must be in the currency of the threshold")
            }
            Some(budget) if budget.minor() < self.granted.minor().max(1) => {
                wrong("budget", "must be above zero, and not below what is given away already")
            }
            _ => Ok(()),
        }
    }

    /// The currency of everything in it.
    pub const fn currency(&self) -> Currency {
        self.threshold.currency()
    }

    /// Whether a top-up of `amount` at `now` on a card of `store`, which has had it `times` times, gets its bonus.
    pub fn applies(&self, store: StoreId, amount: Money, times: u32, now: Timestamp) -> bool {
        self.start_time <= now
            && self.end_time.is_none_or(|end| now < end)
            && self.store.is_none_or(|of| of == store)
            && amount.currency() == self.currency()
            && amount.minor() >= self.threshold.minor()
            && self.per_card.is_none_or(|most| times < most)
            && self.has_left()
    }

    fn has_left(&self) -> bool {
        let after = self.granted.try_add(self.bonus);
        self.budget.is_none_or(|budget| after.is_ok_and(|after| after.minor() <= budget.minor()))
    }

    /// Until when bonus is good that is given at `now`.
    pub fn bonus_expire_time(&self, now: Timestamp) -> Option<Timestamp> {
        self.bonus_days.map(|days| now + days_long(days))
    }
}

/// So many days, of 24 hours.
pub const fn days_long(days: u32) -> Duration {
    Duration::from_secs(days as u64 * 86_400)
}

/// The campaigns in the order in which a customer wants them: by what they give, and then the one made first.
pub fn ranked(campaigns: impl IntoIterator<Item = Campaign>) -> Vec<Campaign> {
    let mut ranked: Vec<Campaign> = campaigns.into_iter().collect();
    ranked.sort_by_key(|campaign| (std::cmp::Reverse(campaign.bonus.minor()), campaign.create_time, campaign.id));
    ranked
}

#[cfg(test)]
mod tests {
    use kernel::Uuid;

    use super::*;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    fn campaign() -> Campaign {
        Campaign {
            id: TopUpCampaignId::from_uuid(Uuid::from_u128(1)),
            store: None,
            display_name: "Pay 1000, get 300".to_owned(),
            threshold: cny(100_000),
            bonus: cny(30_000),
            start_time: Timestamp::UNIX_EPOCH,
            end_time: None,
            bonus_days: Some(30),
            per_card: None,
            budget: None,
            granted: cny(0),
            create_time: Timestamp::UNIX_EPOCH,
            version: 1,
        }
    }

    fn at(day: u32) -> Timestamp {
        Timestamp::UNIX_EPOCH + days_long(day)
    }

    #[test]
    fn it_holds_for_its_time_its_store_and_its_amount() {
        let (here, there) = (StoreId::from_uuid(Uuid::from_u128(2)), StoreId::from_uuid(Uuid::from_u128(3)));
        let of = Campaign { store: Some(here), start_time: at(1), end_time: Some(at(3)), ..campaign() };
        let applies = |store, minor, day| of.applies(store, cny(minor), 0, at(day));
        assert!(applies(here, 100_000, 1) && applies(here, 500_000, 2));
        assert!(!applies(here, 99_999, 1) && !applies(there, 100_000, 1));
        assert!(!applies(here, 100_000, 0) && !applies(here, 100_000, 3));
    }

    #[test]
    fn caps_are_kept_to_the_last_fen() {
        let store = StoreId::from_uuid(Uuid::from_u128(2));
        let capped = Campaign { per_card: Some(2), budget: Some(cny(60_000)), ..campaign() };
        let applies = |times, granted| {
            Campaign { granted: cny(granted), ..capped.clone() }.applies(store, cny(100_000), times, at(1))
        };
        assert!(applies(0, 0) && applies(1, 30_000));
        assert!(!applies(2, 0) && !applies(0, 30_001));
        assert_eq!(capped.bonus_expire_time(at(1)), Some(at(31)));
    }

    #[test]
    fn bad_ones_are_refused_by_name() {
        let usd = Money::new(1, Currency::parse("c", "USD").expect("known"));
        let bad = [
            ("campaign.threshold", Campaign { threshold: cny(0), ..campaign() }),
            ("campaign.bonus", Campaign { bonus: cny(-1), ..campaign() }),
            ("campaign.bonus", Campaign { bonus: usd, ..campaign() }),
            ("campaign.end_time", Campaign { end_time: Some(at(0)), ..campaign() }),
            ("campaign.bonus_days", Campaign { bonus_days: Some(0), ..campaign() }),
            ("campaign.bonus_days", Campaign { bonus_days: Some(MAX_BONUS_DAYS + 1), ..campaign() }),
            ("campaign.per_card", Campaign { per_card: Some(0), ..campaign() }),
            ("campaign.budget", Campaign { budget: Some(usd), ..campaign() }),
            ("campaign.budget", Campaign { budget: Some(cny(29_999)), granted: cny(30_000), ..campaign() }),
        ];
        for (field, campaign) in bad {
            assert_eq!(campaign.validate().expect_err(field).violations()[0].field, field);
        }
        assert!(campaign().validate().is_ok());
    }

    #[test]
    fn the_customer_gets_the_best_there_is() {
        let of = |n, minor, day| Campaign {
            id: TopUpCampaignId::from_uuid(Uuid::from_u128(n)),
            bonus: cny(minor),
            create_time: at(day),
            ..campaign()
        };
        let ranked = ranked([of(1, 100, 0), of(2, 300, 2), of(3, 300, 1)]);
        assert_eq!(ranked.iter().map(|campaign| campaign.id.uuid().as_u128()).collect::<Vec<_>>(), [3, 2, 1]);
    }
}
