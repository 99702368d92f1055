//! How much may be owed to all cards together.

use kernel::{Error, Money, Result, Uuid, ids::StoreId};
use proto::payment::v1 as pb;
use rpc::{
    Ctx,
    convert::money,
    paging::{Listing, PageRequest},
};
use serde_json::json;

use super::{
    campaigns::whole_chain,
    edit::{Edit, Started},
};
use crate::{
    App, db,
    domain::{etag, stored_value::Limit},
    rpc::convert::stored_value as convert,
};

/// Sets a limit.
///
/// # Errors
/// `InvalidArgument`; `ETAG_MISMATCH`; `PermissionDenied` for staff bound to a store.
pub async fn set(app: &App, ctx: Ctx, request: pb::SetLiabilityLimitRequest) -> Result<pb::LiabilityLimit> {
    let mut edit = match Edit::begin(app, &ctx, &request, &request.request_id).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    whole_chain(&ctx.caller)?;
    let wanted = request.limit.unwrap_or_default();
    let store = (!wanted.store.is_empty()).then(|| StoreId::parse_name("limit.store", &wanted.store)).transpose()?;
    let amount = money("limit.limit", wanted.limit.as_ref())?;
    if amount.is_negative() {
        return Err(Error::invalid("limit.limit", "must not be below zero"));
    }
    let currency = amount.currency();
    let known = db::stored_value::limits::lock(&mut edit.tx, store, currency).await?;
    let version = known.iter().find(|limit| limit.store == store).map_or(0, |limit| limit.version);
    etag::check("limit.etag", &wanted.etag, version)?;
    let limit = Limit { store, amount, update_time: edit.now, version: version + 1 };
    db::stored_value::limits::set(&mut edit.tx, &limit).await?;
    let owed = db::stored_value::limits::owed(&mut edit.tx, store, currency).await?;
    let target = store.map_or_else(|| "stores/-".to_owned(), StoreId::name);
    let detail = json!({ "limit_minor": amount.minor(), "currency": currency.code() });
    edit.note("liability_limit.set", target, detail).await?;
    edit.finish(convert::limit(&limit, owed)).await
}

/// A page of limits, each with what is owed, and the token of the next one.
///
/// # Errors
/// `InvalidArgument` for a bad page; `PermissionDenied` for staff of another store.
pub async fn list(
    app: &App,
    ctx: Ctx,
    request: pb::ListLiabilityLimitsRequest,
) -> Result<(Vec<(Limit, Money)>, String)> {
    let given = !request.store.is_empty();
    let store = given.then(|| StoreId::parse_name("store", &request.store)).transpose()?;
    let store = store.or(ctx.caller.bound_store());
    ctx.caller.see_own(None, store)?;
    let listing = Listing::new(ctx.method).with(store.map(StoreId::name).unwrap_or_default());
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let foreign = || Error::invalid("page_token", "must be one of this list");
    let after = match page.after() {
        Some(key) => {
            let (store, currency) = key.split_once('/').ok_or_else(foreign)?;
            Some((store.parse::<Uuid>().map_err(|_| foreign())?, currency.to_owned()))
        }
        None => None,
    };
    let mut conn = app.pg.conn().await?;
    let limits = db::stored_value::limits::list(&mut conn, store, after, page.limit()).await?;
    let key = |last: &Limit| {
        let store = last.store.map_or(Uuid::nil(), StoreId::uuid);
        format!("{store}/{}", last.amount.currency())
    };
    let (limits, next_page_token) = page.cut(limits, key);
    let mut with_owed = Vec::with_capacity(limits.len());
    for limit in limits {
        let owed = db::stored_value::limits::owed(&mut conn, limit.store, limit.amount.currency()).await?;
        with_owed.push((limit, owed));
    }
    Ok((with_owed, next_page_token))
}
