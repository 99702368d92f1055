//! Orders that were paid and given back: points and spend.

use std::sync::Arc;

use feed::{Consumer, Event};
use kernel::{
    Error, Money, Result, Timestamp, crash,
    ids::{MemberId, OrderId, PointsLotId, StoreId, uuid_v7},
};
use pg::Tx;
use proto::{
    membership::v1 as pb,
    payment::v1::{self as payment, OrderPaid, RefundSucceeded},
};
use rpc::convert::{money, to_timestamp};

use super::{publish::publish, review_tier::settle_tier};
use crate::{
    App, db,
    domain::{
        member::Member,
        points::{self, Entry, EntryKind, Purchase},
    },
};

/// Reads payment's feed.
#[derive(Debug)]
pub struct PaymentFeed(pub Arc<App>);

impl Consumer for PaymentFeed {
    const NAME: &'static str = "membership";

    async fn apply(&self, tx: &mut Tx, event: &Event) -> Result<()> {
        let (facts, paid) = match event.decode::<OrderPaid>()? {
            Some(paid) => (paid.order, true),
            None => match event.decode::<RefundSucceeded>()? {
                Some(refund) => (refund.order, false),
                None => return Ok(()),
            },
        };
        let facts = facts.ok_or_else(|| Error::internal("an event of an order has no order"))?;
        if facts.booking.is_empty() {
            // What is paid ahead earns when it is spent on a visit.
            return Ok(());
        }
        let facts = Facts::read(facts)?;
        apply(&self.0, tx, &facts, event, paid).await?;
        crash::point("membership.points.applied");
        Ok(())
    }
}

/// What is read of an order.
struct Facts {
    order: OrderId,
    member: MemberId,
    store: StoreId,
    total: Money,
    paid: Money,
    refunded: Money,
}

impl Facts {
    fn read(facts: payment::OrderFacts) -> Result<Self> {
        Ok(Self {
            order: OrderId::parse_name("order", &facts.order)?,
            member: MemberId::parse_name("customer", &facts.customer)?,
            store: StoreId::parse_name("store", &facts.store)?,
            total: money("total", facts.total.as_ref())?,
            paid: money("paid", facts.paid.as_ref())?,
            refunded: money("refunded", facts.refunded.as_ref())?,
        })
    }
}

async fn apply(app: &App, tx: &mut Tx, facts: &Facts, event: &Event, paid: bool) -> Result<()> {
    let now = app.clock.now();
    let Some(mut member) = db::member::lock(tx, facts.member).await? else {
        tracing::warn!(order = %facts.order, customer = %facts.member, "an order of nobody we know earns nothing");
        return Ok(());
    };
    // A refund may be read before the payment that it gives back: then it is kept until that comes.
    let known = db::purchase::get(tx, facts.order).await?;
    let mut purchase = known.unwrap_or_else(|| Purchase {
        order: facts.order,
        member: facts.member,
        store: facts.store,
        total: facts.total,
        net: Money::zero(facts.total.currency()),
        order_version: 0,
        points_rate: app.policy.points_per_100_major,
        points_earned: 0,
        points_revoked: 0,
        pay_time: None,
    });
    purchase.update(facts.paid, facts.refunded, event.aggregate_version)?;
    if paid && purchase.pay_time.is_none() {
        purchase.pay_time = Some(event.occur_time);
        purchase.points_rate = app.policy.points_per_100_major;
        purchase.points_earned = points::earned(purchase.total, purchase.points_rate);
        db::purchase::save(tx, &purchase).await?;
        earn(app, tx, &mut member, &purchase, event.occur_time, now).await?;
    }
    revoke(tx, &mut member, &mut purchase, now).await?;
    db::purchase::save(tx, &purchase).await?;
    settle_tier(app, tx, &mut member, now).await?;
    db::member::save(tx, &member).await?;
    Ok(())
}

async fn earn(
    app: &App,
    tx: &mut Tx,
    member: &mut Member,
    purchase: &Purchase,
    pay_time: Timestamp,
    now: Timestamp,
) -> Result<()> {
    if purchase.points_earned == 0 {
        return Ok(());
    }
    let lot = PointsLotId::new(now);
    let expire_time = pay_time + app.policy.points();
    db::points::insert_lot(tx, lot, member.id, purchase.order, purchase.points_earned, now, expire_time).await?;
    let entry = Entry {
        id: uuid_v7(now),
        member: member.id,
        lot,
        order: purchase.order,
        kind: EntryKind::Earned,
        points: purchase.points_earned,
        create_time: now,
        expire_time: Some(expire_time),
    };
    db::points::insert_entry(tx, &entry).await?;
    let earned = pb::PointsEarned {
        member: member.id.name(),
        points: purchase.points_earned,
        source: purchase.order.name(),
        store: purchase.store.name(),
        expire_time: Some(to_timestamp(expire_time)),
    };
    Ok(publish(tx, member, &earned, now).await?)
}

/// Takes back what is due of an order that was refunded, as far as there is something to take. The caller saves both.
pub(super) async fn revoke(tx: &mut Tx, member: &mut Member, purchase: &mut Purchase, now: Timestamp) -> Result<()> {
    let Some(own) = db::points::lot_of(tx, purchase.order).await? else { return Ok(()) };
    let due = purchase.points_due(own.expired);
    let taken = points::take(&db::points::open_lots(tx, member.id).await?, own.id, due);
    let points: i64 = taken.iter().map(|(_, points)| points).sum();
    if points == 0 {
        return Ok(());
    }
    for (lot, points) in taken {
        db::points::take(tx, lot, points).await?;
        let entry = Entry {
            id: uuid_v7(now),
            member: member.id,
            lot,
            order: purchase.order,
            kind: EntryKind::Revoked,
            points: -points,
            create_time: now,
            expire_time: None,
        };
        db::points::insert_entry(tx, &entry).await?;
    }
    purchase.points_revoked += points;
    let revoked = pb::PointsRevoked {
        member: member.id.name(),
        points,
        source: purchase.order.name(),
        store: purchase.store.name(),
    };
    Ok(publish(tx, member, &revoked, now).await?)
}
