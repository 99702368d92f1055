//! Cards and lots are looked up.

use kernel::{
    Error, Result,
    ids::{CardId, MemberId, StoreId},
};
use proto::payment::v1 as pb;
use rpc::{
    Ctx,
    paging::{Listing, PageRequest, time_key},
};

use super::known;
use crate::{
    App, db,
    db::stored_value::cards::Filter,
    domain::stored_value::{Card, Lot, is_number},
    rpc::convert::stored_value as convert,
};

/// Reads a card.
///
/// # Errors
/// `NotFound`, also for a member who asks for another's; `PermissionDenied` for staff of a store where it can't be used.
pub async fn get_card(app: &App, ctx: Ctx, request: pb::GetCardRequest) -> Result<pb::Card> {
    let card = known(app, &ctx.caller, CardId::parse_name("name", &request.name)?).await?;
    convert::card(&card, app.clock.now())
}

/// A page of cards, the newest first, and the token of the next one. Members get their own, staff bound to a store those
/// that can be used there.
///
/// # Errors
/// As for [`get_card`] if the filter asks for what the caller may not see; `InvalidArgument` for a bad page or number.
pub async fn list_cards(app: &App, ctx: Ctx, request: pb::ListCardsRequest) -> Result<(Vec<Card>, String)> {
    let given = |name: &str| !name.is_empty();
    let holder = given(&request.holder).then(|| MemberId::parse_name("holder", &request.holder)).transpose()?;
    let store = given(&request.store).then(|| StoreId::parse_name("store", &request.store)).transpose()?;
    let holder = holder.or(ctx.caller.member());
    let store = store.or(ctx.caller.bound_store());
    ctx.caller.see_own(holder, store)?;
    if given(&request.number) && !is_number(&request.number) {
        return Err(Error::invalid(
            "number",
            "must be the 16 digits of a card, of which the last one checks the others",
        ));
    }
    let number = given(&request.number).then(|| request.number.clone());
    let state = convert::stored_state(request.state());
    let listing = Listing::new(ctx.method)
        .with(holder.map(MemberId::name).unwrap_or_default())
        .with(store.map(StoreId::name).unwrap_or_default())
        .with(&request.number)
        .with(state.unwrap_or_default());
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let filter = Filter { holder, store, number, state, after: page.after_time()? };
    let cards = db::stored_value::cards::list(&mut *app.pg.conn().await?, &filter, page.limit()).await?;
    Ok(page.cut(cards, |last| time_key(last.create_time, last.id.uuid())))
}

/// A page of a card's lots, the newest first, and the token of the next one.
///
/// # Errors
/// As for [`get_card`]; `InvalidArgument` for a bad page.
pub async fn list_lots(app: &App, ctx: Ctx, request: pb::ListCardLotsRequest) -> Result<(Vec<Lot>, String)> {
    let card = known(app, &ctx.caller, CardId::parse_name("parent", &request.parent)?).await?;
    let listing = Listing::new(ctx.method).with(&request.parent);
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let mut conn = app.pg.conn().await?;
    let lots = db::stored_value::cards::list_lots(&mut conn, &card, page.after_time()?, page.limit()).await?;
    Ok(page.cut(lots, |last| time_key(last.create_time, last.id.uuid())))
}
