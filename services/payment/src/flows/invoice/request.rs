//! Somebody asks for an invoice.

use kernel::{
    Currency, Error, Money, Result,
    ids::{InvoiceId, OrderId},
};
use pg::{
    idempotency::{self, Begin},
    vault::Vault,
};
use proto::payment::v1 as pb;
use rpc::{Ctx, convert::money};

use super::{offered, publish};
use crate::{
    App, db,
    domain::{
        Subject,
        invoice::{Buyer, Invoice, Taxation, invoiceable},
    },
    flows::no_such_order,
    rpc::convert,
};

/// Asks for an invoice of what was paid and is not invoiced yet, or of a part of it. The worker has it issued.
///
/// # Errors
/// `NotFound`; `PermissionDenied` for staff of another store; `NOTHING_TO_INVOICE`; `INVOICES_NOT_OFFERED`, also in another
/// currency than yuan; `InvalidArgument` for a buyer or an amount that can't be.
pub async fn request_invoice(app: &App, ctx: Ctx, request: pb::RequestInvoiceRequest) -> Result<pb::Invoice> {
    let id = OrderId::parse_name("order", &request.order)?;
    let given = request.buyer.clone().unwrap_or_default();
    let buyer = Buyer::try_new(&given.title, &given.tax_id, &given.email)?;
    let wanted = request.amount.as_ref().map(|amount| money("amount", Some(amount))).transpose()?;
    let key = convert::key(&ctx, &request.request_id)?;
    let owner = db::orders::owner(&mut *app.pg.conn().await?, id).await?.ok_or_else(|| no_such_order(id))?;
    ctx.caller.see_own(Some(owner.0), Some(owner.1))?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &blinded(&app.vault, request)).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let order = db::orders::lock(&mut tx, id).await?.ok_or_else(|| no_such_order(id))?;
    let invoicing = offered(app)?;
    if order.currency() != Currency::CNY {
        return Err(super::not_offered());
    }
    let standing = db::invoices::of_order(&mut tx, id).await?;
    let standing = standing.iter().filter(|invoice| invoice.stands()).map(|invoice| invoice.amount);
    let by_hand = db::payouts::of_price(&mut tx, id, order.currency()).await?;
    let left = invoiceable(&order)?.try_sub(by_hand)?.try_sub(Money::try_sum(order.currency(), standing)?)?;
    let taxation = match order.subject {
        Subject::Visit(_) => Taxation::Taxed { basis_points: app.policy.invoice_tax_basis_points },
        // What is paid ahead is invoiced now and not when it is spent, which pays nothing.
        Subject::TopUp(_) | Subject::Contract(_) => Taxation::NotTaxable,
        // What the store has not earned, and only passes on, it can't invoice.
        Subject::Tip(_) => {
            return Err(Error::precondition("NOTHING_TO_INVOICE", "a tip is its therapist's, and not invoiced"));
        }
    };
    let invoice = Invoice::request(InvoiceId::new(now), &order, (left, wanted), taxation, now)?;
    let transaction = db::invoices::transaction_for(&mut tx, id, invoicing.provider(), invoice.amount).await?;
    let invoice = Invoice { transaction, ..invoice };
    db::invoices::insert(&mut tx, &app.vault, &invoice, &buyer).await?;
    publish(&mut tx, now, ctx.caller.subject(), &invoice).await?;
    let reply = convert::invoice::invoice(&invoice, None);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.invoice.requested");
    Ok(reply)
}

/// The request with what is personal in it made unreadable: a digest of it is kept.
fn blinded(vault: &Vault, mut request: pb::RequestInvoiceRequest) -> pb::RequestInvoiceRequest {
    if let Some(buyer) = &mut request.buyer {
        let all = format!("{}\n{}\n{}", buyer.title, buyer.tax_id, buyer.email);
        let digest = vault.blind_index("payment invoice request", &all);
        let title = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        *buyer = pb::InvoiceBuyer { title, ..pb::InvoiceBuyer::default() };
    }
    request
}
