//! What was agreed.

use kernel::{Error, FieldViolation, Money, Result};

use crate::domain::refund_law::{self, DeliveredTerm, KnownService};

/// How many sessions a contract may have.
const MAX_SESSIONS: u32 = 1_000;

/// What was agreed in a contract. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What it costs, above zero.
    pub price: Money,
    /// The sessions; empty if it is for unlimited service for a time.
    pub items: Vec<Item>,
    /// For how many days it holds from its payment on; `None`, for sessions only: it has no end.
    pub days: Option<u16>,
    /// For how many days it may rest in all.
    pub max_freeze_days: u16,
    /// Whether the customer had had the same service before.
    pub known_service: KnownService,
    /// What was agreed on refunds.
    pub refund: refund_law::Terms,
}

/// Sessions of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is; once in a contract.
    pub item: String,
    /// What the customer reads.
    pub display_name: String,
    /// How many sessions were bought.
    pub quantity: u32,
    /// How many were given on top.
    pub bonus: u32,
    /// The price of one without the contract.
    pub list_price: Money,
}

impl Item {
    /// All of its sessions.
    pub fn sessions(&self) -> u32 {
        self.quantity.saturating_add(self.bonus)
    }
}

impl Terms {
    /// Refuses terms that make no sense.
    ///
    /// # Errors
    /// `InvalidArgument` naming each wrong field below `terms`; `AMOUNT_OVERFLOW`.
    pub fn check(&self) -> Result<()> {
        let mut wrong = Vec::new();
        let mut must = |holds: bool, field: &str, description: &str| {
            if !holds {
                let field = format!("terms.{field}");
                wrong.push(FieldViolation { field, description: description.to_owned() });
            }
        };
        must(self.price.minor() > 0, "price", "must be above zero");
        must(self.days != Some(0), "days", "must be above zero");
        must(!self.items.is_empty() || self.days.is_some(), "days", "must be given if there are no sessions");
        let known_amount = matches!(self.refund.delivered, Some(DeliveredTerm::Amount(_)));
        must(!known_amount, "refund_terms.amount", "can't be known ahead");
        must(
            self.refund.delivered.is_none() || !self.items.is_empty(),
            "refund_terms",
            "must not price single uses of unlimited service",
        );
        let share = match self.refund.delivered {
            Some(DeliveredTerm::ShareOfList(share)) => share <= refund_law::Ppm::ONE,
            _ => true,
        };
        must(share, "refund_terms.share_of_list_ppm", "must be at most 1,000,000");
        let rate = self.refund.interest_rate.is_none_or(|rate| rate <= refund_law::Ppm::ONE);
        must(rate, "refund_terms.interest_rate_ppm", "must be at most 1,000,000");

        let (mut list, mut sessions) = (Money::zero(self.price.currency()), 0_u32);
        for (n, item) in self.items.iter().enumerate() {
            let twice = self.items.iter().take(n).any(|other| other.item == item.item);
            must(!twice, &format!("items[{n}].item"), "must be there once");
            must(item.quantity > 0, &format!("items[{n}].quantity"), "must be above zero");
            let fits = item.list_price.currency() == self.price.currency() && !item.list_price.is_negative();
            must(fits, &format!("items[{n}].list_price"), "must be of the price's currency, and not below zero");
            if fits {
                list = list.try_add(item.list_price.try_mul(i64::from(item.sessions()))?)?;
            }
            sessions = sessions.saturating_add(item.sessions());
        }
        must(sessions <= MAX_SESSIONS, "items", "must have 1,000 sessions at most");
        let cheaper = self.items.is_empty() || list.minor() >= self.price.minor();
        must(cheaper, "price", "must be at most what all sessions cost without the contract");
        if wrong.is_empty() { Ok(()) } else { Err(Error::invalid_fields(wrong)) }
    }

    /// Whether it is for unlimited service for a time.
    pub fn is_pass(&self) -> bool {
        self.items.is_empty()
    }

    /// What session `ordinal` of the item at `position` is worth.
    ///
    /// # Errors
    /// Internal, if there is no such session.
    pub fn value(&self, position: usize, ordinal: u32) -> Result<Money> {
        let mut weights = Vec::new();
        let mut wanted = None;
        for (at, item) in self.items.iter().enumerate() {
            for n in 0..item.sessions() {
                if (at, n) == (position, ordinal) {
                    wanted = Some(weights.len());
                }
                weights.push(item.list_price.minor().unsigned_abs());
            }
        }
        let values = self.price.split(&weights)?;
        let value = wanted.and_then(|index| values.get(index).copied());
        value.ok_or_else(|| Error::internal(format!("there is no session {ordinal} of item {position}")))
    }
}
