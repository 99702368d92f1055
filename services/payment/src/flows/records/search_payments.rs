//! Payments are found, page by page.

use kernel::Result;
use proto::payment::v1 as pb;
use rpc::{
    Ctx,
    paging::{Listing, PageRequest, time_key},
};

use crate::{
    App, db,
    db::records::{Filter, PaymentRecord},
    rpc::convert::records as convert,
};

/// A page of payments, the newest first, and the token of the next one. Members find their own, staff bound to a store
/// those of that store.
///
/// # Errors
/// `InvalidArgument` naming the field of the filter, or for a bad page; `NotFound` for a member who asks for another's;
/// `PermissionDenied` for staff of another store.
pub async fn search_payments(
    app: &App,
    ctx: Ctx,
    request: pb::SearchPaymentsRequest,
) -> Result<(Vec<PaymentRecord>, String)> {
    let filter = within_reach(&ctx, convert::read_filter(request.filter.as_ref())?)?;
    let listing = Listing::new(ctx.method).with(format!("{filter:?}"));
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let after = page.after_time()?;
    let mut found = db::records::search(&mut *app.pg.conn().await?, &filter, after, page.limit()).await?;
    if ctx.caller.member().is_some() {
        // What a provider keeps of our money is no customer's business.
        found.iter_mut().for_each(|record| record.fee = None);
    }
    Ok(page.cut(found, |last| time_key(last.create_time, last.id.uuid())))
}

/// The filter within what the caller may see.
pub(super) fn within_reach(ctx: &Ctx, filter: Filter) -> Result<Filter> {
    let customer = filter.customer.or(ctx.caller.member());
    let store = filter.store.or(ctx.caller.bound_store());
    ctx.caller.see_own(customer, store)?;
    Ok(Filter { customer, store, ..filter })
}
