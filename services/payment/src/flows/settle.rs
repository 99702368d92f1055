//! Acting on what a provider says of a charge or a refund, whether it told us or was asked.

use kernel::{Result, Timestamp};
use pg::Tx;

use super::record::record;
use crate::{
    db::{self, notices::Break},
    domain::{Order, Payment},
    peers::{ChargeReport, ChargeState, RefundReport, RefundState},
};

/// A provider's word.
#[derive(Debug)]
pub struct Told<'a, R> {
    /// Whose word.
    pub provider: &'a str,
    /// How it came: the notice's id, or `query/<payment>`.
    pub by: &'a str,
    /// What it says.
    pub report: &'a R,
}

/// Applies a provider's word to the payment, once. What doesn't fit is recorded as a break and never acted upon.
pub async fn settle_in_tx(tx: &mut Tx, now: Timestamp, told: Told<'_, ChargeReport>) -> Result<()> {
    let report = told.report;
    let order = match db::payments::order_of(tx, report.payment).await? {
        Some(order) => db::orders::lock(tx, order).await?,
        None => None,
    };
    let (amount_minor, currency) = match &report.amount {
        Some(amount) => (amount.minor, amount.currency.as_str()),
        None => (0, ""),
    };
    let unfit = |reason| Break {
        provider: told.provider,
        by: told.by,
        reason,
        payment: report.payment,
        reference: &report.reference,
        amount_minor,
        currency,
    };
    let Some(before) = order else {
        return note_break(tx, now, unfit("UNKNOWN_PAYMENT")).await;
    };
    if let Some(reason) = misfit(&before, &told) {
        return note_break(tx, now, unfit(reason)).await;
    }
    let gone = before.payment(report.payment).is_some_and(|payment| !payment.is_pending() && !payment.is_captured());
    if gone && report.state == ChargeState::Succeeded {
        tracing::warn!(provider = told.provider, notice = told.by, payment = %report.payment, "captured after it had failed");
    }
    let outcome = match &report.state {
        ChargeState::Pending => return Ok(()),
        ChargeState::Succeeded => before.clone().capture(report.payment, now)?,
        ChargeState::Failed { reason } => before.clone().fail(report.payment, reason)?,
    };
    record(tx, now, &format!("providers/{}", told.provider), &before, &outcome).await?;
    if report.state == ChargeState::Succeeded && !report.transaction.is_empty() {
        db::payments::note_transaction(tx, report.payment, &report.transaction).await?;
    }
    Ok(())
}

/// Applies a provider's word to a refund, once. What doesn't fit is recorded as a break and never acted upon.
pub async fn settle_refund_in_tx(tx: &mut Tx, now: Timestamp, told: Told<'_, RefundReport>) -> Result<()> {
    let report = told.report;
    let known = db::refunds::order_of(tx, report.refund).await?;
    let order = match known {
        Some((order, payment)) if payment == report.payment => db::orders::lock(tx, order).await?,
        _ => None,
    };
    let unfit = |reason, currency| Break {
        provider: told.provider,
        by: told.by,
        reason,
        payment: report.payment,
        reference: &report.reference,
        amount_minor: report.amount_minor,
        currency,
    };
    let Some(before) = order.filter(|order| is_of(order.payment(report.payment), told.provider)) else {
        return note_break(tx, now, unfit("UNKNOWN_REFUND", "")).await;
    };
    let currency = before.currency();
    let fits = before.refund(report.refund).is_some_and(|refund| refund.amount.minor() == report.amount_minor);
    match &report.state {
        _ if !fits => note_break(tx, now, unfit("AMOUNT_MISMATCH", currency.code())).await,
        RefundState::Pending => Ok(()),
        RefundState::Succeeded => {
            let outcome = before.clone().refund_done(report.refund, now)?;
            record(tx, now, &format!("providers/{}", told.provider), &before, &outcome).await
        }
        RefundState::Stuck { reason } => {
            tracing::error!(refund = %report.refund, reason, "a refund can't reach the customer; see to it at the provider");
            note_break(tx, now, unfit("REFUND_STUCK", currency.code())).await
        }
    }
}

/// Why a report can't be about the payment that we know.
fn misfit(order: &Order, told: &Told<'_, ChargeReport>) -> Option<&'static str> {
    let report = told.report;
    let payment = order.payment(report.payment);
    let Some(payment) = payment.filter(|payment| is_of(Some(payment), told.provider)) else {
        return Some("UNKNOWN_PAYMENT");
    };
    match (&report.amount, &report.state) {
        (Some(amount), _) if amount.currency != payment.amount.currency().code() => return Some("CURRENCY_MISMATCH"),
        (Some(amount), _) if amount.minor != payment.amount.minor() => return Some("AMOUNT_MISMATCH"),
        (None, ChargeState::Succeeded) => return Some("AMOUNT_MISSING"),
        _ => {}
    }
    match report.state {
        ChargeState::Failed { .. } if payment.is_captured() => Some("FAILED_AFTER_CAPTURE"),
        _ => None,
    }
}

/// Whether a payment is one that the provider can have a word on.
fn is_of(payment: Option<&Payment>, provider: &str) -> bool {
    payment.is_some_and(|payment| payment.tender.provider() == Some(provider))
}

/// Records what doesn't fit, and says so the first time.
pub async fn note_break(tx: &mut Tx, now: Timestamp, of: Break<'_>) -> Result<()> {
    if db::notices::insert_break(tx, now, of).await? {
        let Break { provider, by, payment, reason, .. } = of;
        tracing::warn!(provider, notice = by, %payment, reason, "provider's report does not fit; not acted upon");
    }
    Ok(())
}
