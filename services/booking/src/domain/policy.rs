//! The rules of a store: the chain's, unless the store has its own.

use kernel::{Error, Result};

/// How a therapist is found for whoever names none. A therapist who is named is always the one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AssignmentPolicy {
    /// Whoever has the least work that day.
    #[default]
    LeastWork,
    /// The next in the store's turn list (排钟).
    Rotation,
    /// Work in proportion to the therapists' weights.
    WeightedFairness,
    /// The one whom the customer prefers or had most often.
    Preference,
    /// The best rated.
    Rating,
    /// The one in whose day the visit leaves the fewest gaps.
    LeastFragmentation,
}

impl AssignmentPolicy {
    /// Every policy with its name in the database.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::LeastWork, "LEAST_WORK"),
        (Self::Rotation, "ROTATION"),
        (Self::WeightedFairness, "WEIGHTED_FAIRNESS"),
        (Self::Preference, "PREFERENCE"),
        (Self::Rating, "RATING"),
        (Self::LeastFragmentation, "LEAST_FRAGMENTATION"),
    ];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(policy, _)| *policy == self).map_or("", |(_, name)| name)
    }

    /// Reads the name in the database.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(policy, _)| *policy)
    }
}

/// Limits on the work of one therapist, so that nobody is worn out; `None` is no limit. Minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkLimits {
    /// The longest stretch of work; visits with less than `rest` between them are one stretch.
    pub in_row: Option<i64>,
    /// The most work within one opening of the store.
    pub per_day: Option<i64>,
    /// What counts as a rest between two stretches; 0 if `in_row` is not set.
    pub rest: i64,
}

/// What a cancellation costs if it keeps this notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancellationTier {
    /// Minutes before the start.
    pub notice_minutes: i64,
    /// The part of the price that stays with the store, in hundredths of a percent.
    pub fee_basis_points: u32,
}

/// The rules of one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorePolicy {
    /// How a therapist is found for whoever names none.
    pub assignment: AssignmentPolicy,
    /// Minutes for which a time is kept without a deposit.
    pub hold_minutes: i64,
    /// Minutes from its making to which a hold may be prolonged.
    pub hold_limit_minutes: i64,
    /// Minutes before its start up to which a visit can be booked.
    pub lead_minutes: i64,
    /// Minutes after its start after which a confirmed visit counts as missed.
    pub no_show_grace_minutes: i64,
    /// Minutes for which a freed time is kept for the next in line.
    pub waitlist_offer_minutes: i64,
    /// Minutes before its start from which a visit can be checked in.
    pub check_in_minutes: i64,
    /// Limits on the work of a therapist.
    pub limits: WorkLimits,
    /// How many visits a day partners may book; `None` is no limit.
    pub partner_quota: Option<i64>,
}

/// The rules of a store where they differ from the chain's; minutes and limits as in [`StorePolicy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnPolicy {
    /// How a therapist is found for whoever names none.
    pub assignment: Option<AssignmentPolicy>,
    /// See [`StorePolicy::hold_minutes`].
    pub hold_minutes: Option<i32>,
    /// See [`StorePolicy::hold_limit_minutes`].
    pub hold_limit_minutes: Option<i32>,
    /// See [`StorePolicy::lead_minutes`].
    pub lead_minutes: Option<i32>,
    /// See [`StorePolicy::no_show_grace_minutes`].
    pub no_show_grace_minutes: Option<i32>,
    /// See [`StorePolicy::waitlist_offer_minutes`].
    pub waitlist_offer_minutes: Option<i32>,
    /// See [`StorePolicy::check_in_minutes`].
    pub check_in_minutes: Option<i32>,
    /// See [`WorkLimits::in_row`]; 0 is no limit.
    pub max_minutes_in_row: Option<i32>,
    /// See [`WorkLimits::per_day`]; 0 is no limit.
    pub max_minutes_per_day: Option<i32>,
    /// See [`WorkLimits::rest`].
    pub rest_minutes: Option<i32>,
    /// See [`StorePolicy::partner_quota`].
    pub partner_quota: Option<i32>,
}

impl OwnPolicy {
    /// Whether the store has no rule of its own.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses rules that contradict each other or those of the chain, with `InvalidArgument` at `store.policy.…`.
    pub fn check(&self, chain: &StorePolicy) -> Result<()> {
        let hold = self.hold_minutes.map_or(chain.hold_minutes, i64::from);
        let limit = self.hold_limit_minutes.map_or(chain.hold_limit_minutes, i64::from);
        if limit < hold {
            return Err(Error::invalid(
                "store.policy.hold_limit_minutes",
                format!("must be at least the {hold} minutes for which a time is held"),
            ));
        }
        Ok(())
    }
}

/// Puts the tiers of a cancellation into order: the longest notice first.
///
/// Fails with `InvalidArgument` at `field[…]` if a notice comes twice, or a longer one costs more than a shorter one.
pub fn order_tiers(field: &str, mut tiers: Vec<CancellationTier>) -> Result<Vec<CancellationTier>> {
    for (index, tier) in tiers.iter().enumerate() {
        let wrong = |other: usize, what: &str| {
            Err(Error::invalid(format!("{field}[{index}]"), format!("{what} {field}[{other}]; change one of them")))
        };
        for (other, earlier) in tiers[..index].iter().enumerate() {
            if earlier.notice_minutes == tier.notice_minutes {
                return wrong(other, "has the same notice as");
            }
            let longer_costs_more = (earlier.notice_minutes > tier.notice_minutes)
                == (earlier.fee_basis_points > tier.fee_basis_points)
                && earlier.fee_basis_points != tier.fee_basis_points;
            if longer_costs_more {
                return wrong(other, "makes a longer notice cost more, together with");
            }
        }
    }
    tiers.sort_unstable_by_key(|tier| std::cmp::Reverse(tier.notice_minutes));
    Ok(tiers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tier(notice_minutes: i64, fee_basis_points: u32) -> CancellationTier {
        CancellationTier { notice_minutes, fee_basis_points }
    }

    #[test]
    fn tiers_come_the_longest_notice_first_and_cost_less_the_longer_it_is() {
        let ordered = order_tiers("tiers", vec![tier(60, 2_000), tier(1_440, 0), tier(0, 5_000)]).expect("good");
        assert_eq!(ordered.iter().map(|tier| tier.notice_minutes).collect::<Vec<_>>(), [1_440, 60, 0]);
        assert!(order_tiers("tiers", vec![tier(60, 0), tier(0, 0)]).is_ok());
        let field = |tiers| order_tiers("tiers", tiers).err().map(|error| error.violations()[0].field.clone());
        assert_eq!(field(vec![tier(60, 0), tier(60, 10)]).as_deref(), Some("tiers[1]"));
        assert_eq!(field(vec![tier(60, 10), tier(0, 0)]).as_deref(), Some("tiers[1]"));
        assert_eq!(field(vec![tier(0, 0), tier(60, 10)]).as_deref(), Some("tiers[1]"));
    }

    #[test]
    fn a_hold_is_never_longer_than_its_limit() {
        let chain = crate::config::Policy::default().store_defaults();
        assert!(OwnPolicy::default().check(&chain).is_ok());
        let long = OwnPolicy { hold_minutes: Some(45), ..OwnPolicy::default() };
        assert_eq!(
            long.check(&chain).err().map(|e| e.violations()[0].field.clone()).as_deref(),
            Some("store.policy.hold_limit_minutes")
        );
        assert!(OwnPolicy { hold_limit_minutes: Some(60), ..long }.check(&chain).is_ok());
    }
}
