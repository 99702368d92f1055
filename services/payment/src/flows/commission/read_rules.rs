//! Rules, to be read.

use kernel::{Error, Result, ids::CommissionRuleId};
use proto::payment::v1 as pb;
use rpc::{
    Ctx,
    paging::{Listing, PageRequest},
};

use crate::{App, db, db::commission::RuleFilter, domain::commission::Rule};

/// Reads a rule, in use or not.
///
/// # Errors
/// `NotFound`.
pub async fn get_rule(app: &App, _: Ctx, request: pb::GetCommissionRuleRequest) -> Result<Rule> {
    let id = CommissionRuleId::parse_name("name", &request.name)?;
    let rule = db::commission::get_rule(&mut *app.pg.conn().await?, id).await?;
    rule.ok_or_else(|| Error::not_found(id))
}

/// A page of rules, the newest first, and the token of the next one.
///
/// # Errors
/// `InvalidArgument` for a bad page.
pub async fn list_rules(app: &App, ctx: Ctx, request: pb::ListCommissionRulesRequest) -> Result<(Vec<Rule>, String)> {
    let listing = Listing::new(ctx.method).with(request.show_retired.to_string());
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let filter = RuleFilter { retired: request.show_retired, after: page.after_id()? };
    let rules = db::commission::list_rules(&mut *app.pg.conn().await?, filter, page.limit()).await?;
    Ok(page.cut(rules, |last| last.id.uuid().to_string()))
}
