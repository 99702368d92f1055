//! The worker has invoices issued and red-lettered. What it asks for is only accepted; what came of it is asked later.

use std::time::Duration;

use kernel::{Error, Result};

use super::{no_such_invoice, offered, record};
use crate::{
    App, db,
    db::invoices::Task,
    domain::invoice::{Invoice, ReverseReason, State, Taxation},
    flows::{is_transient, no_such_order},
    peers::invoicing::{FapiaoKey, FapiaoState, NewFapiao},
};

/// How many invoices one step takes on.
pub const BATCH: usize = 20;

/// How long no other worker sees to the same invoice.
const LEASE: Duration = Duration::from_secs(30);

/// The code of what is invoiced when a prepaid card is sold (预付卡销售和充值).
const PREPAID_CODE: &str = "6010000000000000000";
const PREPAID_GOODS: &str = "预付卡销售";

/// Who has changed an invoice when nobody has.
const ACTOR: &str = "services/payment";

/// Sees to the invoices that are due at the provider. Returns how many it took on. The invoice's id is the provider's
/// idempotency key: however often one is asked for, it is issued once.
///
/// # Errors
/// The first that the database answers, after all were tried. The provider's failures only put an invoice off.
pub async fn settle_invoices(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let batch = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let mut tx = app.pg.begin().await?;
    let tasks = db::invoices::claim(&mut tx, now, now + LEASE, batch).await?;
    tx.commit().await?;
    if tasks.is_empty() {
        return Ok(0);
    }
    kernel::crash::point("payment.invoice.claimed");
    let mut failed = None;
    for task in &tasks {
        // One that can't be seen to must not hold up those behind it, time after time.
        if let Err(error) = settle(app, task).await {
            failed.get_or_insert(error);
        }
    }
    failed.map_or(Ok(tasks.len()), Err)
}

async fn settle(app: &App, task: &Task) -> Result<()> {
    let found = db::invoices::get(&mut *app.pg.conn().await?, task.invoice).await?;
    let invoice = found.ok_or_else(|| no_such_invoice(task.invoice))?;
    if !invoice.is_under_way() {
        return Ok(());
    }
    if let Err(error) = see_to(app, task, invoice).await {
        let (invoice, attempts, chain) = (task.invoice, task.attempts, error.chain());
        tracing::warn!(%invoice, attempts, error = chain, "an invoice can't be seen to; trying again later");
    }
    let at = app.clock.now() + app.policy.refund_pause(task.attempts);
    Ok(db::invoices::try_again(&mut *app.pg.conn().await?, task.invoice, at).await?)
}

/// The first time it is asked for. After that the outcome is not known, so it is asked about, and asked for again only if
/// the provider has never heard of it.
async fn see_to(app: &App, task: &Task, invoice: Invoice) -> Result<()> {
    let (invoicing, key) = (offered(app)?, FapiaoKey::from(&invoice));
    let is_new = task.attempts == 1 && invoice.state == State::Requested;
    let known = if is_new { None } else { invoicing.fapiao(&key).await? };
    match known {
        None => return ask_for(app, task, &invoice).await,
        Some(FapiaoState::Pending) => {}
        Some(FapiaoState::Failed { reason }) => {
            note(app, task, |invoice| Ok(invoice.refused(reason))).await?;
        }
        Some(FapiaoState::Issued(issue)) => {
            let invoice = note(app, task, |invoice| Ok(invoice.issued(issue))).await?;
            if let State::Reversing { issue: Some(issue), reason } = &invoice.state {
                invoicing.reverse(&key, &issue.number, *reason).await?;
                kernel::crash::point("payment.invoice.sent");
            }
        }
        Some(FapiaoState::Reversed { issue, red_number }) => {
            let invoice = note(app, task, |invoice| Ok(invoice.issued(issue))).await?;
            if invoice.stands() {
                // Somebody has done it at the provider.
                let now = app.clock.now();
                note(app, task, |invoice| invoice.reverse(ReverseReason::IssueError, true, now)).await?;
            }
            let now = app.clock.now();
            note(app, task, |invoice| Ok(invoice.reversed(red_number, now))).await?;
        }
    }
    Ok(())
}

async fn ask_for(app: &App, task: &Task, invoice: &Invoice) -> Result<()> {
    let buyer = db::invoices::buyer(&mut *app.pg.conn().await?, &app.vault, invoice.id).await?;
    let (tax_code, goods) = match invoice.taxation {
        Taxation::Taxed { .. } => (app.policy.invoice_tax_code.as_str(), app.policy.invoice_goods.as_str()),
        Taxation::NotTaxable => (PREPAID_CODE, PREPAID_GOODS),
    };
    let new = NewFapiao {
        key: FapiaoKey::from(invoice),
        buyer: &buyer,
        amount: invoice.amount,
        taxation: invoice.taxation,
        tax_code,
        goods,
    };
    let answer = offered(app)?.issue(&new).await;
    kernel::crash::point("payment.invoice.sent");
    match answer {
        Err(error) if !is_transient(&error) => {
            tracing::error!(invoice = %invoice.id, error = error.chain(), "the provider issues no invoice");
            let word = refusal(&error);
            note(app, task, |invoice| Ok(invoice.refused(word))).await.map(drop)
        }
        answer => answer,
    }
}

/// The provider's word for why it refuses.
fn refusal(error: &Error) -> String {
    let code = error.metadata().iter().find(|(key, _)| *key == "code").map(|(_, code)| code.clone());
    code.filter(|code| !code.is_empty()).unwrap_or_else(|| error.reason().to_owned())
}

/// Stores one step of an invoice. Returns it as it is then.
async fn note(app: &App, task: &Task, step: impl FnOnce(Invoice) -> Result<Invoice>) -> Result<Invoice> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    db::orders::lock(&mut tx, task.order).await?.ok_or_else(|| no_such_order(task.order))?;
    let before = db::invoices::get(&mut tx, task.invoice).await?.ok_or_else(|| no_such_invoice(task.invoice))?;
    let after = step(before.clone())?;
    record(&mut tx, now, ACTOR, &before, &after).await?;
    tx.commit().await?;
    kernel::crash::point("payment.invoice.noted");
    Ok(after)
}
