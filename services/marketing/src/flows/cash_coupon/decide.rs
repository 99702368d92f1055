//! A coupon that was set aside is used, or free again; and one that was used comes back.

use kernel::{
    Error, Money, Result, Timestamp, crash,
    ids::{CouponId, CouponRedemptionId, MemberId, OrderId},
};
use pg::Tx;
use proto::marketing::v1 as pb;

use super::{reused, tell};
use crate::{
    App, db,
    domain::cash_coupon::{CashCoupon, Fate, Redemption, ended},
    rpc::convert::to_redemption,
};

/// The coupon is used.
///
/// # Errors
/// `NotFound`; `REDEMPTION_ENDED`.
pub async fn commit_coupon(app: &App, id: CouponRedemptionId) -> Result<pb::CouponRedemption> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let (coupon, redemption) = locked(&mut tx, id).await?;
    let redemption = match redemption.state {
        Fate::Reserved => settle(&mut tx, coupon.redeem(id)?, redemption, Fate::Committed, now).await?,
        Fate::Committed | Fate::Returned => redemption,
        Fate::Voided | Fate::Expired => return Err(ended(id)),
    };
    tx.commit().await?;
    crash::point("marketing.coupon.committed");
    Ok(to_redemption(&redemption))
}

/// The coupon is free again; a redemption that is not known is void from now on.
///
/// # Errors
/// `NotFound` if the member has no such coupon; `REDEMPTION_COMMITTED`; `REQUEST_ID_REUSED` if the redemption is of
/// another coupon.
pub async fn void_coupon(
    app: &App,
    id: CouponRedemptionId,
    coupon: CouponId,
    customer: MemberId,
    order: OrderId,
) -> Result<pb::CouponRedemption> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let locked = db::cash_coupon::lock(&mut tx, coupon).await?.filter(|locked| locked.customer == customer);
    let locked = locked.ok_or_else(|| Error::not_found(coupon))?;
    let redemption = match db::cash_coupon::redemption(&mut tx, id).await? {
        Some(known) if known.coupon != coupon => return Err(reused()),
        Some(known) => match known.state {
            Fate::Reserved => settle(&mut tx, locked.free(id)?, known, Fate::Voided, now).await?,
            Fate::Voided | Fate::Expired => known,
            Fate::Committed | Fate::Returned => {
                let text = "the coupon is used; give it back by a refund";
                return Err(Error::precondition("REDEMPTION_COMMITTED", text).with("redemption", id));
            }
        },
        None => {
            let (amount, state) = (Money::zero(locked.amount.currency()), Fate::Voided);
            let void = Redemption { id, coupon, order, amount, state, create_time: now, expire_time: now };
            if !db::cash_coupon::insert_redemption(&mut tx, &void).await? {
                return Err(reused());
            }
            void
        }
    };
    tx.commit().await?;
    crash::point("marketing.coupon.voided");
    Ok(to_redemption(&redemption))
}

/// A used coupon comes back whole.
///
/// # Errors
/// `NotFound`; `REDEMPTION_NOT_COMMITTED`.
pub async fn return_coupon(app: &App, id: CouponRedemptionId) -> Result<pb::CouponRedemption> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let (coupon, redemption) = locked(&mut tx, id).await?;
    let redemption = match redemption.state {
        Fate::Committed => {
            let back = coupon.give_back(id, now + app.policy.returned_coupon())?;
            settle(&mut tx, back, redemption, Fate::Returned, now).await?
        }
        Fate::Returned => redemption,
        Fate::Reserved | Fate::Voided | Fate::Expired => {
            let text = "only a coupon that is used comes back";
            return Err(Error::precondition("REDEMPTION_NOT_COMMITTED", text).with("redemption", id));
        }
    };
    tx.commit().await?;
    crash::point("marketing.coupon.returned");
    Ok(to_redemption(&redemption))
}

/// Frees a coupon of which nobody has decided in time. False if somebody has after all.
pub(super) async fn expire_one(app: &App, id: CouponRedemptionId) -> Result<bool> {
    let mut tx = app.pg.begin().await?;
    let (coupon, redemption) = locked(&mut tx, id).await?;
    if redemption.state != Fate::Reserved {
        return Ok(false);
    }
    settle(&mut tx, coupon.free(id)?, redemption, Fate::Expired, app.clock.now()).await?;
    tx.commit().await?;
    Ok(true)
}

/// Reads a redemption with its coupon's lock.
async fn locked(tx: &mut Tx, id: CouponRedemptionId) -> Result<(CashCoupon, Redemption)> {
    let missing = || Error::not_found(id);
    let found = db::cash_coupon::redemption(tx, id).await?.ok_or_else(missing)?;
    let coupon = db::cash_coupon::lock(tx, found.coupon).await?.ok_or_else(missing)?;
    // Somebody may have decided while we waited for the lock.
    Ok((coupon, db::cash_coupon::redemption(tx, id).await?.ok_or_else(missing)?))
}

async fn settle(
    tx: &mut Tx,
    coupon: CashCoupon,
    redemption: Redemption,
    to: Fate,
    now: Timestamp,
) -> Result<Redemption> {
    let redemption = Redemption { state: to, ..redemption };
    db::cash_coupon::save(tx, &coupon).await?;
    db::cash_coupon::decide(tx, &redemption, now).await?;
    tell(tx, &coupon, Some(redemption.order), now).await?;
    Ok(redemption)
}
