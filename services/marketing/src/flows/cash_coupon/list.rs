//! Lists a member's cash coupons.

use kernel::{Result, ids::MemberId};
use rpc::Caller;

use crate::{App, db, domain::cash_coupon::CashCoupon, flows::Page};

/// A page of a member's cash coupons, the newest first.
///
/// # Errors
/// `NotFound` for another's.
pub async fn list_cash_coupons(app: &App, caller: &Caller, customer: MemberId, page: Page) -> Result<Vec<CashCoupon>> {
    caller.see_own(Some(customer), None)?;
    Ok(db::cash_coupon::list(&mut *app.pg.conn().await?, customer, page.after, page.limit).await?)
}
