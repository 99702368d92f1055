//! Reading invoices. That staff have read one with its buyer is recorded.

use kernel::{
    ErrorKind, Result,
    ids::{InvoiceId, MemberId, OrderId, StoreId},
};
use pg::audit::{self, Entry};
use proto::payment::v1 as pb;
use rpc::{
    Caller, Ctx,
    paging::{Listing, PageRequest, time_key},
};
use serde_json::json;

use super::no_such_invoice;
use crate::{
    App, db,
    db::invoices::Filter,
    domain::invoice::{Buyer, Invoice},
};

/// Reads an invoice with its buyer, who is `None` if that was erased.
///
/// # Errors
/// `NotFound`, also for a member who asks for another's; `PermissionDenied` for staff of another store.
pub async fn get_invoice(app: &App, ctx: Ctx, request: pb::GetInvoiceRequest) -> Result<(Invoice, Option<Buyer>)> {
    let invoice = find(app, &ctx.caller, &request.name).await?;
    let buyer = db::invoices::buyer(&mut *app.pg.conn().await?, &app.vault, invoice.id).await;
    let buyer = match buyer.map_err(kernel::Error::from) {
        Ok(buyer) => Some(buyer),
        Err(error) if error.kind() == ErrorKind::FailedPrecondition => None,
        Err(error) => return Err(error),
    };
    note(app, &ctx.caller, &invoice, "payment.invoice.read").await?;
    Ok((invoice, buyer))
}

/// A page of invoices, the newest first, and the token of the next one. Members get their own, staff bound to a store that
/// store's.
///
/// # Errors
/// As for [`get_invoice`] if the filter asks for what the caller may not see; `InvalidArgument` for a bad page.
pub async fn list_invoices(app: &App, ctx: Ctx, request: pb::ListInvoicesRequest) -> Result<(Vec<Invoice>, String)> {
    let given = |name: &str| !name.is_empty();
    let order = given(&request.order).then(|| OrderId::parse_name("order", &request.order)).transpose()?;
    let customer = given(&request.customer).then(|| MemberId::parse_name("customer", &request.customer)).transpose()?;
    let store = given(&request.store).then(|| StoreId::parse_name("store", &request.store)).transpose()?;
    let customer = customer.or(ctx.caller.member());
    let store = store.or(ctx.caller.bound_store());
    ctx.caller.see_own(customer, store)?;

    let listing = Listing::new(ctx.method)
        .with(order.map(OrderId::name).unwrap_or_default())
        .with(customer.map(MemberId::name).unwrap_or_default())
        .with(store.map(StoreId::name).unwrap_or_default());
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let filter = Filter { order, customer, store, after: page.after_time()? };
    let invoices = db::invoices::list(&mut *app.pg.conn().await?, filter, page.limit()).await?;
    Ok(page.cut(invoices, |last| time_key(last.create_time, last.id.uuid())))
}

/// The invoice of that name, if the caller may see it.
pub(super) async fn find(app: &App, caller: &Caller, name: &str) -> Result<Invoice> {
    let id = InvoiceId::parse_name("name", name)?;
    let found = db::invoices::get(&mut *app.pg.conn().await?, id).await?;
    let invoice = found.ok_or_else(|| no_such_invoice(id))?;
    caller.see_own(Some(invoice.customer), Some(invoice.store))?;
    Ok(invoice)
}

/// Records that staff have read something of an invoice.
pub(super) async fn note(app: &App, caller: &Caller, invoice: &Invoice, action: &str) -> Result<()> {
    if caller.member().is_some() {
        return Ok(());
    }
    let entry = Entry {
        actor: caller.subject().to_owned(),
        action: action.to_owned(),
        target: invoice.id.name(),
        detail: json!({ "order": invoice.order.name() }),
    };
    let mut tx = app.pg.begin().await?;
    audit::record(&mut tx, app.clock.now(), entry).await?;
    Ok(tx.commit().await?)
}
