//! Moves a visit to another time or therapist, as the customer wishes.
//!
//! The old time is given back and the new one taken in one transaction, so that the old one is kept until the new one is
//! secured, and may overlap it.
//!
//! The price is that of the new time, by the menu of today, with the reductions that were agreed on
//! ([`repriced`](crate::domain::pricing::repriced)); the order is amended by the difference, as for a visit that is made
//! longer. Where the menu makes no difference between the two times, the price stays as agreed, whatever it is by now.
//!
//! What was paid above a price that falls goes back. A payment that is under way just then comes to another sum than is
//! due: payment returns it whole, and the customer is asked for the lower balance. So each charge on his account is a sum
//! that he was shown and that the order had then, and none is kept in part.

use std::sync::Arc;

use kernel::{
    Error, Money, Result, Timestamp, crash,
    ids::{BookingId, TherapistId},
};
use pg::PgConnection;
use proto::{booking::v1 as pb, payment::v1::OrderLine};
use rpc::{Caller, convert::to_money};
use serde_json::json;
use tokio::sync::Mutex;

use super::{
    Once,
    change::{self, Begun},
    hold_slot::check_notice as check_store_notice,
    keep::{self, Keep, Plan, Wanted},
    order_tasks::{self, Ready},
    present_visit::{self, Present},
    record::{Happened, before},
    seek,
    sight::Sight,
};
use crate::{
    App,
    db::{self, locks::Name},
    domain::{
        availability::Assignment,
        booking::{Agreement, Booking, State, Wish},
        cancellation::Terms,
        pricing,
        span::{Minute, minute},
        visit::{ResourceKind, Visit},
    },
};

/// What is wished for.
#[derive(Debug, Clone, Copy)]
pub struct Reschedule {
    /// Which visit.
    pub booking: BookingId,
    /// When it shall start; as it does now if `None`.
    pub start_time: Option<Timestamp>,
    /// Who shall give it; `None` for the same therapist, or anybody if the customer never asked for one.
    pub therapist: Option<TherapistId>,
    /// Only if the visit costs no more than this then.
    pub max_price: Option<Money>,
}

/// Reschedules a visit. The end of a hold stays.
pub async fn reschedule_booking(
    app: &Arc<App>,
    caller: &Caller,
    once: Once<'_, pb::RescheduleBookingRequest>,
    wanted: Reschedule,
) -> Result<pb::Booking> {
    change::own(app, caller, wanted.booking).await?;
    let flow = Flow { app, caller, once: &once, wanted, task: Mutex::new(None) };
    let reply = keep::keep_once(app, &once, &flow).await?;
    crash::point("booking.reschedule.committed");
    if let Some(task) = flow.task.into_inner() {
        order_tasks::run_now(app, task).await;
    }
    Ok(reply)
}

/// Whether the caller may reschedule a booking now: a customer may, up to the last moment at which giving it up costs the
/// least, and never once the visit should have begun.
pub async fn check_notice(
    app: &App,
    conn: &mut PgConnection,
    caller: &Caller,
    booking: &Booking,
    now: Timestamp,
) -> Result<()> {
    booking.check_reschedule(now)?;
    if caller.member().is_none() {
        return Ok(());
    }
    if now >= booking.start_time {
        return Err(too_late(booking.start_time));
    }
    if booking.state != State::Confirmed {
        return Ok(());
    }
    let rule = db::policy::cancellation(conn, &app.policy, booking.store, booking.item).await?;
    match Terms::of(booking, Wish::Customer, &rule)?.cheapest_until() {
        Some(last) if now > last => Err(too_late(last)),
        _ => Ok(()),
    }
}

fn too_late(last: Timestamp) -> Error {
    Error::precondition("TOO_LATE", "it is too late to change the visit here; call the store").with("last_time", last)
}

/// What giving it up would cost the customer now: from here on it will not cost less.
async fn least_fee(app: &App, conn: &mut PgConnection, booking: &Booking, now: Timestamp) -> Result<Money> {
    let rule = db::policy::cancellation(conn, &app.policy, booking.store, booking.item).await?;
    let terms = Terms::of(booking, Wish::Customer, &rule)?;
    Ok(terms.at(now).map_or(booking.least_fee, |term| term.fee))
}

/// What a visit costs if it is given so and then, by the menu of today.
pub fn price_at(
    sight: &Sight,
    (booking, present): (&Booking, &Present),
    (visit, assignment, start): (&Visit, &Assignment, Minute),
) -> Result<Agreement> {
    let list_price = |visit: &Visit, assignment: &Assignment, start: Minute| {
        let served = sight.served(visit, assignment, start);
        present.chosen.price(&sight.store, &sight.zone, visit, start, &served)
    };
    let agreed = booking.agreement();
    // What is priced in another currency by now has no price of today for this visit.
    if present.chosen.check_currency(&sight.store).is_err() || sight.store.currency != agreed.price.currency() {
        return Ok(agreed);
    }
    let before = list_price(&present.visit, &present.assignment, minute(booking.start_time))?;
    let after = list_price(visit, assignment, start)?;
    if before == after {
        return Ok(agreed);
    }
    let price = pricing::repriced(booking, after)?;
    let list_price = if after.minor() < price.minor() { price } else { after };
    Ok(Agreement { list_price, price, ..agreed })
}

/// Whether the notice that a store wants of visits is wanted of this one, if the caller reschedules it: as when it is held.
pub fn wants_notice(caller: &Caller, booking: &Booking) -> bool {
    caller.member().is_some() || booking.partner.is_some()
}

/// The ways to serve a visit: with the same therapists, and, unless the customer asked for one by name, with anybody who is
/// as he wished. Whoever gives it now as staff wished, and is not like that, is none of them.
pub fn ways(booking: &Booking, present: &Present) -> Vec<Visit> {
    let whole = present.visit.clone().extended(i64::from(booking.extension_minutes));
    if booking.requested {
        return vec![with_same(whole, present)];
    }
    let whole = whole.wishing(0, &booking.wish);
    vec![with_same(whole.clone(), present), whole]
}

fn with_same(mut visit: Visit, present: &Present) -> Visit {
    keep::fix(&mut visit, &present.assignment, |kind| kind == ResourceKind::Therapist);
    visit
}

struct Flow<'a> {
    app: &'a App,
    caller: &'a Caller,
    once: &'a Once<'a, pb::RescheduleBookingRequest>,
    wanted: Reschedule,
    /// What has the order amended.
    task: Mutex<Option<Ready>>,
}

/// What a new time was planned from.
struct Basis {
    booking: Booking,
    agreed: Agreement,
}

impl Keep for Flow<'_> {
    type Basis = Basis;
    type Reply = pb::Booking;

    async fn plan(&self, conn: &mut PgConnection) -> Result<Option<(Plan, Basis)>> {
        let Reschedule { booking: id, start_time, therapist, max_price } = self.wanted;
        let booking = db::booking::get(&mut *conn, id).await?.ok_or_else(|| Error::not_found(id))?;
        check_notice(self.app, &mut *conn, self.caller, &booking, self.app.clock.now()).await?;
        let start_time = start_time.unwrap_or(booking.start_time);
        keep::check_start(self.app, start_time)?;
        let sight = self.app.sights.of(self.app, &mut *conn, booking.store).await?;
        if start_time != booking.start_time
            && wants_notice(self.caller, &booking)
            && let Err(refused) =
                check_store_notice(&sight, seek::bookable(self.app, &sight, false), minute(start_time))
        {
            return if self.app.sights.is_current(&mut *conn, &sight).await? { Err(refused) } else { Ok(None) };
        }
        let present = present_visit::read(&mut *conn, &booking, &[]).await?;
        let visits = match therapist {
            None => ways(&booking, &present),
            Some(therapist) => {
                // Whoever is asked for by name need not be like those who were wished for before.
                let mut visit = present.visit.clone().extended(i64::from(booking.extension_minutes));
                let theirs = |kind| kind == ResourceKind::Therapist;
                for demand in visit.demands.iter_mut().filter(|demand| theirs(demand.class.resource())) {
                    demand.wish = Some(therapist.uuid());
                }
                vec![visit]
            }
        };
        let start = minute(start_time);
        let wanted = Wanted {
            sight: &sight,
            customer: booking.customer,
            visits: &visits,
            start,
            without: &[id],
            overbook: false,
        };
        let Some(plan) = keep::plan(self.app, conn, wanted).await? else { return Ok(None) };
        let agreed = price_at(&sight, (&booking, &present), (&plan.visit, &plan.assignment, plan.start))?;
        check_price(agreed.price, max_price)?;
        Ok(Some((plan, Basis { booking, agreed })))
    }

    async fn carry_out(&self, plan: &Plan, basis: &Basis) -> Result<Option<pb::Booking>> {
        let now = self.app.clock.now();
        let planned = &basis.booking;
        // A partner's visit counts on the day on which it takes place.
        let day = |start| seek::day_of(&plan.sight, start);
        let stays = planned.partner.is_none() || day(plan.start) == day(minute(planned.start_time));
        let quota = plan.sight.policy.partner_quota.filter(|_| !stays);
        let names: Vec<_> = quota.map(|_| Name::Quota(planned.store)).into_iter().collect();
        let mut open = match change::begin_planned(self.app, self.once, planned, plan, &names, now).await? {
            None => return Ok(None),
            Some(Begun::Before(reply)) => return Ok(Some(reply)),
            Some(Begun::Now(open)) => open,
        };
        if quota.is_some() {
            seek::check_quota(&mut open.tx, &plan.sight, plan.start).await?;
        }
        // Time has gone on since the plan was made.
        check_notice(self.app, &mut open.tx, self.caller, planned, now).await?;
        let mut to = present_visit::placement(plan, planned)?;
        if self.wanted.therapist.is_some() {
            to.requested = true;
            to.assignment = "asked for by the customer".to_owned();
        } else if to.therapist != planned.therapist {
            to.assignment = "the therapist before can't at the new time".to_owned();
        }
        if !open.retake(plan).await? {
            open.tx.rollback().await?;
            return Ok(None);
        }
        let (before, actor) = (before(planned), self.caller.subject().to_owned());
        let least_fee = least_fee(self.app, &mut open.tx, planned, now).await?;
        let agreed = Agreement { least_fee, ..basis.agreed };
        let change = open.booking.clone().reschedule(to, agreed, now, &actor)?;
        open.hand_over(self.app, &change).await?;
        let difference = agreed.price.try_sub(planned.price)?;
        if !difference.is_zero() {
            let names = db::booking::names(&mut open.tx, planned).await?;
            let display_name = format!("{}: another time", names.item);
            let line = OrderLine {
                item: planned.item.name(),
                display_name,
                amount: Some(to_money(difference)),
                discount: None,
            };
            let task = order_tasks::amend_order(&mut open.tx, planned.id, &line, now).await?;
            *self.task.lock().await = Some(task);
        }
        let detail = json!({
            "from": planned.start_time.to_string(),
            "to": change.booking.start_time.to_string(),
            "price_minor": agreed.price.minor(),
        });
        let happened = Happened::Rescheduled { before, actor };
        open.finish(self.caller, &change, happened, ("booking.reschedule", detail)).await.map(Some)
    }
}

/// Refuses a visit that is dearer than the customer was shown.
fn check_price(price: Money, max_price: Option<Money>) -> Result<()> {
    let Some(max_price) = max_price else { return Ok(()) };
    if max_price.try_sub(price)?.is_negative() {
        let text = format!("the visit costs {price} then; ask the customer");
        return Err(Error::precondition("PRICE_ROSE", text)
            .with("price_minor", price.minor())
            .with("currency", price.currency()));
    }
    Ok(())
}
