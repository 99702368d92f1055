//! Sets points aside.

use jiff::SignedDuration;
use kernel::{
    Error, Money, Result, Timestamp, crash,
    ids::{MemberId, OrderId, PointsRedemptionId, parse_uuid},
};
use proto::membership::v1 as pb;
use rpc::convert::{money, timestamp};

use super::to_redemption;
use crate::{
    App, db,
    domain::redemption::{self, Redemption, State},
    flows::once::reused,
};

/// The longest that points are set aside.
const LONGEST: SignedDuration = SignedDuration::from_hours(60 * 24);

/// What is asked for.
struct Wanted {
    id: PointsRedemptionId,
    member: MemberId,
    order: OrderId,
    worth: Money,
    total: Money,
    expire_time: Timestamp,
}

impl Wanted {
    fn read(request: &pb::ReservePointsRequest, now: Timestamp) -> Result<Self> {
        let expire_time = timestamp("expire_time", request.expire_time.as_ref())?;
        if expire_time <= now || expire_time > now + LONGEST {
            return Err(Error::invalid("expire_time", "must be in the future, at most 60 days ahead"));
        }
        Ok(Self {
            id: PointsRedemptionId::from_uuid(parse_uuid("redemption_id", &request.redemption_id)?),
            member: MemberId::parse_name("member", &request.member)?,
            order: OrderId::parse_name("order", &request.order)?,
            worth: money("worth", request.worth.as_ref())?,
            total: money("order_total", request.order_total.as_ref())?,
            expire_time,
        })
    }

    fn is(&self, known: &Redemption) -> bool {
        (known.member, known.order) == (self.member, self.order) && known.worth == self.worth
    }
}

/// Sets points aside for a part of an order, or finds what an earlier call has set aside.
///
/// # Errors
/// `NotFound` for an unknown member; `INSUFFICIENT_POINTS`, `REDEMPTION_SHARE_EXCEEDED`, `REDEMPTION_ENDED`;
/// `InvalidArgument`, also with reason `REQUEST_ID_REUSED`.
pub async fn reserve_points(app: &App, request: &pb::ReservePointsRequest) -> Result<pb::PointsRedemption> {
    let now = app.clock.now();
    let wanted = Wanted::read(request, now)?;
    let mut tx = app.pg.begin().await?;
    db::member::lock(&mut tx, wanted.member).await?.ok_or_else(|| Error::not_found(wanted.member))?;
    if let Some(known) = db::redemption::get(&mut tx, wanted.id).await? {
        return answer(&known, &wanted);
    }
    let terms = app.policy.redemption_terms()?;
    let points = terms.points_for(wanted.worth)?;
    let before = db::redemption::paid_of(&mut tx, wanted.order, wanted.worth.currency()).await?;
    terms.check_share(wanted.worth, before, wanted.total)?;
    let taken = redemption::take(&db::redemption::open_lots(&mut tx, wanted.member, now).await?, points)?;
    let made = Redemption {
        id: wanted.id,
        member: wanted.member,
        order: wanted.order,
        points,
        worth: wanted.worth,
        returned: 0,
        returned_worth: Money::zero(wanted.worth.currency()),
        state: State::Reserved,
        create_time: now,
        expire_time: wanted.expire_time,
    };
    if !db::redemption::insert(&mut tx, &made).await? {
        return Err(reused());
    }
    db::redemption::reserve(&mut tx, made.id, &taken).await?;
    tx.commit().await?;
    crash::point("membership.points.reserved");
    Ok(to_redemption(&made))
}

/// What is known by the id of a request.
fn answer(known: &Redemption, wanted: &Wanted) -> Result<pb::PointsRedemption> {
    match known.state {
        // One that was voided before it was made knows nothing of its worth.
        State::Voided | State::Expired if known.member == wanted.member => Err(redemption::ended(known.id)),
        _ if !wanted.is(known) => Err(reused()),
        _ => Ok(to_redemption(known)),
    }
}
