//! What the ways by which an order was paid can take back.

use kernel::{Money, Result, Timestamp};

use super::Order;
use crate::domain::{Payment, payment};

impl Payment {
    /// Whether it can go back by the way it came. A provider takes nothing back of what it captured before `since`; a desk
    /// always does.
    pub fn takes_back(&self, since: Timestamp) -> bool {
        match self.state {
            payment::State::Captured { time, .. } => self.tender.provider().is_none() || time >= since,
            _ => false,
        }
    }
}

impl Order {
    /// How much can go back to where it was paid from; see [`Payment::takes_back`].
    ///
    /// # Errors
    /// Internal, if more went back than came.
    pub fn sources(&self, since: Timestamp) -> Result<Money> {
        let taking = self.counted().filter(|payment| payment.takes_back(since));
        taking.into_iter().try_fold(Money::zero(self.currency()), |sum, of| sum.try_add(self.left_of(of)?))
    }
}
