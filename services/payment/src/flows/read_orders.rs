//! Reading orders and balances.

use kernel::{
    Result,
    ids::{MemberId, OrderId, StoreId},
};
use proto::payment::v1 as pb;
use rpc::{
    Ctx,
    paging::{Listing, PageRequest, time_key},
};

use super::no_such_order;
use crate::{
    App, db,
    db::{ledger::Balance, orders::Filter},
    domain::Order,
};

/// Reads an order.
///
/// # Errors
/// `NotFound`, also for a member who asks for another's; `PermissionDenied` for staff of another store.
pub async fn get_order(app: &App, ctx: Ctx, request: pb::GetOrderRequest) -> Result<Order> {
    let id = OrderId::parse_name("name", &request.name)?;
    let order = db::orders::get(&mut *app.pg.conn().await?, id).await?.ok_or_else(|| no_such_order(id))?;
    ctx.caller.see_own(Some(order.customer), Some(order.store))?;
    Ok(order)
}

/// A page of orders, the newest first, and the token of the next one. Members get their own, staff bound to a store
/// that store's.
///
/// # Errors
/// As for [`get_order`] if the filter asks for what the caller may not see; `InvalidArgument` for a bad page.
pub async fn list_orders(app: &App, ctx: Ctx, request: pb::ListOrdersRequest) -> Result<(Vec<Order>, String)> {
    let given = |name: &str| !name.is_empty();
    let customer = given(&request.customer).then(|| MemberId::parse_name("customer", &request.customer)).transpose()?;
    let store = given(&request.store).then(|| StoreId::parse_name("store", &request.store)).transpose()?;
    let customer = customer.or(ctx.caller.member());
    let store = store.or(ctx.caller.bound_store());
    ctx.caller.see_own(customer, store)?;

    let listing = Listing::new(ctx.method)
        .with(customer.map(MemberId::name).unwrap_or_default())
        .with(store.map(StoreId::name).unwrap_or_default());
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let filter = Filter { customer, store, after: page.after_time()? };
    let orders = db::orders::list(&mut *app.pg.conn().await?, filter, page.limit()).await?;
    Ok(page.cut(orders, |last| time_key(last.create_time, last.id.uuid())))
}

/// A page of balances, by account and currency, and the token of the next one.
///
/// # Errors
/// `InvalidArgument` for a bad page.
pub async fn list_ledger_accounts(
    app: &App,
    ctx: Ctx,
    request: pb::ListLedgerAccountsRequest,
) -> Result<(Vec<Balance>, String)> {
    let page = PageRequest::parse(request.page_size, &request.page_token, Listing::new(ctx.method))?;
    let after = page.after().and_then(|key| key.split_once('/'));
    let balances = db::ledger::balances(&mut *app.pg.conn().await?, after, page.limit()).await?;
    Ok(page.cut(balances, |last| format!("{}/{}", last.account, last.amount.currency())))
}
