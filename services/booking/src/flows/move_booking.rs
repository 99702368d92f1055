//! Staff move a visit: time, length, therapist, room, machine, any of them. The same guard holds as for everybody else.

use kernel::{
    Error, ErrorKind, Result, Timestamp, Uuid, crash,
    ids::{BookingId, RoomId, StoreId, TherapistId},
};
use pg::PgConnection;
use proto::{access::Role, booking::v1 as pb};
use rpc::Caller;
use serde_json::json;

use super::{
    Once,
    change::{self, Begun},
    keep::{self, Keep, Plan, Wanted},
    present_visit::{self, Present},
    record::{Happened, before},
};
use crate::{
    App, db,
    domain::{
        availability::GRID,
        booking::Booking,
        span::{is_whole_minute, minute},
        visit::{Class, ResourceKind, Visit},
    },
};

/// What is wanted; `None` is as it is.
#[derive(Debug, Clone)]
pub struct Move {
    /// Which visit.
    pub booking: BookingId,
    /// When it shall start.
    pub start_time: Option<Timestamp>,
    /// When it shall end.
    pub end_time: Option<Timestamp>,
    /// Who shall give it.
    pub therapist: Option<TherapistId>,
    /// Where.
    pub room: Option<RoomId>,
    /// With which machine.
    pub equipment: Option<RoomId>,
    /// The part that therapist, room and machine are for, from 0; all of them if `None`.
    pub part: Option<usize>,
    /// Why, for the audit.
    pub reason: String,
    /// Why it may overlap others; `None` if it must not.
    pub overbook_reason: Option<String>,
}

/// Moves a visit. The price stays.
pub async fn move_booking(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::MoveBookingRequest>,
    wanted: Move,
) -> Result<pb::Booking> {
    check_overbooking(caller, wanted.overbook_reason.is_some())?;
    let Move { start_time, end_time, therapist, room, equipment, .. } = &wanted;
    if (start_time, end_time, therapist, room, equipment) == (&None, &None, &None, &None, &None) {
        return Err(Error::invalid("start_time", "nothing is to be changed; give a time, therapist, room or machine"));
    }
    change::own(app, caller, wanted.booking).await?;
    let reply = keep::keep_once(app, &once, &Flow { app, caller, once: &once, wanted }).await?;
    crash::point("booking.move.committed");
    Ok(reply)
}

/// Overbooking is for those who answer for the store.
pub fn check_overbooking(caller: &Caller, wanted: bool) -> Result<()> {
    if !wanted || [Role::StoreManager, Role::Administrator].iter().any(|role| caller.has_role(*role)) {
        return Ok(());
    }
    let text = "only store managers and administrators may let visits overlap; leave overbook_reason out";
    Err(Error::new(ErrorKind::PermissionDenied, "OVERBOOKING_NOT_ALLOWED", text))
}

struct Flow<'a> {
    app: &'a App,
    caller: &'a Caller,
    once: &'a Once<'a, pb::MoveBookingRequest>,
    wanted: Move,
}

impl Flow<'_> {
    /// Minutes beyond what the items take.
    fn extension(&self, booking: &Booking, present: &Present, start_time: Timestamp) -> Result<i32> {
        let Some(end_time) = self.wanted.end_time else { return Ok(booking.extension_minutes) };
        let least = present.visit.treatment.end;
        let minutes = minute(end_time) - minute(start_time) - least;
        if !is_whole_minute(end_time) || minute(end_time).rem_euclid(GRID) != 0 {
            return Err(Error::invalid("end_time", format!("must be a multiple of {GRID} minutes")));
        }
        i32::try_from(minutes).ok().filter(|minutes| (0..=600).contains(minutes)).ok_or_else(|| {
            Error::invalid("end_time", format!("must be {least} to {} minutes after the start", least + 600))
        })
    }

    /// The ways to serve the moved visit: all else as it is, or in another room and with another machine.
    fn ways(&self, present: &Present, extension: i32) -> Vec<Visit> {
        let mut visit = present.visit.clone().extended(i64::from(extension));
        keep::fix(&mut visit, &present.assignment, |kind| kind == ResourceKind::Therapist);
        let mut as_it_is = visit.clone();
        keep::fix(&mut as_it_is, &present.assignment, |_| true);
        let mut ways = vec![as_it_is, visit];
        for demand in ways.iter_mut().flat_map(|way| &mut way.demands) {
            if self.wanted.part.is_some_and(|part| !demand.legs.contains(&part)) {
                continue;
            }
            let wish = match demand.class.resource() {
                ResourceKind::Therapist => self.wanted.therapist.map(TherapistId::uuid),
                ResourceKind::Room => self.wanted.room.map(RoomId::uuid),
                ResourceKind::Equipment => self.wanted.equipment.map(RoomId::uuid),
            };
            demand.wish = wish.or(demand.wish);
        }
        ways
    }

    /// Refuses what the store hasn't got, and what is of no use.
    async fn check_named(&self, conn: &mut PgConnection, store: StoreId, visit: &Visit) -> Result<()> {
        if let Some(id) = self.wanted.therapist {
            let known = db::catalog::get_therapist(conn, id).await?.filter(|known| known.store == store);
            known.ok_or_else(|| Error::not_found(id))?;
        }
        let kinds = |machine: bool| {
            let kinds = visit.demands.iter().filter_map(move |demand| match &demand.class {
                Class::Room { kind } if !machine => Some(kind.as_str()),
                Class::Equipment { kind } if machine => Some(kind.as_str()),
                _ => None,
            });
            kinds.collect::<Vec<_>>()
        };
        for (field, id, kinds) in
            [("room", self.wanted.room, kinds(false)), ("equipment", self.wanted.equipment, kinds(true))]
        {
            let Some(id) = id else { continue };
            let kind = db::catalog::room_kind(conn, store, id).await?.ok_or_else(|| Error::not_found(id))?;
            if !kinds.contains(&kind.as_str()) {
                let wanted = if kinds.is_empty() { "none".to_owned() } else { kinds.join(" or ") };
                return Err(Error::invalid(field, format!("is of kind {kind}; the visit needs {wanted}")));
            }
        }
        Ok(())
    }

    fn overbooks(&self) -> bool {
        self.wanted.overbook_reason.is_some()
    }
}

/// What a move was planned from.
struct Basis {
    booking: Booking,
    extension: i32,
}

impl Keep for Flow<'_> {
    type Basis = Basis;
    type Reply = pb::Booking;

    async fn plan(&self, conn: &mut PgConnection) -> Result<Option<(Plan, Basis)>> {
        let id: BookingId = self.wanted.booking;
        let booking = db::booking::get(&mut *conn, id).await?.ok_or_else(|| Error::not_found(id))?;
        booking.check_move(self.app.clock.now())?;
        let start_time = self.wanted.start_time.unwrap_or(booking.start_time);
        if start_time != booking.start_time {
            keep::check_start(self.app, start_time)?;
        }
        if self.wanted.part.is_some_and(|part| part > booking.parts.len()) {
            return Err(Error::invalid("part", format!("must be at most {}", booking.parts.len() + 1)));
        }
        let sight = self.app.sights.of(self.app, &mut *conn, booking.store).await?;
        let present = present_visit::read(&mut *conn, &booking, &[]).await?;
        self.check_named(&mut *conn, booking.store, &present.visit).await?;
        let extension = self.extension(&booking, &present, start_time)?;
        let visits = self.ways(&present, extension);
        let start = minute(start_time);
        let wanted = Wanted {
            sight: &sight,
            customer: booking.customer,
            visits: &visits,
            start,
            without: &[id],
            overbook: self.overbooks(),
        };
        let plan = keep::plan(self.app, conn, wanted).await?;
        Ok(plan.map(|plan| (plan, Basis { booking, extension })))
    }

    async fn carry_out(&self, plan: &Plan, basis: &Basis) -> Result<Option<pb::Booking>> {
        let now = self.app.clock.now();
        let planned = &basis.booking;
        let mut open = match change::begin_planned(self.app, self.once, planned, plan, &[], now).await? {
            None => return Ok(None),
            Some(Begun::Before(reply)) => return Ok(Some(reply)),
            Some(Begun::Now(open)) => open,
        };
        let mut to = present_visit::placement(plan, planned)?;
        if to.therapist != planned.therapist {
            to.requested = false;
            to.assignment = "chosen by staff".to_owned();
        }
        to.overbook_reason = self.wanted.overbook_reason.clone().filter(|_| plan.overbooks);
        if !open.retake(plan).await? {
            open.tx.rollback().await?;
            return Ok(None);
        }
        let (before, actor) = (before(planned), self.caller.subject().to_owned());
        let change = open.booking.clone().move_to(to, basis.extension, now, &actor)?;
        open.hand_over(self.app, &change).await?;
        let kept: Vec<Uuid> = plan.allocations().into_iter().map(|(resource, _)| resource).collect();
        let detail = json!({
            "from": planned.start_time.to_string(),
            "to": change.booking.start_time.to_string(),
            "resources": kept,
            "reason": self.wanted.reason,
            "overbook_reason": change.booking.overbook_reason,
        });
        let happened = Happened::Moved { before, actor };
        open.finish(self.caller, &change, happened, ("booking.move", detail)).await.map(Some)
    }
}
