//! Points that were set aside are spent, or free again.

use kernel::{
    Error, Result, Timestamp, crash,
    ids::{MemberId, OrderId, PointsRedemptionId},
};
use pg::Tx;
use proto::membership::v1 as pb;

use super::{locked, note, take_back_due, to_redemption};
use crate::{
    App, db,
    domain::{
        member::Member,
        redemption::{Redemption, State},
    },
    flows::{once::reused, publish::publish},
};

/// The points are spent.
///
/// # Errors
/// `NotFound`; `REDEMPTION_ENDED`.
pub async fn commit_points(app: &App, id: PointsRedemptionId) -> Result<pb::PointsRedemption> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let (mut member, mut redemption) = locked(&mut tx, id).await?;
    if redemption.commit()? {
        db::redemption::decide(&mut tx, &redemption, now).await?;
        db::redemption::spend(&mut tx, id).await?;
        for share in db::redemption::shares(&mut tx, id).await? {
            note(&mut tx, &redemption, (share.lot, -share.points), None, now).await?;
        }
        let spent = pb::PointsSpent {
            member: member.id.name(),
            points: redemption.points,
            source: redemption.order.name(),
            redemption: id.name(),
        };
        publish(&mut tx, &mut member, &spent, now).await?;
        db::member::save(&mut tx, &member).await?;
        tx.commit().await?;
        crash::point("membership.points.committed");
    }
    Ok(to_redemption(&redemption))
}

/// The points are free again; one that is not known is void from now on.
///
/// # Errors
/// `NotFound` for an unknown member; `REDEMPTION_COMMITTED`; `REQUEST_ID_REUSED` if the redemption is another member's.
pub async fn void_points(
    app: &App,
    id: PointsRedemptionId,
    member: MemberId,
    order: OrderId,
) -> Result<pb::PointsRedemption> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let mut locked = db::member::lock(&mut tx, member).await?.ok_or_else(|| Error::not_found(member))?;
    let redemption = match db::redemption::get(&mut tx, id).await? {
        Some(known) if known.member != member => return Err(reused()),
        Some(mut known) => {
            free(&mut tx, &mut locked, &mut known, State::Voided, now).await?;
            known
        }
        None => {
            let void = Redemption::void(id, member, order, app.policy.currency()?, now);
            if !db::redemption::insert(&mut tx, &void).await? {
                return Err(reused());
            }
            void
        }
    };
    tx.commit().await?;
    crash::point("membership.points.voided");
    Ok(to_redemption(&redemption))
}

/// Frees what was set aside of a member whom this transaction has locked.
pub(super) async fn free(
    tx: &mut Tx,
    member: &mut Member,
    of: &mut Redemption,
    to: State,
    now: Timestamp,
) -> Result<()> {
    if of.free(to)? {
        db::redemption::decide(tx, of, now).await?;
        db::redemption::free(tx, of.id).await?;
        let shares = db::redemption::shares(tx, of.id).await?;
        take_back_due(tx, member, &shares, now).await?;
    }
    Ok(())
}
