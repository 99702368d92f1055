//! Lists a member's coupons.

use kernel::{Result, ids::MemberId};
use rpc::Caller;

use super::{Page, first_visit};
use crate::{
    App, db,
    domain::{coupon::Coupon, quote::Standing},
};

/// A page of a member's coupons, the newest first, each with what can be done with it now.
pub async fn list_coupons(
    app: &App,
    caller: &Caller,
    customer: MemberId,
    page: Page,
) -> Result<Vec<(Coupon, Standing)>> {
    caller.see_own(Some(customer), None)?;
    let now = app.clock.now();
    let mut conn = app.pg.conn().await?;
    first_visit::give(app, &mut conn, customer, now).await?;
    let visited = db::visit::visited(&mut conn, customer).await?;
    let coupons = db::coupon::list(&mut conn, customer, page.after, page.limit).await?;
    let with_standing = |coupon: Coupon| {
        let standing = coupon.standing(visited, now);
        (coupon, standing)
    };
    Ok(coupons.into_iter().map(with_standing).collect())
}
