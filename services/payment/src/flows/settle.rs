//! Acting on what a provider says of a charge, whether it told us or was asked.

use kernel::{Result, Timestamp};
use pg::Tx;

use super::record::record;
use crate::{
    db,
    domain::Order,
    peers::{ChargeReport, ChargeState},
};

/// A provider's word.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// Whose word.
    pub provider: &'a str,
    /// How it came: the notice's id, or `query/<payment>`.
    pub by: &'a str,
    /// What it says.
    pub report: &'a ChargeReport,
}

/// Applies a provider's word to the payment, once. What doesn't fit is recorded as a break and never acted upon.
pub async fn settle_in_tx(tx: &mut Tx, now: Timestamp, told: Told<'_>) -> Result<()> {
    let report = told.report;
    let order = match db::payments::order_of(tx, report.payment).await? {
        Some(order) => db::orders::lock(tx, order).await?,
        None => None,
    };
    let Some(before) = order else {
        return note_break(tx, now, told, "UNKNOWN_PAYMENT").await;
    };
    if let Some(reason) = misfit(&before, told) {
        return note_break(tx, now, told, reason).await;
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
    record(tx, now, &format!("providers/{}", told.provider), &before, &outcome).await
}

/// Why a report can't be about the payment that we know.
fn misfit(order: &Order, told: Told<'_>) -> Option<&'static str> {
    let report = told.report;
    let Some(payment) = order.payment(report.payment).filter(|payment| payment.tender.as_str() == told.provider) else {
        return Some("UNKNOWN_PAYMENT");
    };
    if report.currency != payment.amount.currency().code() {
        return Some("CURRENCY_MISMATCH");
    }
    if report.amount_minor != payment.amount.minor() {
        return Some("AMOUNT_MISMATCH");
    }
    match report.state {
        ChargeState::Failed { .. } if payment.is_captured() => Some("FAILED_AFTER_CAPTURE"),
        _ => None,
    }
}

async fn note_break(tx: &mut Tx, now: Timestamp, told: Told<'_>, reason: &'static str) -> Result<()> {
    if db::notices::insert_break(tx, now, told.provider, told.by, reason, told.report).await? {
        tracing::warn!(
            provider = told.provider,
            notice = told.by,
            payment = %told.report.payment,
            reason,
            "provider's report does not fit; not acted upon"
        );
    }
    Ok(())
}
