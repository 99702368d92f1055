//! Payouts are looked up.

use kernel::{
    Result,
    ids::{MemberId, StoreId},
};
use proto::payment::v1 as pb;
use rpc::{
    Ctx,
    paging::{Listing, PageRequest, time_key},
};

use crate::{App, db, db::payouts::Filter, domain::payout::Payout, rpc::convert::payout as convert};

/// A page of payouts, the newest first, and the token of the next one. Members get their own, staff bound to a store those
/// that it owes.
///
/// # Errors
/// `NotFound` or `PermissionDenied` if the filter asks for what the caller may not see; `InvalidArgument` for a bad page.
pub async fn list_payouts(app: &App, ctx: Ctx, request: pb::ListPayoutsRequest) -> Result<(Vec<Payout>, String)> {
    let given = |name: &str| !name.is_empty();
    let payee = given(&request.payee).then(|| MemberId::parse_name("payee", &request.payee)).transpose()?;
    let store = given(&request.store).then(|| StoreId::parse_name("store", &request.store)).transpose()?;
    let payee = payee.or(ctx.caller.member());
    let store = store.or(ctx.caller.bound_store());
    ctx.caller.see_own(payee, store)?;
    let state = convert::stored_state(request.state());
    let listing = Listing::new(ctx.method)
        .with(payee.map(MemberId::name).unwrap_or_default())
        .with(store.map(StoreId::name).unwrap_or_default())
        .with(state.unwrap_or_default());
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let filter = Filter { payee, store, state, after: page.after_time()? };
    let payouts = db::payouts::list(&mut *app.pg.conn().await?, filter, page.limit()).await?;
    Ok(page.cut(payouts, |last| time_key(last.create_time, last.id.uuid())))
}
