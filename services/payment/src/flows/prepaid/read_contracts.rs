//! Reading contracts.

use kernel::{
    Error, Result,
    ids::{ContractId, MemberId, StoreId},
};
use proto::payment::v1 as pb;
use rpc::{
    Ctx,
    paging::{Listing, PageRequest, time_key},
};

use crate::{
    App,
    db::{self, prepaid::Filter},
    rpc::convert::prepaid as convert,
};

/// Reads a contract.
///
/// # Errors
/// `NotFound`, also for a member who asks for another's; `PermissionDenied` for staff of another store.
pub async fn get_contract(app: &App, ctx: Ctx, request: pb::GetContractRequest) -> Result<pb::Contract> {
    let id = ContractId::parse_name("name", &request.name)?;
    let contract = db::prepaid::get(&mut *app.pg.conn().await?, id).await?.ok_or_else(|| Error::not_found(id))?;
    ctx.caller.see_own(Some(contract.holder), Some(contract.store))?;
    Ok(convert::contract(&contract, contract.day(app.clock.now())?))
}

/// A page of contracts, the newest first. Members get their own, staff bound to a store those that it sold.
///
/// # Errors
/// As for [`get_contract`] if the filter asks for what the caller may not see; `InvalidArgument` for a bad page.
pub async fn list_contracts(
    app: &App,
    ctx: Ctx,
    request: pb::ListContractsRequest,
) -> Result<pb::ListContractsResponse> {
    let given = |name: &str| !name.is_empty();
    let holder = given(&request.holder).then(|| MemberId::parse_name("holder", &request.holder)).transpose()?;
    let store = given(&request.store).then(|| StoreId::parse_name("store", &request.store)).transpose()?;
    let holder = holder.or(ctx.caller.member());
    let store = store.or(ctx.caller.bound_store());
    ctx.caller.see_own(holder, store)?;

    let listing = Listing::new(ctx.method)
        .with(holder.map(MemberId::name).unwrap_or_default())
        .with(store.map(StoreId::name).unwrap_or_default());
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let filter = Filter { holder, store, after: page.after_time()? };
    let contracts = db::prepaid::list(&mut *app.pg.conn().await?, filter, page.limit()).await?;
    let (contracts, next_page_token) = page.cut(contracts, |last| time_key(last.create_time, last.id.uuid()));
    let now = app.clock.now();
    let contracts = contracts.iter().map(|contract| Ok(convert::contract(contract, contract.day(now)?)));
    Ok(pb::ListContractsResponse { contracts: contracts.collect::<Result<_>>()?, next_page_token })
}
