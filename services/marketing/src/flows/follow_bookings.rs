//! What booking tells: where each visit is in its life. Coupons and messages follow.
//!
//! Every version of a booking has one event, and each tells the whole state. So the newest version decides, and an event
//! that comes after a newer one is old news: a confirmation that comes after its cancellation sends nothing.

use std::sync::Arc;

use ::rpc::convert::timestamp;
use feed::{Consumer, Event};
use kernel::{Result, crash};
use pg::Tx;
use prost::{Message, Name};
use proto::booking::v1 as pb;

use super::{
    apply_coupon,
    schedule_messages::{self, News},
};
use crate::{App, db, rpc::convert::read_visit};

/// Reads booking's feed.
#[derive(Debug)]
pub struct FollowBookings(pub Arc<App>);

impl Consumer for FollowBookings {
    const NAME: &'static str = "marketing";

    async fn apply(&self, tx: &mut Tx, event: &Event) -> Result<()> {
        if let Some(offered) = event.decode::<pb::WaitlistOffered>()? {
            return self.offer(tx, event, &offered).await;
        }
        let Some(facts) = facts(event)? else { return Ok(()) };
        let visit = read_visit(&facts)?;
        let known = db::visit::known(tx, visit.booking).await?;
        if !db::visit::note(tx, &visit, event.aggregate_version).await? {
            return Ok(());
        }
        let now = self.0.clock.now();
        apply_coupon::follow(tx, &visit, now).await?;
        let by_store = event.type_name == pb::BookingMoved::full_name();
        let news = News { visit: &visit, version: event.aggregate_version, known: known.as_ref(), by_store };
        schedule_messages::follow(&self.0, tx, &news, now).await?;
        crash::point("marketing.visit.applied");
        Ok(())
    }
}

impl FollowBookings {
    async fn offer(&self, tx: &mut Tx, event: &Event, offered: &pb::WaitlistOffered) -> Result<()> {
        let Some(facts) = &offered.booking else { return Ok(()) };
        let visit = read_visit(facts)?;
        let until = timestamp("offer_expire_time", offered.offer_expire_time.as_ref())?;
        let known = db::visit::known(tx, visit.booking).await?;
        let news = News { visit: &visit, version: event.aggregate_version, known: known.as_ref(), by_store: true };
        schedule_messages::offer(&self.0, tx, &news, until, self.0.clock.now()).await
    }
}

/// The facts of an event about a booking; `None` if it is about something else.
fn facts(event: &Event) -> Result<Option<pb::BookingFacts>> {
    let told = [
        of::<pb::BookingHeld>(event, |told| told.booking)?,
        of::<pb::BookingAwaitingPayment>(event, |told| told.booking)?,
        of::<pb::BookingConfirmed>(event, |told| told.booking)?,
        of::<pb::HoldExtended>(event, |told| told.booking)?,
        of::<pb::BookingRescheduled>(event, |told| told.booking)?,
        of::<pb::BookingMoved>(event, |told| told.booking)?,
        of::<pb::BookingExtended>(event, |told| told.booking)?,
        of::<pb::BookingCheckedIn>(event, |told| told.booking)?,
        of::<pb::BookingStarted>(event, |told| told.booking)?,
        of::<pb::BookingCompleted>(event, |told| told.booking)?,
        of::<pb::BookingCancelled>(event, |told| told.booking)?,
        of::<pb::BookingNoShow>(event, |told| told.booking)?,
        of::<pb::BookingExpired>(event, |told| told.booking)?,
    ];
    Ok(told.into_iter().flatten().next())
}

fn of<M: Message + Name + Default>(
    event: &Event,
    booking: fn(M) -> Option<pb::BookingFacts>,
) -> Result<Option<pb::BookingFacts>> {
    Ok(event.decode::<M>()?.and_then(booking))
}
