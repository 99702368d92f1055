//! Rules and reviews, to be read.

use kernel::{
    Error, Result,
    ids::{RiskReviewId, RiskRuleId, StoreId},
};
use proto::payment::v1 as pb;
use rpc::{
    Ctx,
    paging::{Listing, PageRequest, time_key},
};

use crate::{
    App, db,
    db::risk::ReviewFilter,
    domain::risk::{Review, Rule},
};

/// Reads a rule.
///
/// # Errors
/// `NotFound`.
pub async fn get_rule(app: &App, _: Ctx, request: pb::GetRiskRuleRequest) -> Result<Rule> {
    let id = RiskRuleId::parse_name("name", &request.name)?;
    db::risk::get_rule(&mut *app.pg.conn().await?, id).await?.ok_or_else(|| Error::not_found(id))
}

/// A page of rules, the newest first, and the token of the next one.
///
/// # Errors
/// `InvalidArgument` for a bad page.
pub async fn list_rules(app: &App, ctx: Ctx, request: pb::ListRiskRulesRequest) -> Result<(Vec<Rule>, String)> {
    let page = PageRequest::parse(request.page_size, &request.page_token, Listing::new(ctx.method))?;
    let rules = db::risk::list_rules(&mut *app.pg.conn().await?, page.after_time()?, page.limit()).await?;
    Ok(page.cut(rules, |last| time_key(last.create_time, last.id.uuid())))
}

/// Reads a review.
///
/// # Errors
/// `NotFound`; `PermissionDenied` for another store.
pub async fn get_review(app: &App, ctx: Ctx, request: pb::GetReviewRequest) -> Result<Review> {
    let id = RiskReviewId::parse_name("name", &request.name)?;
    let review = db::risk::get_review(&mut *app.pg.conn().await?, id).await?.ok_or_else(|| Error::not_found(id))?;
    ctx.caller.see_own(None, Some(review.store))?;
    Ok(review)
}

/// A page of reviews, the newest first, and the token of the next one.
///
/// # Errors
/// `PermissionDenied` for another store; `InvalidArgument` for a bad page.
pub async fn list_reviews(app: &App, ctx: Ctx, request: pb::ListReviewsRequest) -> Result<(Vec<Review>, String)> {
    use pb::risk_review::State;
    let given = !request.store.is_empty();
    let store = given.then(|| StoreId::parse_name("store", &request.store)).transpose()?;
    let store = store.or(ctx.caller.bound_store());
    ctx.caller.see_own(None, store)?;
    let state = match request.state() {
        State::Unspecified => None,
        State::Open => Some("open"),
        State::Approved => Some("approved"),
        State::Rejected => Some("rejected"),
        State::Refused => Some("refused"),
    };
    let listing = Listing::new(ctx.method).with(store.map(StoreId::name).unwrap_or_default());
    let listing = listing.with(state.unwrap_or_default());
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let filter = ReviewFilter { state, store, after: page.after_time()? };
    let reviews = db::risk::list_reviews(&mut *app.pg.conn().await?, filter, page.limit()).await?;
    Ok(page.cut(reviews, |last| time_key(last.create_time, last.id.uuid())))
}
