//! Reading a checkout.

use kernel::{Result, ids::CheckoutId};
use proto::payment::v1 as pb;
use rpc::Ctx;

use super::seen;
use crate::{App, db, flows::no_such_order, rpc::convert};

/// Reads a checkout.
///
/// # Errors
/// `NotFound`, also for a member who asks for another's; `PermissionDenied` for staff of another store.
pub async fn get_checkout(app: &App, ctx: Ctx, request: pb::GetCheckoutRequest) -> Result<pb::Checkout> {
    let id = CheckoutId::parse_name("name", &request.name)?;
    let order = seen(app, &ctx, id).await?;
    let read = db::orders::get(&mut *app.pg.conn().await?, order).await?.ok_or_else(|| no_such_order(order))?;
    convert::checkout::checkout(&read, id)
}
