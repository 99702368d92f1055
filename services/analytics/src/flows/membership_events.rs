//! Members and points.

use feed::Event;
use kernel::{
    Result,
    ids::{MemberId, StoreId},
};
use pg::Tx;
use proto::membership::v1 as pb;

use super::optional;
use crate::{
    App, db,
    domain::fact::{MemberFact, PointsChange, PointsFact},
};

/// Draws the facts from an event of the membership service.
pub async fn record(app: &App, tx: &mut Tx, event: &Event) -> Result<()> {
    if let Some(registered) = event.decode::<pb::MemberRegistered>()? {
        let fact = MemberFact {
            member: app.pseudonym(MemberId::parse_name("member", &registered.member)?),
            store: optional("store", &registered.store, StoreId::parse_name)?,
            register_time: event.occur_time,
        };
        db::membership::insert_member(tx, &fact).await?;
    } else if let Some(points) = points(app, event)? {
        db::membership::insert_points(tx, &points).await?;
    }
    Ok(())
}

fn points(app: &App, event: &Event) -> Result<Option<PointsFact>> {
    let (change, member, store, points) = if let Some(earned) = event.decode::<pb::PointsEarned>()? {
        (PointsChange::Earned, earned.member, earned.store, earned.points)
    } else if let Some(revoked) = event.decode::<pb::PointsRevoked>()? {
        (PointsChange::Revoked, revoked.member, revoked.store, revoked.points)
    } else if let Some(expired) = event.decode::<pb::PointsExpired>()? {
        (PointsChange::Expired, expired.member, String::new(), expired.points)
    } else {
        return Ok(None);
    };
    Ok(Some(PointsFact {
        event: event.id,
        member: app.pseudonym(MemberId::parse_name("member", &member)?),
        store: optional("store", &store, StoreId::parse_name)?,
        change,
        points,
        change_time: event.occur_time,
    }))
}
