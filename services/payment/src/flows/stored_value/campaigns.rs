//! Campaigns are made, changed and looked up.

use kernel::{
    Error, Result,
    ids::{StoreId, TopUpCampaignId},
};
use proto::payment::v1 as pb;
use rpc::{
    Caller, Ctx,
    convert::optional_timestamp,
    paging::{Listing, PageRequest, time_key},
};
use serde_json::json;

use super::{
    edit::{Edit, Started},
    events,
};
use crate::{
    App, db,
    domain::{etag, stored_value::Campaign},
    rpc::convert::stored_value as convert,
};

/// Makes a campaign.
///
/// # Errors
/// `InvalidArgument` with the wrong fields; `PermissionDenied` for staff bound to a store.
pub async fn create(app: &App, ctx: Ctx, request: pb::CreateTopUpCampaignRequest) -> Result<pb::TopUpCampaign> {
    let mut edit = match Edit::begin(app, &ctx, &request, &request.request_id).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    whole_chain(&ctx.caller)?;
    let wanted = request.campaign.unwrap_or_default();
    let campaign = convert::new_campaign(TopUpCampaignId::new(edit.now), &wanted, edit.now)?;
    campaign.validate()?;
    db::stored_value::campaigns::insert(&mut edit.tx, &campaign).await?;
    store(edit, campaign, "top_up_campaign.create").await
}

/// Changes name, end and caps of a campaign.
///
/// # Errors
/// `NotFound`; `ETAG_MISMATCH`; as [`create`].
pub async fn update(app: &App, ctx: Ctx, request: pb::UpdateTopUpCampaignRequest) -> Result<pb::TopUpCampaign> {
    let mut edit = match Edit::begin(app, &ctx, &request, &request.request_id).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    whole_chain(&ctx.caller)?;
    let wanted = request.campaign.unwrap_or_default();
    let id = TopUpCampaignId::parse_name("campaign.name", &wanted.name)?;
    let known = db::stored_value::campaigns::lock(&mut edit.tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    etag::check("campaign.etag", &wanted.etag, known.version)?;
    let campaign = Campaign {
        display_name: wanted.display_name.clone(),
        end_time: optional_timestamp("campaign.end_time", wanted.end_time.as_ref())?,
        per_card: convert::count(wanted.per_card),
        budget: convert::optional_money("campaign.budget", wanted.budget.as_ref())?,
        version: known.version + 1,
        ..known
    };
    campaign.validate()?;
    db::stored_value::campaigns::update(&mut edit.tx, &campaign).await?;
    store(edit, campaign, "top_up_campaign.update").await
}

async fn store(mut edit: Edit, campaign: Campaign, action: &str) -> Result<pb::TopUpCampaign> {
    events::campaign_changed(&mut edit.tx, edit.now, &campaign).await?;
    let detail = json!({
        "threshold_minor": campaign.threshold.minor(),
        "bonus_minor": campaign.bonus.minor(),
        "budget_minor": campaign.budget.map(|budget| budget.minor()),
        "end_time": campaign.end_time.map(|at| at.to_string()),
        "currency": campaign.currency().code(),
    });
    edit.note(action, campaign.id.name(), detail).await?;
    edit.finish(convert::campaign(&campaign)).await
}

/// That the caller works for the whole chain: what he does holds for all stores.
pub(super) fn whole_chain(caller: &Caller) -> Result<()> {
    if caller.bound_store().is_some() {
        return Err(Error::denied("only staff of the whole chain can do this"));
    }
    caller.see_own(None, None)
}

/// A page of campaigns, the newest first, and the token of the next one. Staff bound to a store get that store's and those
/// of the chain.
///
/// # Errors
/// `InvalidArgument` for a bad page.
pub async fn list(app: &App, ctx: Ctx, request: pb::ListTopUpCampaignsRequest) -> Result<(Vec<Campaign>, String)> {
    let given = !request.store.is_empty();
    let store = given.then(|| StoreId::parse_name("store", &request.store)).transpose()?;
    let store = store.or(ctx.caller.bound_store());
    let listing = Listing::new(ctx.method).with(store.map(StoreId::name).unwrap_or_default());
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let mut conn = app.pg.conn().await?;
    let campaigns = db::stored_value::campaigns::list(&mut conn, store, page.after_time()?, page.limit()).await?;
    Ok(page.cut(campaigns, |last| time_key(last.create_time, last.id.uuid())))
}
