//! One newtype per kind of thing. Inside it is a UUID v7 (ordered by time of making); on the wire it is an AIP-122
//! resource name such as `bookings/0192f3c4-…`.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{Error, Result};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $collection:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The collection in resource names.
            pub const COLLECTION: &'static str = $collection;

            /// A new id, made at `now`.
            pub fn new(now: Timestamp) -> Self {
                Self(uuid_v7(now))
            }

            /// The id that always comes out of the same `of` and `purpose`: for effects that are derived from one thing
            /// and must not happen twice.
            pub fn derive(of: Uuid, purpose: &str) -> Self {
                Self(derive(of, purpose))
            }

            /// Takes over an id that was read back.
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The bare UUID, for storing.
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// The resource name, such as `bookings/0192…`.
            pub fn name(self) -> String {
                name(concat!($collection, "/"), self.0)
            }

            /// Reads a resource name that came in as `field`.
            pub fn parse_name(field: &str, name: &str) -> Result<Self> {
                parse_name($collection, field, name).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($collection, "/{}"), self.0)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

ids! {
    /// A shop of the chain.
    StoreId = "stores";
    /// Something that can be booked, such as a 60-minute Swedish massage.
    ItemId = "items";
    /// A therapist, trainer or practitioner.
    TherapistId = "therapists";
    /// A room, bed or other place that a visit occupies.
    RoomId = "rooms";
    /// A machine that a treatment needs.
    EquipmentId = "equipment";
    /// A span of time in which a therapist works at a store.
    ShiftId = "shifts";
    /// A visit from hold to completion.
    BookingId = "bookings";
    /// Several items in one visit.
    PackageId = "packages";
    /// People who come together.
    GroupId = "bookingGroups";
    /// What keeps a therapist, room or machine from being booked: a break, time off, maintenance.
    BlockId = "blocks";
    /// The hours that a therapist works each week.
    ShiftPatternId = "shiftPatterns";
    /// A therapist's wish for time off.
    TimeOffId = "timeOffRequests";
    /// Somebody's place in the line for a time that is taken.
    WaitlistEntryId = "waitlistEntries";
    /// The place in the queue of somebody who came without a booking.
    QueueTicketId = "queueTickets";
    /// The signed address of a calendar.
    CalendarLinkId = "calendarLinks";
    /// A person who is or may become a customer.
    MemberId = "members";
    /// Somebody who works for the chain and signs in.
    StaffId = "staff";
    /// A signed-in session (a family of refresh tokens).
    SessionId = "sessions";
    /// A batch of points earned together and expiring together.
    PointsLotId = "pointsLots";
    /// Points that pay a part of an order.
    PointsRedemptionId = "pointsRedemptions";
    /// What a customer owes for one thing.
    OrderId = "orders";
    /// A card that holds money for later visits.
    CardId = "cards";
    /// What one top-up has brought onto a card.
    CardLotId = "cardLots";
    /// An offer of bonus with a top-up.
    TopUpCampaignId = "topUpCampaigns";
    /// A contract about visits that are paid ahead.
    ContractId = "contracts";
    /// A session of a contract that is set aside or was had.
    ContractUseId = "contractUses";
    /// Several attempts to pay that come to pass together.
    CheckoutId = "checkouts";
    /// One attempt to pay a part of an order.
    PaymentId = "payments";
    /// What is given back of an order that goes on, by one or more refunds.
    OrderReturnId = "orderReturns";
    /// Money going back.
    RefundId = "refunds";
    /// Money that goes back by hand, as what of a card can not go back to where it was paid from.
    PayoutId = "payouts";
    /// A card that was given back.
    CardRefundId = "cardRefunds";
    /// What stands for money that was paid, for the tax authority.
    InvoiceId = "invoices";
    /// What a customer gives to the therapists of a visit.
    TipId = "tips";
    /// Tips that were handed over.
    TipPayoutId = "tipPayouts";
    /// A session of a till, from its opening to its closing.
    DrawerId = "drawers";
    /// Money that is set aside in the ledger until it is decided what becomes of it.
    LedgerTransferId = "ledgerTransfers";
    /// A balanced set of ledger entries.
    LedgerTransactionId = "ledgerTransactions";
    /// By what therapists and partners earn.
    CommissionRuleId = "commissionRules";
    /// What somebody has earned by a visit.
    CommissionAccrualId = "commissionAccruals";
    /// What a store owes its therapists and partners for a period.
    CommissionSettlementId = "commissionSettlements";
    /// What payments, refunds and top-ups are looked out for.
    RiskRuleId = "riskRules";
    /// An operation that broke such a rule.
    RiskReviewId = "riskReviews";
    /// A customer's right to a reduction.
    CouponId = "coupons";
    /// A coupon that pays a part of an order.
    CouponRedemptionId = "couponRedemptions";
    /// A priced basket, kept for a while.
    QuoteId = "quotes";
    /// A text sent, or to be sent, to one person.
    MessageId = "messages";
    /// A fact that a service published.
    EventId = "events";
}

/// A UUID v7 for `now`; the rest of the bits are random.
pub fn uuid_v7(now: Timestamp) -> Uuid {
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos))
}

/// The UUID v5 of `purpose` within `of`.
pub fn derive(of: Uuid, purpose: &str) -> Uuid {
    Uuid::new_v5(&of, purpose.as_bytes())
}

/// Lists have thousands of names: no formatting.
fn name(collection: &str, id: Uuid) -> String {
    let mut name = String::with_capacity(collection.len() + uuid::fmt::Hyphenated::LENGTH);
    name.push_str(collection);
    name.push_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
    name
}

fn parse_name(collection: &'static str, field: &str, name: &str) -> Result<Uuid> {
    name.strip_prefix(collection)
        .and_then(|rest| rest.strip_prefix('/'))
        .and_then(|id| Uuid::try_parse(id).ok())
        .ok_or_else(|| Error::invalid(field, format!("must be a resource name of the form {collection}/<uuid>")))
}

/// Reads a bare UUID that came in as `field`, such as a `request_id`.
pub fn parse_uuid(field: &str, text: &str) -> Result<Uuid> {
    Uuid::try_parse(text)
        .map_err(|_| Error::invalid(field, "must be a UUID such as 0192f3c4-7d9e-7000-8000-3f2a51c0ffee"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_a_foreign_one_does_not() {
        let id = BookingId::new(Timestamp::UNIX_EPOCH);
        assert_eq!(BookingId::parse_name("name", &id.name()).ok(), Some(id));
        let error = StoreId::parse_name("store", &id.name()).err();
        assert_eq!(error.map(|e| e.violations()[0].field.clone()), Some("store".to_owned()));
    }

    #[test]
    fn ids_made_later_sort_later() {
        let early = BookingId::new(Timestamp::from_second(1_000).expect("in range"));
        let late = BookingId::new(Timestamp::from_second(2_000).expect("in range"));
        assert!(early < late);
    }

    #[test]
    fn a_derived_id_is_always_the_same() {
        let of = BookingId::new(Timestamp::UNIX_EPOCH).uuid();
        assert_eq!(OrderId::derive(of, "order"), OrderId::derive(of, "order"));
        assert_ne!(OrderId::derive(of, "order"), OrderId::derive(of, "refund"));
    }
}
