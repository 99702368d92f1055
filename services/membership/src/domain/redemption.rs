//! Points that pay a part of an order: what they are worth, from which lots they come, and how they come back.

use kernel::{
    Currency, Error, Money, Result, Timestamp,
    ids::{MemberId, OrderId, PointsLotId, PointsRedemptionId},
};

use super::points::Lot;

/// What points are worth, and how much they may pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// So many points, and no part of them …
    pub points: i64,
    /// … are worth so much.
    pub worth: Money,
    /// At most so much of an order may be paid by points, in hundredths of a percent.
    pub max_share: u32,
}

impl Terms {
    /// How many points are worth an amount.
    ///
    /// # Errors
    /// `InvalidArgument` if no number of points is, also with reason `CURRENCY_MISMATCH`.
    pub fn points_for(&self, worth: Money) -> Result<i64> {
        if worth.currency() != self.worth.currency() {
            let text = format!("must be in {}", self.worth.currency());
            return Err(Error::new(
                kernel::ErrorKind::InvalidArgument,
                "CURRENCY_MISMATCH",
                "points are worth another currency",
            )
            .with_violation("worth", text));
        }
        if worth.minor() <= 0 || worth.minor() % self.worth.minor() != 0 {
            let text =
                format!("must be a multiple of {}, above zero: {} points are worth that", self.worth, self.points);
            return Err(Error::invalid("worth", text));
        }
        (worth.minor() / self.worth.minor())
            .checked_mul(self.points)
            .ok_or_else(|| Error::invalid("worth", "is more than any points are worth"))
    }

    /// That points pay no more of an order than they may; `before` is what others of its redemptions pay.
    ///
    /// # Errors
    /// `REDEMPTION_SHARE_EXCEEDED`; `CURRENCY_MISMATCH` if the order is of another currency.
    pub fn check_share(&self, worth: Money, before: Money, total: Money) -> Result<()> {
        let most = total.share(self.max_share)?;
        let left = most.try_sub(before)?;
        if !left.try_sub(worth)?.is_negative() {
            return Ok(());
        }
        Err(Error::precondition("REDEMPTION_SHARE_EXCEEDED", format!("points may pay {most} of this order in all"))
            .with("left_minor", left.minor().max(0))
            .with("currency", most.currency()))
    }
}

/// Where a redemption is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The points are set aside.
    Reserved,
    /// They are spent.
    Committed,
    /// They are free again.
    Voided,
    /// Nobody decided in time; they are free again.
    Expired,
}

impl State {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Reserved, "RESERVED"),
        (Self::Committed, "COMMITTED"),
        (Self::Voided, "VOIDED"),
        (Self::Expired, "EXPIRED"),
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

/// Points that pay, or paid, a part of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redemption {
    /// Its id: that of the payment.
    pub id: PointsRedemptionId,
    /// Whose points.
    pub member: MemberId,
    /// What is paid.
    pub order: OrderId,
    /// How many; none if it was voided before anything was set aside.
    pub points: i64,
    /// What they are worth.
    pub worth: Money,
    /// Points that were given back.
    pub returned: i64,
    /// How much of the worth was given back.
    pub returned_worth: Money,
    /// Where it is in its life.
    pub state: State,
    /// When it was made.
    pub create_time: Timestamp,
    /// When the points are free by themselves.
    pub expire_time: Timestamp,
}

impl Redemption {
    /// One that takes nothing, so that a reservation which comes later finds it ended.
    pub fn void(id: PointsRedemptionId, member: MemberId, order: OrderId, currency: Currency, now: Timestamp) -> Self {
        let (worth, returned_worth) = (Money::zero(currency), Money::zero(currency));
        let (points, returned, state) = (0, 0, State::Voided);
        Self { id, member, order, points, worth, returned, returned_worth, state, create_time: now, expire_time: now }
    }

    /// Spends it. False if it is spent already.
    ///
    /// # Errors
    /// `REDEMPTION_ENDED`.
    pub fn commit(&mut self) -> Result<bool> {
        match self.state {
            State::Reserved => self.state = State::Committed,
            State::Committed => return Ok(false),
            State::Voided | State::Expired => return Err(ended(self.id)),
        }
        Ok(true)
    }

    /// Frees it. False if it is free already.
    ///
    /// # Errors
    /// `REDEMPTION_COMMITTED`.
    pub fn free(&mut self, to: State) -> Result<bool> {
        match self.state {
            State::Reserved => self.state = to,
            State::Voided | State::Expired => return Ok(false),
            State::Committed => {
                let text = "the points are spent; give them back by a refund";
                return Err(Error::precondition("REDEMPTION_COMMITTED", text).with("redemption", self.id));
            }
        }
        Ok(true)
    }

    /// How many points an amount of the worth gives back: in all always as many as all amounts so far are worth, rounded
    /// down, so that the last gives the rest.
    ///
    /// # Errors
    /// `REDEMPTION_NOT_COMMITTED`, `RETURN_EXCEEDS_REDEMPTION`; `InvalidArgument` for an amount that is not above zero.
    pub fn give_back(&mut self, amount: Money) -> Result<i64> {
        if self.state != State::Committed {
            let text = "only points that are spent come back";
            return Err(Error::precondition("REDEMPTION_NOT_COMMITTED", text).with("redemption", self.id));
        }
        if amount.minor() <= 0 {
            return Err(Error::invalid("amount", "must be above zero"));
        }
        let returned_worth = self.returned_worth.try_add(amount)?;
        if returned_worth.minor() > self.worth.minor() {
            let left = self.worth.try_sub(self.returned_worth)?;
            return Err(Error::precondition("RETURN_EXCEEDS_REDEMPTION", format!("{left} is left to give back"))
                .with("redemption", self.id));
        }
        let whole = i128::from(self.points) * i128::from(returned_worth.minor()) / i128::from(self.worth.minor());
        let whole = i64::try_from(whole).map_err(Error::internal)?;
        let points = whole - self.returned;
        (self.returned, self.returned_worth) = (whole, returned_worth);
        Ok(points)
    }
}

/// It was voided or has expired.
pub fn ended(id: PointsRedemptionId) -> Error {
    Error::precondition("REDEMPTION_ENDED", "the points are free again; start anew with another id")
        .with("redemption", id)
}

/// From which lots `points` are taken, in their order.
///
/// # Errors
/// `INSUFFICIENT_POINTS` if there are not so many.
pub fn take(lots: &[Lot], points: i64) -> Result<Vec<(PointsLotId, i64)>> {
    let mut left = points;
    let mut taken = Vec::new();
    for lot in lots {
        let part = left.min(lot.remaining);
        if part > 0 {
            taken.push((lot.id, part));
            left -= part;
        }
    }
    if left > 0 {
        let text = format!("{points} points are needed, {} are there", points - left);
        return Err(Error::precondition("INSUFFICIENT_POINTS", text)
            .with("needed", points)
            .with("available", points - left));
    }
    Ok(taken)
}

/// What of a redemption came from one lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The lot.
    pub lot: PointsLotId,
    /// Of which order it came.
    pub earned_by: OrderId,
    /// How many points came from it.
    pub points: i64,
    /// How many of them were given back to it.
    pub returned: i64,
}

/// To which lots `points` go back: in proportion to what each is still without, by largest remainder, so that no lot gets
/// more than came from it.
///
/// # Errors
/// Internal, if that is more than came from them.
pub fn spread(shares: &[Share], points: i64) -> Result<Vec<i64>> {
    let open: Vec<i64> = shares.iter().map(|share| share.points - share.returned).collect();
    if points > open.iter().sum() {
        return Err(Error::internal("more points come back than were taken"));
    }
    if points == 0 {
        return Ok(vec![0; shares.len()]);
    }
    let weights: Vec<u64> = open.iter().map(|open| u64::try_from(*open).unwrap_or(0)).collect();
    // The rule by which money is split, whatever its currency.
    let parts = Money::new(points, Currency::CNY).split(&weights)?;
    Ok(parts.into_iter().map(Money::minor).collect())
}

#[cfg(test)]
mod tests;
