//! Settlement lists, to be read.

use kernel::{
    Error, Result,
    ids::{CommissionSettlementId, StoreId},
};
use pg::PgConnection;
use proto::payment::v1 as pb;
use rpc::{
    Ctx,
    paging::{Listing, PageRequest, time_key},
};

use crate::{
    App, db,
    db::commission::ExportRow,
    domain::commission::{Settlement, SettlementLine},
};

/// Reads a list with its lines.
///
/// # Errors
/// `NotFound`; `PermissionDenied` for another store.
pub async fn get_settlement(
    app: &App,
    ctx: Ctx,
    request: pb::GetSettlementRequest,
) -> Result<(Settlement, Vec<SettlementLine>)> {
    let mut conn = app.pg.conn().await?;
    let settlement = seen(&mut conn, &ctx, &request.name).await?;
    let lines = db::commission::settlement_lines(&mut conn, &settlement).await?;
    Ok((settlement, lines))
}

/// Reads all that is in a list, by payee and time.
///
/// # Errors
/// `NotFound`; `PermissionDenied` for another store.
pub async fn export_settlement(app: &App, ctx: Ctx, request: pb::ExportSettlementRequest) -> Result<Vec<ExportRow>> {
    let mut conn = app.pg.conn().await?;
    let settlement = seen(&mut conn, &ctx, &request.name).await?;
    Ok(db::commission::export_rows(&mut conn, &settlement).await?)
}

/// A page of lists, the newest first, and the token of the next one.
///
/// # Errors
/// `PermissionDenied` for another store; `InvalidArgument` for a bad page.
pub async fn list_settlements(
    app: &App,
    ctx: Ctx,
    request: pb::ListSettlementsRequest,
) -> Result<(Vec<Settlement>, String)> {
    let given = !request.store.is_empty();
    let store = given.then(|| StoreId::parse_name("store", &request.store)).transpose()?;
    let store = store.or(ctx.caller.bound_store());
    ctx.caller.see_own(None, store)?;
    let listing = Listing::new(ctx.method).with(store.map(StoreId::name).unwrap_or_default());
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let mut conn = app.pg.conn().await?;
    let lists = db::commission::list_settlements(&mut conn, store, page.after_time()?, page.limit()).await?;
    Ok(page.cut(lists, |last| time_key(last.create_time, last.id.uuid())))
}

async fn seen(conn: &mut PgConnection, ctx: &Ctx, name: &str) -> Result<Settlement> {
    let id = CommissionSettlementId::parse_name("name", name)?;
    let settlement = db::commission::get_settlement(conn, id).await?.ok_or_else(|| Error::not_found(id))?;
    ctx.caller.see_own(None, Some(settlement.store))?;
    Ok(settlement)
}
