//! Moves a visit to another time or therapist, as the customer wishes.
//!
//! The old time is given back and the new one taken in one transaction, so that the old one is kept until the new one is
//! secured, and may overlap it.

use kernel::{
    Error, Result, Timestamp, crash,
    ids::{BookingId, TherapistId},
};
use pg::PgConnection;
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use super::{
    Once,
    change::{self, Begun},
    hold_slot::check_notice as check_store_notice,
    keep::{self, Keep, Plan, Wanted},
    present_visit,
    record::{Happened, before},
    seek,
};
use crate::{
    App,
    db::{self, locks::Name},
    domain::{
        booking::{Booking, State, Wish},
        cancellation::Terms,
        span::minute,
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
}

/// Reschedules a visit. The price stays, and so does the end of a hold.
pub async fn reschedule_booking(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::RescheduleBookingRequest>,
    wanted: Reschedule,
) -> Result<pb::Booking> {
    change::own(app, caller, wanted.booking).await?;
    let reply = keep::keep_once(app, &once, &Flow { app, caller, once: &once, wanted }).await?;
    crash::point("booking.reschedule.committed");
    Ok(reply)
}

/// Whether the caller may reschedule a booking now: a customer may, up to the last moment at which giving it up costs the
/// least.
pub async fn check_notice(
    app: &App,
    conn: &mut PgConnection,
    caller: &Caller,
    booking: &Booking,
    now: Timestamp,
) -> Result<()> {
    booking.check_reschedule(now)?;
    if caller.member().is_none() || booking.state != State::Confirmed {
        return Ok(());
    }
    let rule = db::policy::cancellation(conn, &app.policy, booking.store, booking.item).await?;
    match Terms::of(booking, Wish::Customer, &rule)?.cheapest_until() {
        Some(last) if now > last => {
            let text = "it is too late to change the visit here; call the store";
            Err(Error::precondition("TOO_LATE", text).with("last_time", last))
        }
        _ => Ok(()),
    }
}

/// Whether the notice that a store wants of visits is wanted of this one, if the caller reschedules it: as when it is held.
pub fn wants_notice(caller: &Caller, booking: &Booking) -> bool {
    caller.member().is_some() || booking.partner.is_some()
}

/// The ways to serve a visit: with the same therapists, and with anybody unless the customer asked for one.
pub fn ways(booking: &Booking, present: &present_visit::Present) -> Vec<Visit> {
    let whole = present.visit.clone().extended(i64::from(booking.extension_minutes));
    let mut same = whole.clone();
    keep::fix(&mut same, &present.assignment, |kind| kind == ResourceKind::Therapist);
    if booking.requested { vec![same] } else { vec![same, whole] }
}

struct Flow<'a> {
    app: &'a App,
    caller: &'a Caller,
    once: &'a Once<'a, pb::RescheduleBookingRequest>,
    wanted: Reschedule,
}

impl Keep for Flow<'_> {
    type Basis = Booking;
    type Reply = pb::Booking;

    async fn plan(&self) -> Result<Option<(Plan, Booking)>> {
        let Reschedule { booking: id, start_time, therapist } = self.wanted;
        let mut conn = self.app.pg.conn().await?;
        let booking = db::booking::get(&mut conn, id).await?.ok_or_else(|| Error::not_found(id))?;
        check_notice(self.app, &mut conn, self.caller, &booking, self.app.clock.now()).await?;
        let start_time = start_time.unwrap_or(booking.start_time);
        keep::check_start(self.app, start_time)?;
        let sight = self.app.sights.of(self.app, &mut conn, booking.store).await?;
        if start_time != booking.start_time
            && wants_notice(self.caller, &booking)
            && let Err(refused) =
                check_store_notice(&sight, seek::bookable(self.app, &sight, false), minute(start_time))
        {
            return if self.app.sights.is_current(&mut conn, &sight).await? { Err(refused) } else { Ok(None) };
        }
        let present = present_visit::read(&mut conn, &booking, &[]).await?;
        let visits = match therapist {
            None => ways(&booking, &present),
            Some(therapist) => {
                let mut visit = present.visit.extended(i64::from(booking.extension_minutes));
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
        Ok(keep::plan(self.app, &mut conn, wanted).await?.map(|plan| (plan, booking)))
    }

    async fn carry_out(&self, plan: &Plan, planned: &Booking) -> Result<Option<pb::Booking>> {
        let now = self.app.clock.now();
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
        let change = open.booking.clone().reschedule(to, now, &actor)?;
        open.hand_over(self.app, &change).await?;
        let detail = json!({ "from": planned.start_time.to_string(), "to": change.booking.start_time.to_string() });
        let happened = Happened::Rescheduled { before, actor };
        open.finish(self.caller, &change, happened, ("booking.reschedule", detail)).await.map(Some)
    }
}
