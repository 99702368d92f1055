//! Points that pay a part of an order: payment asks for them, and tells what became of them.
//!
//! A redemption has the id of its payment, which makes every call safe to repeat: it is answered as it is by then. All of
//! it happens under the member's lock.

pub mod decide;
pub mod expire;
pub mod give_back;
pub mod reserve;

use kernel::{
    Error, Result, Timestamp,
    ids::{PointsLotId, PointsRedemptionId, uuid_v7},
};
use pg::Tx;
use proto::membership::v1 as pb;
use rpc::convert::{to_money, to_timestamp};

use crate::{
    App, db,
    domain::{
        member::Member,
        points::{Entry, EntryKind},
        redemption::{Redemption, Share, State},
    },
    flows::payment_feed::revoke,
};

/// Reads a redemption with its member's lock. `NotFound` if there is none.
async fn locked(tx: &mut Tx, id: PointsRedemptionId) -> Result<(Member, Redemption)> {
    let found = db::redemption::get(tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    let member = db::member::lock(tx, found.member).await?.ok_or_else(|| Error::not_found(found.member))?;
    // Somebody may have decided while we waited for the lock.
    let redemption = db::redemption::get(tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    Ok((member, redemption))
}

/// Writes that points of a lot were spent for an order, or came back of it.
async fn note(
    tx: &mut Tx,
    of: &Redemption,
    (lot, points): (PointsLotId, i64),
    expire_time: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    let entry = Entry {
        id: uuid_v7(now),
        member: of.member,
        lot,
        order: of.order,
        kind: if points > 0 { EntryKind::Returned } else { EntryKind::Spent },
        points,
        create_time: now,
        expire_time,
    };
    Ok(db::points::insert_entry(tx, &entry).await?)
}

/// Takes back at once what is due of the orders that the points came of, now that they are there again: refunding an order
/// while its points pay another must not leave them with the member.
async fn take_back_due(tx: &mut Tx, member: &mut Member, shares: &[Share], now: Timestamp) -> Result<()> {
    for share in shares {
        if let Some(mut purchase) = db::purchase::get(tx, share.earned_by).await? {
            revoke(tx, member, &mut purchase, now).await?;
            db::purchase::save(tx, &purchase).await?;
        }
    }
    Ok(db::member::save(tx, member).await?)
}

/// A redemption for the wire.
fn to_redemption(of: &Redemption) -> pb::PointsRedemption {
    use pb::points_redemption::State as Wire;
    let state = match of.state {
        State::Reserved => Wire::Reserved,
        State::Committed => Wire::Committed,
        State::Voided => Wire::Voided,
        State::Expired => Wire::Expired,
    };
    pb::PointsRedemption {
        name: of.id.name(),
        member: of.member.name(),
        order: of.order.name(),
        points: of.points,
        worth: Some(to_money(of.worth)),
        state: state.into(),
        returned_points: of.returned,
        expire_time: Some(to_timestamp(of.expire_time)),
    }
}

/// What points are worth now.
///
/// # Errors
/// Internal, if the policy is not valid.
pub fn terms(app: &App) -> Result<pb::RedemptionTerms> {
    let terms = app.policy.redemption_terms()?;
    Ok(pb::RedemptionTerms {
        points: terms.points,
        worth: Some(to_money(terms.worth)),
        max_share_basis_points: i32::try_from(terms.max_share).map_err(Error::internal)?,
    })
}
