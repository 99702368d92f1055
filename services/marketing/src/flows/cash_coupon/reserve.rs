//! Sets a coupon aside.

use jiff::SignedDuration;
use kernel::{
    Error, Money, Result, Timestamp, crash,
    ids::{CouponId, CouponRedemptionId, MemberId, OrderId, parse_uuid},
};
use proto::marketing::v1 as pb;
use rpc::convert::{money, timestamp};

use super::{reused, tell};
use crate::{
    App, db,
    domain::cash_coupon::{Fate, Redemption, ended},
    rpc::convert::to_redemption,
};

/// The longest that a coupon is set aside.
const LONGEST: SignedDuration = SignedDuration::from_hours(60 * 24);

/// Sets a coupon aside for a part of an order, or finds what an earlier call has set aside.
///
/// # Errors
/// `NotFound`, also for another's coupon; those of
/// [`reserve`](crate::domain::cash_coupon::CashCoupon::reserve); `REDEMPTION_ENDED`, `REQUEST_ID_REUSED`.
pub async fn reserve_coupon(app: &App, request: &pb::ReserveCouponRequest) -> Result<pb::CouponRedemption> {
    let now = app.clock.now();
    let (wanted, customer, total) = read(request, now)?;
    let mut tx = app.pg.begin().await?;
    let coupon = db::cash_coupon::lock(&mut tx, wanted.coupon).await?.filter(|coupon| coupon.customer == customer);
    let coupon = coupon.ok_or_else(|| Error::not_found(wanted.coupon))?;
    if let Some(known) = db::cash_coupon::redemption(&mut tx, wanted.id).await? {
        return answer(&known, &wanted);
    }
    let reserved = coupon.reserve(&wanted, total, now)?;
    if !db::cash_coupon::insert_redemption(&mut tx, &wanted).await? {
        return Err(reused());
    }
    db::cash_coupon::save(&mut tx, &reserved).await?;
    tell(&mut tx, &reserved, Some(wanted.order), now).await?;
    tx.commit().await?;
    crash::point("marketing.coupon.reserved");
    Ok(to_redemption(&wanted))
}

fn read(request: &pb::ReserveCouponRequest, now: Timestamp) -> Result<(Redemption, MemberId, Money)> {
    let expire_time = timestamp("expire_time", request.expire_time.as_ref())?;
    if expire_time <= now || expire_time > now + LONGEST {
        return Err(Error::invalid("expire_time", "must be in the future, at most 60 days ahead"));
    }
    let wanted = Redemption {
        id: CouponRedemptionId::from_uuid(parse_uuid("redemption_id", &request.redemption_id)?),
        coupon: CouponId::parse_name("coupon", &request.coupon)?,
        order: OrderId::parse_name("order", &request.order)?,
        amount: money("amount", request.amount.as_ref())?,
        state: Fate::Reserved,
        create_time: now,
        expire_time,
    };
    let customer = MemberId::parse_name("customer", &request.customer)?;
    Ok((wanted, customer, money("order_total", request.order_total.as_ref())?))
}

/// What is known by the id of a request.
fn answer(known: &Redemption, wanted: &Redemption) -> Result<pb::CouponRedemption> {
    match known.state {
        // One that was voided before it was made knows nothing of its amount.
        Fate::Voided | Fate::Expired if known.coupon == wanted.coupon => Err(ended(known.id)),
        _ if (known.coupon, known.order, known.amount) != (wanted.coupon, wanted.order, wanted.amount) => Err(reused()),
        _ => Ok(to_redemption(known)),
    }
}
