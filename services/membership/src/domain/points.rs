//! Points. They come in lots, one for each order, and each lot has its own end.

use kernel::{
    Money, Result, Timestamp, Uuid,
    ids::{MemberId, OrderId, PointsLotId, StoreId},
};

/// What came of one order, with what can still be taken of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    /// Its id.
    pub id: PointsLotId,
    /// Points that are left.
    pub remaining: i64,
    /// Points that were outlived.
    pub expired: i64,
}

/// An order that counts for a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// The order.
    pub order: OrderId,
    /// Whose.
    pub member: MemberId,
    /// At which store.
    pub store: StoreId,
    /// What it costs.
    pub total: Money,
    /// What was paid and not given back, at most the total.
    pub net: Money,
    /// The version of the order that `net` is of.
    pub order_version: i64,
    /// Points per 100 major units at the time of payment.
    pub points_rate: i32,
    /// Points that came of it.
    pub points_earned: i64,
    /// Points of it that were taken back.
    pub points_revoked: i64,
    /// When all of it was paid.
    pub pay_time: Option<Timestamp>,
}

impl Purchase {
    /// Takes over what is paid and what went back at a version of the order. False if something later is known.
    pub fn update(&mut self, paid: Money, refunded: Money, order_version: i64) -> Result<bool> {
        if order_version < self.order_version {
            return Ok(false);
        }
        // A payment too many comes and goes without touching what the order counts for.
        let net = paid.try_sub(refunded)?.minor().clamp(0, self.total.minor());
        self.net = Money::new(net, self.total.currency());
        self.order_version = order_version;
        Ok(true)
    }

    /// How many points are to be taken back now.
    ///
    /// The customer keeps the points of what he has paid in the end, as if the order had been that small from the start:
    /// partial refunds add up to the same in any order and size, nothing drifts, and a whole refund takes all. Points
    /// that were outlived are gone and are not taken a second time.
    pub fn points_due(&self, expired: i64) -> i64 {
        let kept = earned(self.net, self.points_rate);
        let due = self.points_earned - kept - self.points_revoked;
        due.min(self.points_earned - self.points_revoked - expired).max(0)
    }
}

/// The points for an amount: `rate` per 100 major units, rounded down. 100 yuan at rate 10 are 10 points.
pub fn earned(amount: Money, rate: i32) -> i64 {
    let product = i128::from(amount.minor()) * i128::from(rate);
    let points = product.div_euclid(i128::from(amount.currency().minor_per_major()) * 100);
    i64::try_from(points).unwrap_or(i64::MAX).max(0)
}

/// From which lots `due` points are taken: from `first`, then from the others in their order, never more than a lot has.
pub fn take(lots: &[Lot], first: PointsLotId, due: i64) -> Vec<(PointsLotId, i64)> {
    let (own, others): (Vec<&Lot>, Vec<&Lot>) = lots.iter().partition(|lot| lot.id == first);
    let mut left = due;
    own.into_iter()
        .chain(others)
        .map(|lot| {
            let taken = left.min(lot.remaining).max(0);
            left -= taken;
            (lot.id, taken)
        })
        .filter(|(_, taken)| *taken > 0)
        .collect()
}

/// Why points came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// Earned by spending.
    Earned,
    /// Taken back, since the purchase was refunded.
    Revoked,
    /// Outlived.
    Expired,
    /// They have paid a part of an order.
    Spent,
    /// Given back, since what they had paid was refunded.
    Returned,
}

impl EntryKind {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Earned, "EARNED"),
        (Self::Revoked, "REVOKED"),
        (Self::Expired, "EXPIRED"),
        (Self::Spent, "SPENT"),
        (Self::Returned, "RETURNED"),
    ];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(kind, _)| *kind == self).map_or("EARNED", |(_, name)| name)
    }

    /// Reads a name of the database.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(kind, _)| kind)
    }
}

/// A change of a member's points. It is written once and stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub member: MemberId,
    /// The lot that changed.
    pub lot: PointsLotId,
    /// The order that the change is about.
    pub order: OrderId,
    /// Why.
    pub kind: EntryKind,
    /// Above 0 if points came, below if they went.
    pub points: i64,
    /// When.
    pub create_time: Timestamp,
    /// Until when points that came can be spent.
    pub expire_time: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use kernel::Currency;
    use proptest::prelude::*;

    use super::*;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    fn purchase(total: i64) -> Purchase {
        Purchase {
            order: OrderId::new(Timestamp::UNIX_EPOCH),
            member: MemberId::new(Timestamp::UNIX_EPOCH),
            store: StoreId::new(Timestamp::UNIX_EPOCH),
            total: cny(total),
            net: cny(total),
            order_version: 1,
            points_rate: 10,
            points_earned: earned(cny(total), 10),
            points_revoked: 0,
            pay_time: None,
        }
    }

    #[test]
    fn a_hundred_yuan_are_ten_points() {
        assert_eq!([0, 999, 1_000, 10_000, 19_999].map(|minor| earned(cny(minor), 10)), [0, 0, 1, 10, 19]);
        let yen = Money::new(100, Currency::parse("c", "JPY").expect("known"));
        assert_eq!(earned(yen, 10), 10);
        assert_eq!(earned(cny(i64::MAX), i32::MAX), i64::MAX);
    }

    #[test]
    fn a_late_refund_does_not_take_outlived_points_again() {
        let mut purchase = purchase(10_000);
        purchase.update(cny(10_000), cny(10_000), 2).expect("same currency");
        assert_eq!(purchase.points_due(0), 10);
        assert_eq!(purchase.points_due(7), 3);
        assert_eq!(purchase.points_due(10), 0);
    }

    #[test]
    fn a_payment_too_many_that_goes_back_changes_nothing() {
        let mut purchase = purchase(10_000);
        assert!(purchase.update(cny(20_000), cny(10_000), 3).expect("same currency"));
        assert_eq!((purchase.net, purchase.points_due(0)), (cny(10_000), 0));
        assert!(!purchase.update(cny(10_000), cny(10_000), 2).expect("same currency"), "older news");
    }

    #[test]
    fn points_are_taken_from_their_own_lot_first() {
        let lot = |remaining| Lot { id: PointsLotId::new(Timestamp::UNIX_EPOCH), remaining, expired: 0 };
        let lots = [lot(5), lot(3), lot(4)];
        assert_eq!(take(&lots, lots[1].id, 2), [(lots[1].id, 2)]);
        assert_eq!(take(&lots, lots[1].id, 9), [(lots[1].id, 3), (lots[0].id, 5), (lots[2].id, 1)]);
        assert_eq!(take(&lots, lots[1].id, 99).iter().map(|(_, taken)| taken).sum::<i64>(), 12);
        assert_eq!(take(&lots, lots[1].id, 0), []);
    }

    proptest! {
        /// However a refund is cut into parts, what is taken back in the end is the same, and never too much.
        #[test]
        fn parts_of_a_refund_do_not_drift(total in 0_i64..10_000_000, cuts in prop::collection::vec(0_i64..10_000_000, 0..12)) {
            let mut cuts: Vec<i64> = cuts.into_iter().map(|cut| cut.min(total)).collect();
            cuts.sort_unstable();
            let mut in_parts = purchase(total);
            for (version, refunded) in (2..).zip(&cuts) {
                in_parts.update(cny(total), cny(*refunded), version).expect("same currency");
                in_parts.points_revoked += in_parts.points_due(0);
                prop_assert!(in_parts.points_revoked <= in_parts.points_earned);
            }
            let mut at_once = purchase(total);
            at_once.update(cny(total), cny(cuts.last().copied().unwrap_or(0)), 2).expect("same currency");
            prop_assert_eq!(in_parts.points_revoked, at_once.points_due(0));
            prop_assert_eq!(in_parts.points_earned - in_parts.points_revoked, earned(at_once.net, 10));
        }
    }
}
