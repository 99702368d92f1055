//! Gives points back whose order was refunded.

use kernel::{Money, Result, Uuid, crash, ids::PointsRedemptionId};
use proto::membership::v1 as pb;

use super::{locked, note, take_back_due, to_redemption};
use crate::{
    App, db,
    domain::redemption,
    flows::{once::reused, publish::publish},
};

/// Gives back as many points as `amount` of their worth stands for, once for each `id`.
///
/// # Errors
/// `NotFound`; `REDEMPTION_NOT_COMMITTED`, `RETURN_EXCEEDS_REDEMPTION`; `InvalidArgument`, also with reason
/// `REQUEST_ID_REUSED`.
pub async fn return_points(app: &App, of: PointsRedemptionId, id: Uuid, amount: Money) -> Result<pb::PointsRedemption> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let (mut member, mut redemption) = locked(&mut tx, of).await?;
    if let Some((known, minor)) = db::redemption::returned(&mut tx, id).await? {
        return if (known, minor) == (of, amount.minor()) { Ok(to_redemption(&redemption)) } else { Err(reused()) };
    }
    let points = redemption.give_back(amount)?;
    let shares = db::redemption::shares(&mut tx, of).await?;
    let at_least = now + app.policy.returned_points();
    for (share, back) in shares.iter().zip(redemption::spread(&shares, points)?) {
        if back > 0 {
            let until = db::redemption::give_back(&mut tx, of, share.lot, back, at_least).await?;
            note(&mut tx, &redemption, (share.lot, back), Some(until), now).await?;
        }
    }
    if !db::redemption::note_return(&mut tx, id, &redemption, amount, points, now).await? {
        return Err(reused());
    }
    if points > 0 {
        let (member_name, source) = (member.id.name(), redemption.order.name());
        let returned = pb::PointsReturned { member: member_name, points, source, redemption: of.name() };
        publish(&mut tx, &mut member, &returned, now).await?;
        take_back_due(&mut tx, &mut member, &shares, now).await?;
    }
    tx.commit().await?;
    crash::point("membership.points.returned");
    Ok(to_redemption(&redemption))
}
