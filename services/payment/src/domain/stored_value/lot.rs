//! What one top-up has brought onto a card.

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{CardLotId, OrderId, TopUpCampaignId},
};

use super::Value;

/// What one top-up has brought: money and bonus, each kept apart from the first day to the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    /// Its id.
    pub id: CardLotId,
    /// The top-up's order.
    pub order: OrderId,
    /// The campaign that gave the bonus.
    pub campaign: Option<TopUpCampaignId>,
    /// What was paid for.
    pub principal: Pot,
    /// What was given on top.
    pub bonus: Pot,
    /// When what is left of the bonus is worth nothing any more; `None`: never. Principal never expires.
    pub bonus_expire_time: Option<Timestamp>,
    /// When the money came; lots are spent in this order.
    pub create_time: Timestamp,
}

/// An amount and what became of it: `brought` = `open` + `spent` + `refunded` + `expired`, none of them below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pot {
    /// How much there was at first.
    pub brought: Money,
    /// How much is left.
    pub open: Money,
    /// What of `open` is set aside for payments under way.
    pub held: Money,
    /// How much was spent and has not come back.
    pub spent: Money,
    /// How much was paid out.
    pub refunded: Money,
    /// How much is worth nothing any more.
    pub expired: Money,
}

impl Pot {
    /// All of it is there.
    pub const fn full(amount: Money) -> Self {
        let zero = Money::zero(amount.currency());
        Self { brought: amount, open: amount, held: zero, spent: zero, refunded: zero, expired: zero }
    }

    /// What can be taken.
    ///
    /// # Errors
    /// Internal, if more is set aside than there is.
    pub fn available(&self) -> Result<Money> {
        less(self.open, self.held)
    }

    fn hold(&mut self, amount: Money) -> Result<()> {
        less(self.available()?, amount)?;
        self.held = self.held.try_add(amount)?;
        Ok(())
    }

    fn release(&mut self, amount: Money) -> Result<()> {
        self.held = less(self.held, amount)?;
        Ok(())
    }

    fn spend(&mut self, amount: Money) -> Result<()> {
        self.release(amount)?;
        self.open = less(self.open, amount)?;
        self.spent = self.spent.try_add(amount)?;
        Ok(())
    }

    fn give_back(&mut self, amount: Money) -> Result<()> {
        self.spent = less(self.spent, amount)?;
        self.open = self.open.try_add(amount)?;
        Ok(())
    }

    fn expire(&mut self) -> Result<Money> {
        let gone = self.available()?;
        self.open = self.held;
        self.expired = self.expired.try_add(gone)?;
        Ok(gone)
    }

    /// Of all that is there, up to `most` is paid out and the rest is worth nothing any more; how much was there.
    fn pay_out(&mut self, most: Money) -> Result<Money> {
        let there = self.available()?;
        let out = if most.minor() < there.minor() { most } else { there };
        self.open = self.held;
        self.refunded = self.refunded.try_add(out)?;
        self.expired = self.expired.try_add(there.try_sub(out)?)?;
        Ok(there)
    }
}

/// A part of what is there; never more than that.
fn less(there: Money, part: Money) -> Result<Money> {
    let left = there.try_sub(part)?;
    if left.is_negative() || part.is_negative() {
        return Err(Error::internal(format!("{part} can't be taken from {there} of a lot")));
    }
    Ok(left)
}

impl Lot {
    /// What is left.
    pub const fn open(&self) -> Value {
        Value { principal: self.principal.open, bonus: self.bonus.open }
    }

    /// What can be spent at `now`.
    ///
    /// # Errors
    /// Internal, if more is set aside than there is.
    pub fn available(&self, now: Timestamp) -> Result<Value> {
        let bonus = self.bonus.available()?;
        let lapsed = self.is_lapsed(now);
        let bonus = if lapsed { Money::zero(bonus.currency()) } else { bonus };
        Ok(Value { principal: self.principal.available()?, bonus })
    }

    /// Whether the time of its bonus is over.
    pub fn is_lapsed(&self, now: Timestamp) -> bool {
        self.bonus_expire_time.is_some_and(|at| at <= now)
    }

    pub(super) fn hold(&mut self, value: Value) -> Result<()> {
        self.principal.hold(value.principal)?;
        self.bonus.hold(value.bonus)
    }

    pub(super) fn release(&mut self, value: Value) -> Result<()> {
        self.principal.release(value.principal)?;
        self.bonus.release(value.bonus)
    }

    pub(super) fn spend(&mut self, value: Value) -> Result<()> {
        self.principal.spend(value.principal)?;
        self.bonus.spend(value.bonus)
    }

    /// What was spent comes back. Bonus whose time is over meanwhile can be spent until `grace`: its owner had it when he
    /// paid, and is not to lose it by a refund.
    pub(super) fn give_back(&mut self, value: Value, now: Timestamp, grace: Timestamp) -> Result<()> {
        self.principal.give_back(value.principal)?;
        self.bonus.give_back(value.bonus)?;
        if !value.bonus.is_zero() && self.is_lapsed(now) {
            self.bonus_expire_time = Some(grace);
        }
        Ok(())
    }

    /// Lets the bonus lapse, but for what is set aside; how much that was.
    ///
    /// # Errors
    /// Internal, if more is set aside than there is.
    pub fn expire(&mut self, now: Timestamp) -> Result<Money> {
        if self.is_lapsed(now) { self.bonus.expire() } else { Ok(Money::zero(self.bonus.open.currency())) }
    }

    /// The top-up is given back: of its money `out` is paid out, and the bonus is void. Returns what was there of both.
    ///
    /// # Errors
    /// `CARD_IN_USE` if something of it is set aside.
    pub fn give_up(&mut self, out: Money) -> Result<Value> {
        if !self.principal.held.is_zero() || !self.bonus.held.is_zero() {
            let message = "a payment with what this top-up has brought is under way; wait for its outcome or cancel it";
            return Err(Error::precondition("CARD_IN_USE", message).with("lot", self.id));
        }
        Ok(Value { principal: self.principal.pay_out(out)?, bonus: self.bonus.expire()? })
    }
}
