//! The rules of a store: the chain's, unless the store has its own.

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
    /// Limits on the work of a therapist.
    pub limits: WorkLimits,
    /// How many visits a day partners may book; `None` is no limit.
    pub partner_quota: Option<i64>,
}
