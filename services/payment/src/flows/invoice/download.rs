//! Somebody wants the file of an invoice.

use bytes::Bytes;
use kernel::{Error, Result};
use proto::payment::v1 as pb;
use rpc::Ctx;

use super::{
    offered,
    read::{find, note},
};
use crate::{App, peers::invoicing::FapiaoKey};

/// The file of an invoice that was issued: a PDF, as the provider keeps it.
///
/// # Errors
/// `NotFound`, also for a member who asks for another's; `PermissionDenied` for staff of another store;
/// `INVOICE_NOT_ISSUED`; `Unavailable`.
pub async fn download_invoice(app: &App, ctx: Ctx, request: pb::DownloadInvoiceRequest) -> Result<Bytes> {
    let invoice = find(app, &ctx.caller, &request.name).await?;
    if invoice.issue().is_none() {
        return Err(Error::precondition("INVOICE_NOT_ISSUED", "the invoice is not issued yet; read it again later"));
    }
    let file = offered(app)?.file(&FapiaoKey::from(&invoice)).await?;
    note(app, &ctx.caller, &invoice, "payment.invoice.download").await?;
    Ok(file)
}
