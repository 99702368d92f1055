//! Cash coupons: an amount given to a member, that pays a part of an order, whole and once.

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{CouponId, CouponRedemptionId, MemberId, OrderId},
};

/// An amount given to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CashCoupon {
    /// Which.
    pub id: CouponId,
    /// Whose.
    pub customer: MemberId,
    /// What it is worth.
    pub amount: Money,
    /// What an order must cost at least.
    pub min_spend: Money,
    /// Why it was given, a word for programs.
    pub reason: String,
    /// Where it is in its life.
    pub state: State,
    /// When it was given.
    pub create_time: Timestamp,
    /// Until when it can be used. What it was set aside for in time stays good.
    pub expire_time: Timestamp,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// Where a coupon is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It can be used.
    Available,
    /// It is set aside.
    Reserved(CouponRedemptionId),
    /// It is used.
    Redeemed(CouponRedemptionId),
}

/// A coupon that pays, or paid, a part of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redemption {
    /// Its id: that of the payment.
    pub id: CouponRedemptionId,
    /// Which coupon.
    pub coupon: CouponId,
    /// What is paid.
    pub order: OrderId,
    /// How much of it; nothing if it was voided before anything was set aside.
    pub amount: Money,
    /// Where it is in its life.
    pub state: Fate,
    /// When it was made.
    pub create_time: Timestamp,
    /// When the coupon is free by itself.
    pub expire_time: Timestamp,
}

/// Where a redemption is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The coupon is set aside.
    Reserved,
    /// It is used.
    Committed,
    /// It is free again.
    Voided,
    /// Nobody decided in time; it is free again.
    Expired,
    /// It was used, and given back.
    Returned,
}

impl Fate {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Reserved, "RESERVED"),
        (Self::Committed, "COMMITTED"),
        (Self::Voided, "VOIDED"),
        (Self::Expired, "EXPIRED"),
        (Self::Returned, "RETURNED"),
    ];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(state, _)| *state == self).map_or("RESERVED", |(_, name)| name)
    }

    /// Reads a name of the database.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(state, _)| state)
    }
}

impl CashCoupon {
    /// Sets it aside for a part of an order that costs `total`.
    ///
    /// # Errors
    /// `COUPON_NOT_AVAILABLE`, `COUPON_EXPIRED`, `COUPON_MIN_SPEND`, `COUPON_WORTH_EXCEEDED`; `InvalidArgument`, also with
    /// reason `CURRENCY_MISMATCH`.
    pub fn reserve(self, wanted: &Redemption, total: Money, now: Timestamp) -> Result<Self> {
        if wanted.amount.minor() <= 0 {
            return Err(Error::invalid("amount", "must be above zero"));
        }
        let short = total.try_sub(self.min_spend)?;
        let over = wanted.amount.try_sub(self.amount)?;
        if self.state != State::Available {
            return Err(
                self.refusal("COUPON_NOT_AVAILABLE", "the coupon is used, or another payment with it is under way")
            );
        }
        if self.expire_time <= now {
            return Err(self.refusal("COUPON_EXPIRED", "the time of the coupon is over"));
        }
        if short.is_negative() {
            let text = format!("an order must cost {} for this coupon", self.min_spend);
            return Err(self.refusal("COUPON_MIN_SPEND", text).with("min_spend_minor", self.min_spend.minor()));
        }
        if over.minor() > 0 {
            let text = format!("the coupon is worth {}", self.amount);
            return Err(self.refusal("COUPON_WORTH_EXCEEDED", text).with("amount_minor", self.amount.minor()));
        }
        Ok(self.into_state(State::Reserved(wanted.id)))
    }

    /// Uses what was set aside.
    ///
    /// # Errors
    /// Internal, if it is not set aside for that.
    pub fn redeem(self, redemption: CouponRedemptionId) -> Result<Self> {
        self.must_be(State::Reserved(redemption))?;
        Ok(self.into_state(State::Redeemed(redemption)))
    }

    /// Frees what was set aside.
    ///
    /// # Errors
    /// Internal, if it is not set aside for that.
    pub fn free(self, redemption: CouponRedemptionId) -> Result<Self> {
        self.must_be(State::Reserved(redemption))?;
        Ok(self.into_state(State::Available))
    }

    /// Gives back what was used; it can be used until `at_least`.
    ///
    /// # Errors
    /// Internal, if it is not used for that.
    pub fn give_back(self, redemption: CouponRedemptionId, at_least: Timestamp) -> Result<Self> {
        self.must_be(State::Redeemed(redemption))?;
        let expire_time = self.expire_time.max(at_least);
        Ok(Self { expire_time, ..self.into_state(State::Available) })
    }

    fn must_be(&self, state: State) -> Result<()> {
        if self.state == state { Ok(()) } else { Err(Error::internal(format!("{} is {:?}", self.id, self.state))) }
    }

    fn refusal(&self, reason: &'static str, text: impl Into<String>) -> Error {
        Error::precondition(reason, text.into()).with("coupon", self.id)
    }

    fn into_state(self, state: State) -> Self {
        Self { state, version: self.version + 1, ..self }
    }
}

/// A redemption was voided, has expired, or was given back.
pub fn ended(id: CouponRedemptionId) -> Error {
    Error::precondition("REDEMPTION_ENDED", "this is over; start anew with another id").with("redemption", id)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::{Currency, Uuid};

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    fn coupon() -> CashCoupon {
        CashCoupon {
            id: CouponId::from_uuid(Uuid::from_u128(1)),
            customer: MemberId::from_uuid(Uuid::from_u128(2)),
            amount: cny(5_000),
            min_spend: cny(10_000),
            reason: "GIFT".to_owned(),
            state: State::Available,
            create_time: NOW,
            expire_time: NOW + Duration::from_secs(60),
            version: 1,
        }
    }

    fn wanted(minor: i64) -> Redemption {
        Redemption {
            id: CouponRedemptionId::from_uuid(Uuid::from_u128(3)),
            coupon: coupon().id,
            order: OrderId::from_uuid(Uuid::from_u128(4)),
            amount: cny(minor),
            state: Fate::Reserved,
            create_time: NOW,
            expire_time: NOW + Duration::from_secs(600),
        }
    }

    #[test]
    fn it_pays_up_to_its_worth_of_an_order_that_is_large_enough_in_time() {
        let attempt =
            |minor, total, now| coupon().reserve(&wanted(minor), cny(total), now).map_err(|error| error.reason());
        assert!(attempt(5_000, 10_000, NOW).is_ok_and(|coupon| coupon.version == 2));
        assert!(attempt(1, 10_000, NOW).is_ok(), "the rest is forfeited");
        assert_eq!(attempt(5_001, 10_000, NOW), Err("COUPON_WORTH_EXCEEDED"));
        assert_eq!(attempt(5_000, 9_999, NOW), Err("COUPON_MIN_SPEND"));
        assert_eq!(attempt(5_000, 10_000, coupon().expire_time), Err("COUPON_EXPIRED"));
        assert_eq!(attempt(0, 10_000, NOW), Err("INVALID_ARGUMENT"));
        assert_eq!(attempt(i64::MIN, i64::MAX, NOW), Err("INVALID_ARGUMENT"));
        let usd = Money::new(10_000, Currency::parse("c", "USD").expect("known"));
        assert_eq!(coupon().reserve(&wanted(1), usd, NOW).map_err(|error| error.reason()), Err("CURRENCY_MISMATCH"));
    }

    #[test]
    fn it_is_for_one_redemption_and_comes_back_whole() {
        let id = wanted(1).id;
        let kept = coupon().reserve(&wanted(5_000), cny(10_000), NOW).expect("free");
        let again = kept.clone().reserve(&wanted(5_000), cny(10_000), NOW);
        assert_eq!(again.map_err(|error| error.reason()), Err("COUPON_NOT_AVAILABLE"));
        assert_eq!(kept.clone().free(id).expect("its own").state, State::Available);
        let used = kept.redeem(id).expect("its own");
        assert!(used.clone().free(id).is_err());
        let later = NOW + Duration::from_secs(90);
        let back = used.give_back(id, later).expect("its own");
        assert_eq!((back.state, back.expire_time, back.version), (State::Available, later, 4));
    }
}
