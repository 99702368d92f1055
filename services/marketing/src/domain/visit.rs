//! What booking tells of a visit, and what it means here.

use kernel::{
    Timestamp,
    ids::{BookingId, MemberId, QuoteId, StoreId, TherapistId},
};

/// A visit as of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Which.
    pub booking: BookingId,
    /// Whose.
    pub customer: MemberId,
    /// Where.
    pub store: StoreId,
    /// Who gives it.
    pub therapist: TherapistId,
    /// The quote that its price came from.
    pub quote: Option<QuoteId>,
    /// Where it is in its life.
    pub state: State,
    /// Start of the treatment.
    pub start_time: Timestamp,
    /// The store's IANA time zone.
    pub time_zone: String,
    /// The store's published name.
    pub store_name: String,
    /// The item's published name.
    pub item_name: String,
    /// The therapist's published name.
    pub therapist_name: String,
}

/// What was known of a visit before an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Where it was in its life.
    pub state: State,
    /// When it was to start; `None` if that was not noted.
    pub start_time: Option<Timestamp>,
    /// Who was to give it; `None` if that was not noted.
    pub therapist: Option<TherapistId>,
}

impl Visit {
    /// Whether it is another visit for the customer than he was told of: at another time, or by somebody else. Another
    /// room is not: he is shown there.
    pub fn differs_from(&self, known: &Known) -> bool {
        known.start_time != Some(self.start_time) || known.therapist != Some(self.therapist)
    }
}

/// Where a visit is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The time is kept.
    Held,
    /// The deposit can be paid.
    AwaitingPayment,
    /// It will happen.
    Confirmed,
    /// The customer has come.
    CheckedIn,
    /// The treatment runs.
    InService,
    /// The treatment is done.
    Completed,
    /// Given up.
    Cancelled,
    /// The customer did not come.
    NoShow,
    /// The deposit was not paid in time.
    Expired,
}

/// What becomes of the coupon behind a visit's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CouponUse {
    /// It is kept until the visit is confirmed or given up.
    Keep,
    /// It is used for good.
    Redeem,
    /// It can be used again.
    Release,
}

impl State {
    /// Whether the visit is only kept for the customer, and may run out.
    pub const fn is_offer(self) -> bool {
        matches!(self, Self::Held | Self::AwaitingPayment)
    }

    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Held,
        Self::AwaitingPayment,
        Self::Confirmed,
        Self::CheckedIn,
        Self::InService,
        Self::Completed,
        Self::Cancelled,
        Self::NoShow,
        Self::Expired,
    ];

    /// Reads [`State::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "HELD",
            Self::AwaitingPayment => "AWAITING_PAYMENT",
            Self::Confirmed => "CONFIRMED",
            Self::CheckedIn => "CHECKED_IN",
            Self::InService => "IN_SERVICE",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
            Self::NoShow => "NO_SHOW",
            Self::Expired => "EXPIRED",
        }
    }

    /// What becomes of the coupon. A customer who did not come has used it.
    pub const fn coupon_use(self) -> CouponUse {
        match self {
            Self::Held | Self::AwaitingPayment => CouponUse::Keep,
            Self::Confirmed | Self::CheckedIn | Self::InService | Self::Completed | Self::NoShow => CouponUse::Redeem,
            Self::Cancelled | Self::Expired => CouponUse::Release,
        }
    }
}
