//! Lines that are paid by a session of a prepaid contract.

use kernel::{Error, Money, Result, ids::ItemId};

use super::Order;
use crate::domain::Payment;

impl Order {
    /// That a session of `item` may pay `amount` of what is due: a line of that item whole, or what is left to pay of it, once
    /// for each line.
    ///
    /// # Errors
    /// `InvalidArgument` on `field` if the order has no line of it; `SESSION_PAYS_WHOLE`; `LINE_PAID`.
    pub(super) fn must_pay_line(&self, field: &str, item: ItemId, amount: Money, due: Money) -> Result<()> {
        let name = item.name();
        let lines: Vec<Money> = self
            .lines
            .iter()
            .filter(|line| line.item == name && line.amount.minor() > 0)
            .map(|line| line.amount)
            .collect();
        if lines.is_empty() {
            return Err(Error::invalid(field, "must be that of a line of the order"));
        }
        let by_session = self.counted().filter(|payment| payment.tender.item() == Some(item));
        let mut had = 0;
        for payment in by_session {
            had += usize::from(!self.left_of(payment)?.is_zero());
        }
        if had >= lines.len() {
            return Err(Error::precondition("LINE_PAID", "a session has paid this already").with("item", name));
        }
        let whole = |line: &Money| amount == if line.minor() < due.minor() { *line } else { due };
        match lines.iter().find(|line| whole(line)) {
            Some(_) => Ok(()),
            None => Err(session_pays_whole(lines.first().copied().unwrap_or(due)).with("item", name)),
        }
    }

    /// Whether a payment is a session that has paid one of `lines`, of which all goes back.
    pub(super) fn is_by_session(&self, payment: &Payment, lines: &[(usize, Money)]) -> bool {
        let Some(item) = payment.tender.item().map(ItemId::name) else { return false };
        lines.iter().any(|(position, _)| self.lines.get(*position).is_some_and(|line| line.item == item))
    }
}

/// That a session pays, and is given back, whole: `amount`.
pub(super) fn session_pays_whole(amount: Money) -> Error {
    let message = format!("a session pays its line whole, and is given back whole: {amount}");
    Error::precondition("SESSION_PAYS_WHOLE", message)
        .with("amount_minor", amount.minor())
        .with("currency", amount.currency())
}
