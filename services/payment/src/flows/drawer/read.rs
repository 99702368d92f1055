//! Drawers are looked up and summed up.

use kernel::{
    Error, Money, Result,
    ids::{DrawerId, StoreId},
};
use proto::payment::v1 as pb;
use rpc::{
    Ctx,
    paging::{Listing, PageRequest, time_key},
};

use super::sees_expected;
use crate::{
    App, db,
    db::drawers::{Counted, Filter, Total, moved},
    domain::drawer::{Drawer, State},
    rpc::convert,
};

/// The most counts that a report has.
const MOST_COUNTS: i64 = 100;

/// A drawer, and all that came and went in it.
#[derive(Debug)]
pub struct Report {
    /// The drawer.
    pub drawer: Drawer,
    /// What should be in it now, or should have been at its closing.
    pub expected: Money,
    /// What came and went, by kind.
    pub totals: Vec<Total>,
    /// What was counted while it was open, the oldest first.
    pub counts: Vec<Counted>,
}

/// Reads a drawer.
///
/// # Errors
/// `NotFound`; `PermissionDenied` for staff of another store.
pub async fn get_drawer(app: &App, ctx: Ctx, request: pb::GetDrawerRequest) -> Result<pb::Drawer> {
    let id = DrawerId::parse_name("name", &request.name)?;
    let report = look(app, &ctx, id).await?;
    let told = sees_expected(&ctx.caller).then_some(report.expected);
    convert::drawer::drawer(&report.drawer, told)
}

/// Sums up a drawer.
///
/// # Errors
/// As [`get_drawer`]; `DRAWER_OPEN` for whoever counts it blindly.
pub async fn get_report(app: &App, ctx: Ctx, request: pb::GetDrawerReportRequest) -> Result<Report> {
    let id = DrawerId::parse_name("name", &request.name)?;
    let report = look(app, &ctx, id).await?;
    if report.drawer.state == State::Open && !sees_expected(&ctx.caller) {
        return Err(Error::precondition("DRAWER_OPEN", "the report can be read once the drawer is closed"));
    }
    Ok(report)
}

async fn look(app: &App, ctx: &Ctx, id: DrawerId) -> Result<Report> {
    // Drawer and movements as of one moment: what is closed in between would be half of each.
    let mut tx = app.pg.begin().await?;
    sqlx::raw_sql("set transaction isolation level repeatable read, read only")
        .execute(&mut *tx)
        .await
        .map_err(pg::Error::from)?;
    let drawer = db::drawers::get(&mut tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    ctx.caller.see_own(None, Some(drawer.store))?;
    let totals = db::drawers::totals(&mut tx, &drawer).await?;
    let counts = db::drawers::counts(&mut tx, &drawer, MOST_COUNTS).await?;
    tx.rollback().await?;
    let expected = match &drawer.state {
        State::Open => drawer.expected(moved(drawer.currency(), &totals)?)?,
        State::Closed(closing) => closing.expected,
    };
    Ok(Report { drawer, expected, totals, counts })
}

/// A page of drawers, the one opened last first, and the token of the next one. Staff bound to a store get that store's.
///
/// # Errors
/// `PermissionDenied` for staff of another store; `InvalidArgument` for a bad page.
pub async fn list_drawers(app: &App, ctx: Ctx, request: pb::ListDrawersRequest) -> Result<(Vec<Drawer>, String)> {
    let given = !request.store.is_empty();
    let store = given.then(|| StoreId::parse_name("store", &request.store)).transpose()?;
    let store = store.or(ctx.caller.bound_store());
    ctx.caller.see_own(None, store)?;
    let open = match request.state() {
        pb::drawer::State::Unspecified => None,
        pb::drawer::State::Open => Some(true),
        pb::drawer::State::Closed => Some(false),
    };
    let listing = Listing::new(ctx.method)
        .with(store.map(StoreId::name).unwrap_or_default())
        .with(open.map(|open| open.to_string()).unwrap_or_default());
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let filter = Filter { store, open, after: page.after_time()? };
    let drawers = db::drawers::list(&mut *app.pg.conn().await?, filter, page.limit()).await?;
    Ok(page.cut(drawers, |last| time_key(last.open_time, last.id.uuid())))
}
