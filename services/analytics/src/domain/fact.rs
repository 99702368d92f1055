//! What is known of one thing that happened. States, channels and kinds are kept by the names that their services
//! publish, such as `STATE_COMPLETED`, so that a name that is new there needs no change here.

use std::fmt;

use kernel::{
    Currency, Money, Timestamp,
    ids::{BookingId, CouponId, EventId, ItemId, MessageId, OrderId, PaymentId, RefundId, StoreId, TherapistId},
};

/// A customer whom nobody can name without the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pseudonym([u8; 32]);

impl Pseudonym {
    /// Takes over a keyed digest of a member's id.
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// For storing.
    pub const fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonym(…)")
    }
}

/// A store as its days are reckoned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Which.
    pub id: StoreId,
    /// Counts its changes.
    pub version: i64,
    /// The published name.
    pub display_name: String,
    /// The IANA zone whose days are its days.
    pub time_zone: String,
    /// What it charges in.
    pub currency: Currency,
}

/// A visit after one of its changes.
#[derive(Debug, Clone)]
pub struct BookingFact {
    /// Which.
    pub id: BookingId,
    /// Counts its changes; the greatest is how it stands.
    pub version: i64,
    /// Where.
    pub store: StoreId,
    /// What.
    pub item: ItemId,
    /// Who gives the treatment.
    pub therapist: TherapistId,
    /// Whose visit it is.
    pub customer: Pseudonym,
    /// The name of the state.
    pub state: String,
    /// The name of the channel.
    pub channel: String,
    /// Start of the treatment.
    pub start_time: Timestamp,
    /// End of the treatment.
    pub end_time: Timestamp,
    /// What it costs.
    pub price: Money,
    /// What had to be paid to confirm it, in the same currency.
    pub deposit: Money,
    /// When it changed.
    pub change_time: Timestamp,
}

/// What became of a visit otherwise than planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookingChange {
    /// The customer wished another time or therapist.
    Rescheduled,
    /// The store wished another time, therapist or room.
    Moved,
    /// It was made longer.
    Extended,
    /// It was given up.
    Cancelled,
    /// Nobody came.
    NoShow,
}

impl BookingChange {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rescheduled => "RESCHEDULED",
            Self::Moved => "MOVED",
            Self::Extended => "EXTENDED",
            Self::Cancelled => "CANCELLED",
            Self::NoShow => "NO_SHOW",
        }
    }
}

/// A visit was changed.
#[derive(Debug, Clone)]
pub struct BookingChangeFact {
    /// The event that told of it.
    pub event: EventId,
    /// The visit after it.
    pub booking: BookingFact,
    /// What happened.
    pub change: BookingChange,
    /// When the visit was to start before, if it was told.
    pub start_before: Option<Timestamp>,
}

/// What money was paid for.
#[derive(Debug, Clone, Copy)]
pub struct OrderRef {
    /// The order.
    pub order: OrderId,
    /// Its visit.
    pub booking: BookingId,
    /// Its store.
    pub store: StoreId,
    /// Who owes it.
    pub customer: Pseudonym,
}

/// Money that came in.
#[derive(Debug, Clone)]
pub struct PaymentFact {
    /// Which.
    pub id: PaymentId,
    /// For what.
    pub of: OrderRef,
    /// The name of the part that it pays.
    pub purpose: String,
    /// The name of the way that it was paid.
    pub tender: String,
    /// How much.
    pub amount: Money,
    /// When.
    pub capture_time: Timestamp,
}

/// Money that went back.
#[derive(Debug, Clone)]
pub struct RefundFact {
    /// Which.
    pub id: RefundId,
    /// What it gives back.
    pub payment: PaymentId,
    /// For what.
    pub of: OrderRef,
    /// Why, in a word for programs.
    pub reason: String,
    /// How much.
    pub amount: Money,
    /// When.
    pub refund_time: Timestamp,
}

/// Somebody became a member.
#[derive(Debug, Clone)]
pub struct MemberFact {
    /// Who.
    pub member: Pseudonym,
    /// Through which store, if through one.
    pub store: Option<StoreId>,
    /// When.
    pub register_time: Timestamp,
}

/// Which way points went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointsChange {
    /// They came with a purchase.
    Earned,
    /// They were taken back with a refund.
    Revoked,
    /// They were outlived.
    Expired,
}

impl PointsChange {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Earned => "EARNED",
            Self::Revoked => "REVOKED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// Somebody's points changed.
#[derive(Debug, Clone)]
pub struct PointsFact {
    /// The event that told of it.
    pub event: EventId,
    /// Whose.
    pub member: Pseudonym,
    /// The store of the purchase, if there is one.
    pub store: Option<StoreId>,
    /// Which way.
    pub change: PointsChange,
    /// How many, not below 0.
    pub points: i64,
    /// When.
    pub change_time: Timestamp,
}

/// What happened to a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CouponChange {
    /// It was used for good and took this off.
    Redeemed(Money),
    /// It can be used again.
    Released,
}

/// A coupon changed.
#[derive(Debug, Clone)]
pub struct CouponFact {
    /// The event that told of it.
    pub event: EventId,
    /// Which.
    pub coupon: CouponId,
    /// Counts its changes; the greatest is how it stands.
    pub version: i64,
    /// What sort.
    pub code: String,
    /// Whose.
    pub customer: Pseudonym,
    /// Where it was used, if it was.
    pub store: Option<StoreId>,
    /// The visit, if one was heard of.
    pub booking: Option<BookingId>,
    /// What happened.
    pub change: CouponChange,
    /// When.
    pub change_time: Timestamp,
}

/// A message went out. Neither text nor address is known here.
#[derive(Debug, Clone)]
pub struct MessageFact {
    /// Which.
    pub id: MessageId,
    /// To whom, if to a member.
    pub customer: Option<Pseudonym>,
    /// The name of what it was about.
    pub kind: String,
    /// The way it went.
    pub channel: String,
    /// When.
    pub send_time: Timestamp,
}
