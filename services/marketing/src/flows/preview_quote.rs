//! Prices a visit without keeping anything.

use kernel::{Result, ids::CouponId};
use rpc::Caller;

use super::first_visit;
use crate::{
    App, db,
    domain::{
        coupon::FIRST_VISIT,
        quote::{Priced, Wanted, reckon},
    },
};

/// What a visit would cost now.
pub async fn preview_quote(app: &App, caller: &Caller, wanted: &Wanted) -> Result<Priced> {
    caller.see_own(Some(wanted.customer), Some(wanted.store))?;
    let now = app.clock.now();
    let mut conn = app.pg.conn().await?;
    first_visit::give(app, &mut conn, wanted.customer, now).await?;
    let coupon = db::coupon::get(&mut conn, CouponId::derive(wanted.customer.uuid(), FIRST_VISIT)).await?;
    let candidate = first_visit::candidate(app, &mut conn, wanted.customer, coupon.as_ref(), now).await?;
    let tier = db::member::tier(&mut conn, wanted.customer).await?;
    let candidates: Vec<_> = candidate.into_iter().collect();
    reckon(wanted.list_price, tier, app.policy.tier_reduction(tier), &candidates)
}
