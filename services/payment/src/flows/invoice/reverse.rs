//! Staff have an invoice red-lettered.

use kernel::{Result, ids::InvoiceId};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::Ctx;

use super::{no_such_invoice, read::find, record};
use crate::{App, db, flows::no_such_order, rpc::convert};

/// Has an invoice red-lettered. From now on it counts for nothing; the worker has it done. The same again changes nothing.
///
/// # Errors
/// `NotFound`; `PermissionDenied` for staff of another store; `INVOICE_ENDED`.
pub async fn reverse_invoice(app: &App, ctx: Ctx, request: pb::ReverseInvoiceRequest) -> Result<pb::Invoice> {
    let id = InvoiceId::parse_name("name", &request.name)?;
    let reason = convert::invoice::read_reason(request.reason())?;
    let key = convert::key(&ctx, &request.request_id)?;
    let order = find(app, &ctx.caller, &request.name).await?.order;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    db::orders::lock(&mut tx, order).await?.ok_or_else(|| no_such_order(order))?;
    let before = db::invoices::get(&mut tx, id).await?.ok_or_else(|| no_such_invoice(id))?;
    let asked = db::invoices::was_tried(&mut tx, id).await?;
    let after = before.clone().reverse(reason, asked, now)?;
    record(&mut tx, now, ctx.caller.subject(), &before, &after).await?;
    let reply = convert::invoice::invoice(&after, None);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.invoice.reversed");
    Ok(reply)
}
