//! The figures of a store, day by day.

use kernel::{Error, Result, ids::StoreId};
use rpc::Ctx;

use crate::{
    App, db,
    domain::{DailyFigures, Period},
};

/// A line for each day of `period`, days without any event included.
///
/// # Errors
/// `PermissionDenied` for staff bound to another store; `NotFound` for a store that was never heard of.
pub async fn list_daily_figures(app: &App, ctx: &Ctx, store: StoreId, period: Period) -> Result<Vec<DailyFigures>> {
    ctx.caller.see_own(None, Some(store))?;
    let mut conn = app.pg.conn().await?;
    let store = db::store::get(&mut conn, store).await?.ok_or_else(|| Error::not_found(store))?;
    Ok(db::figures::daily(&mut conn, &store, period).await?)
}
