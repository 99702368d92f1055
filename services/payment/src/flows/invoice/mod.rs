//! Invoices: asked for, seen to at the provider, red-lettered, read.

pub mod download;
pub mod excess;
pub mod read;
pub mod request;
pub mod reverse;
pub mod settle;

use std::sync::Arc;

use kernel::{Error, Result, Timestamp, ids::InvoiceId};
use pg::{
    Tx,
    audit::{self, Entry},
    outbox::{self, NewEvent},
};
use serde_json::json;

use crate::{App, db, domain::invoice::Invoice, peers::Invoicing, rpc::convert};

/// The provider that issues invoices.
fn offered(app: &App) -> Result<&Arc<dyn Invoicing>> {
    app.peers.invoicing.as_ref().ok_or_else(not_offered)
}

fn not_offered() -> Error {
    Error::precondition("INVOICES_NOT_OFFERED", "no invoice can be had of this here; ask at the store")
}

fn no_such_invoice(id: InvoiceId) -> Error {
    Error::not_found(id)
}

/// Stores a change of an invoice whose order this transaction has locked, with its event and its audit entry. What did not
/// change is not stored.
async fn record(tx: &mut Tx, now: Timestamp, actor: &str, before: &Invoice, after: &Invoice) -> Result<()> {
    if before.version == after.version {
        return Ok(());
    }
    db::invoices::save(tx, before, after, now).await?;
    publish(tx, now, actor, after).await
}

/// Writes the event and the audit entry of a change.
async fn publish(tx: &mut Tx, now: Timestamp, actor: &str, invoice: &Invoice) -> Result<()> {
    let changed = convert::invoice::changed(invoice);
    outbox::append(tx, NewEvent::new(invoice.id.uuid(), invoice.version, now, &changed)).await?;
    let entry = Entry {
        actor: actor.to_owned(),
        action: "payment.invoice".to_owned(),
        target: invoice.id.name(),
        detail: json!({
            "order": invoice.order.name(),
            "amount_minor": invoice.amount.minor(),
            "state": convert::invoice::state(&invoice.state).as_str_name(),
            "version": invoice.version,
        }),
    };
    audit::record(tx, now, entry).await?;
    Ok(())
}
