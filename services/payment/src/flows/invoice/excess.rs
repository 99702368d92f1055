//! Money goes back, and with it the invoices that stood for it.

use kernel::{Money, Result, Timestamp};
use pg::Tx;

use super::record;
use crate::{
    db,
    domain::{
        Order,
        invoice::{ReverseReason, invoiceable},
    },
};

/// Has the newest invoices of an order red-lettered until those that stand are no more than what stays paid. An invoice is
/// red-lettered whole; one for the rest can be asked for. This transaction has locked the order, which is `after` now.
pub async fn take_back_excess(tx: &mut Tx, now: Timestamp, actor: &str, before: &Order, after: &Order) -> Result<()> {
    // Only what is paid ahead is paid out by hand.
    if after.refunds.len() == before.refunds.len() && after.subject.visit().is_some() {
        return Ok(());
    }
    let standing: Vec<_> =
        db::invoices::of_order(tx, after.id).await?.into_iter().filter(|invoice| invoice.stands()).collect();
    let mut sum = Money::try_sum(after.currency(), standing.iter().map(|invoice| invoice.amount))?;
    let by_hand = db::payouts::of_price(tx, after.id, after.currency()).await?;
    let kept = invoiceable(after)?.try_sub(by_hand)?;
    let is_lowered = after.refunds.last().is_some_and(|refund| refund.is_lowered());
    let reason = if is_lowered { ReverseReason::SalesDiscount } else { ReverseReason::ServiceSuspended };
    for invoice in standing.into_iter().rev() {
        if sum.minor() <= kept.minor() {
            break;
        }
        sum = sum.try_sub(invoice.amount)?;
        let asked = db::invoices::was_tried(tx, invoice.id).await?;
        let reversed = invoice.clone().reverse(reason, asked, now)?;
        record(tx, now, actor, &invoice, &reversed).await?;
    }
    Ok(())
}
