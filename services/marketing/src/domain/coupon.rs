//! A member's right to a reduction, from giving to use.

use jiff::SignedDuration;
use kernel::{
    Timestamp,
    ids::{CouponId, MemberId, QuoteId},
};

use super::quote::Standing;

/// The sort that every member gets once, for the first visit.
pub const FIRST_VISIT: &str = "FIRST_VISIT_COUPON";

/// A member's right to a reduction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coupon {
    /// Which.
    pub id: CouponId,
    /// Whose.
    pub customer: MemberId,
    /// What sort.
    pub code: String,
    /// What it takes off, in hundredths of a percent.
    pub basis_points: u32,
    /// Where it is in its life.
    pub state: State,
    /// When it was given.
    pub create_time: Timestamp,
    /// Until when it can be taken for a visit. What it was taken for in time stays good.
    pub expire_time: Timestamp,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// Where a coupon is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It can be used.
    Available,
    /// It is kept for a quote.
    Reserved {
        /// Which.
        quote: QuoteId,
        /// Since when.
        time: Timestamp,
    },
    /// It is used.
    Redeemed {
        /// For which quote.
        quote: QuoteId,
        /// When.
        time: Timestamp,
    },
}

impl Coupon {
    /// The member's coupon for the first visit, given `now`. It is the same coupon however often it is given.
    pub fn first_visit(customer: MemberId, basis_points: u32, validity: SignedDuration, now: Timestamp) -> Self {
        Self {
            id: CouponId::derive(customer.uuid(), FIRST_VISIT),
            customer,
            code: FIRST_VISIT.to_owned(),
            basis_points,
            state: State::Available,
            create_time: now,
            expire_time: now + validity,
            version: 1,
        }
    }

    /// Whether a quote made `now` can have it; `visited` tells whether the member has completed a visit.
    pub fn standing(&self, visited: bool, now: Timestamp) -> Standing {
        match self.state {
            State::Reserved { .. } => Standing::Kept(self.id),
            State::Redeemed { .. } => Standing::Used(self.id),
            State::Available if visited => Standing::NotFirstVisit,
            State::Available if self.expire_time <= now => Standing::Expired(self.id),
            State::Available => Standing::Usable(self.id),
        }
    }

    /// What it is reserved or redeemed for.
    pub fn quote(&self) -> Option<QuoteId> {
        match self.state {
            State::Available => None,
            State::Reserved { quote, .. } | State::Redeemed { quote, .. } => Some(quote),
        }
    }

    /// Keeps it for `quote`. `None` if it is not free.
    pub fn reserve(self, quote: QuoteId, now: Timestamp) -> Option<Self> {
        match self.state {
            State::Available => Some(self.into_state(State::Reserved { quote, time: now })),
            State::Reserved { .. } | State::Redeemed { .. } => None,
        }
    }

    /// Uses it for good. `None` if it is not free and not kept for `quote`. One that was let go is taken again although
    /// it may be outlived by now: the price was made in time.
    pub fn redeem(self, quote: QuoteId, now: Timestamp) -> Option<Self> {
        match self.state {
            State::Available => Some(self.into_state(State::Redeemed { quote, time: now })),
            State::Reserved { quote: of, .. } if of == quote => {
                Some(self.into_state(State::Redeemed { quote, time: now }))
            }
            State::Reserved { .. } | State::Redeemed { .. } => None,
        }
    }

    /// Lets it go. `None` if `quote` does not have it.
    pub fn release(self, quote: QuoteId) -> Option<Self> {
        (self.quote() == Some(quote)).then(|| self.into_state(State::Available))
    }

    fn into_state(self, state: State) -> Self {
        Self { state, version: self.version + 1, ..self }
    }
}

#[cfg(test)]
mod tests {
    use kernel::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn coupon() -> Coupon {
        Coupon::first_visit(MemberId::from_uuid(Uuid::from_u128(1)), 2_000, SignedDuration::from_hours(24), NOW)
    }

    fn quotes() -> (QuoteId, QuoteId) {
        (QuoteId::from_uuid(Uuid::from_u128(2)), QuoteId::from_uuid(Uuid::from_u128(3)))
    }

    #[test]
    fn it_is_behind_one_quote_at_a_time() {
        let (one, other) = quotes();
        let kept = coupon().reserve(one, NOW).expect("free");
        assert_eq!(kept.clone().reserve(other, NOW), None);
        assert_eq!(kept.clone().redeem(other, NOW), None);
        assert_eq!(kept.clone().release(other), None);
        let used = kept.redeem(one, NOW).expect("its own");
        assert_eq!(used.clone().redeem(one, NOW), None, "once");
        assert_eq!(used.version, 3);
        assert_eq!(used.release(one).map(|coupon| coupon.state), Some(State::Available));
    }

    #[test]
    fn what_was_let_go_can_be_taken_again_until_another_has_it() {
        let (one, other) = quotes();
        let free = coupon().reserve(one, NOW).and_then(|coupon| coupon.release(one)).expect("let go");
        assert!(free.clone().redeem(one, NOW).is_some());
        assert_eq!(free.reserve(other, NOW).and_then(|coupon| coupon.redeem(one, NOW)), None);
    }

    #[test]
    fn it_ends_with_its_time_or_with_the_first_visit() {
        let coupon = coupon();
        let id = coupon.id;
        let last = coupon.expire_time - SignedDuration::from_micros(1);
        assert_eq!(coupon.standing(false, last), Standing::Usable(id));
        assert_eq!(coupon.standing(false, coupon.expire_time), Standing::Expired(id));
        assert_eq!(coupon.standing(true, NOW), Standing::NotFirstVisit);
        assert_eq!(Coupon::first_visit(coupon.customer, 1, SignedDuration::ZERO, last).id, id);
    }
}
