//! Makes a running visit longer, and its order dearer.

use std::sync::Arc;

use kernel::{
    Error, Result, crash,
    ids::{BookingId, ItemId},
};
use pg::PgConnection;
use proto::{booking::v1 as pb, payment::v1::OrderLine};
use rpc::{Caller, convert::to_money};
use serde_json::json;
use tokio::sync::Mutex;

use super::{
    Once,
    change::{self, Begun},
    keep::{self, Keep, Plan, Wanted},
    order_tasks::{self, Ready},
    present_visit,
    record::{Happened, before},
};
use crate::{
    App, db,
    domain::{
        availability::GRID,
        booking::{Booking, Extension},
        pricing,
        span::minute,
    },
};

/// By how much.
#[derive(Debug, Clone, Copy)]
pub enum By {
    /// So many minutes of the same.
    Minutes(i32),
    /// The time and price of an item.
    AddOn(ItemId),
}

/// Makes a running visit longer, if who and what serves it can stay.
pub async fn extend_booking(
    app: &Arc<App>,
    caller: &Caller,
    once: Once<'_, pb::ExtendBookingRequest>,
    id: BookingId,
    by: By,
) -> Result<pb::Booking> {
    if let By::Minutes(minutes) = by
        && i64::from(minutes).rem_euclid(GRID) != 0
    {
        return Err(Error::invalid("minutes", format!("must be a multiple of {GRID}")));
    }
    change::own(app, caller, id).await?;
    let flow = Flow { app, caller, once: &once, id, by, task: Mutex::new(None) };
    let reply = keep::keep_once(app, &once, &flow).await?;
    crash::point("booking.extend.committed");
    if let Some(task) = flow.task.into_inner() {
        order_tasks::run_now(app, task).await;
    }
    Ok(reply)
}

struct Flow<'a> {
    app: &'a App,
    caller: &'a Caller,
    once: &'a Once<'a, pb::ExtendBookingRequest>,
    id: BookingId,
    by: By,
    /// What has the order amended.
    task: Mutex<Option<Ready>>,
}

/// What an extension was planned from.
struct Basis {
    booking: Booking,
    extension: Extension,
    line: OrderLine,
}

impl Keep for Flow<'_> {
    type Basis = Basis;
    type Reply = pb::Booking;

    async fn plan(&self, conn: &mut PgConnection) -> Result<Option<(Plan, Basis)>> {
        let booking = db::booking::get(&mut *conn, self.id).await?.ok_or_else(|| Error::not_found(self.id))?;
        booking.check_extend()?;
        let sight = self.app.sights.of(self.app, &mut *conn, booking.store).await?;
        let add_on = match self.by {
            By::Minutes(_) => None,
            By::AddOn(id) => Some(db::catalog::get_item(&mut *conn, id).await?.ok_or_else(|| Error::not_found(id))?),
        };
        // In a package there is nothing between its parts: what is added comes after the last.
        let (own, minutes, price) = match (&add_on, self.by) {
            (Some(item), _) if item.price.currency() != booking.price.currency() => {
                return Err(Error::invalid("add_on", format!("must be priced in {}", booking.price.currency())));
            }
            (Some(item), _) => {
                let giver = booking.parts.last().map_or(booking.therapist, |part| part.therapist);
                let at = booking.start_time.to_zoned(sight.zone.clone()).datetime();
                let price = pricing::price(item, booking.store, sight.grade(giver), at);
                (booking.parts.is_empty(), item.duration_minutes, price)
            }
            (None, By::Minutes(minutes)) => {
                (false, minutes, pricing::in_proportion(booking.list_price, i64::from(minutes), booking.minutes())?)
            }
            (None, By::AddOn(id)) => return Err(Error::not_found(id)),
        };
        let more = add_on.clone().filter(|_| own);
        let present = present_visit::read(&mut *conn, &booking, more.as_slice()).await?;
        let longer = booking.extension_minutes + if own { 0 } else { minutes };
        let mut visit = present.visit.extended(i64::from(longer));
        keep::fix(&mut visit, &present.assignment, |_| true);
        let start = minute(booking.start_time);
        let visits = [visit];
        let wanted = Wanted {
            sight: &sight,
            customer: booking.customer,
            visits: &visits,
            start,
            without: &[self.id],
            overbook: false,
        };
        let Some(plan) = keep::plan(self.app, &mut *conn, wanted).await? else { return Ok(None) };
        let extension = Extension { minutes, price, add_on: more.as_ref().map(|item| item.id) };
        let (item, display_name) = match &add_on {
            Some(item) => (item.id.name(), item.display_name.clone()),
            None => {
                let names = db::booking::names(&mut *conn, &booking).await?;
                (booking.item.name(), format!("{} +{minutes} min", names.item))
            }
        };
        let line = OrderLine { item, display_name, amount: Some(to_money(price)), discount: None };
        Ok(Some((plan, Basis { booking, extension, line })))
    }

    async fn carry_out(&self, plan: &Plan, basis: &Basis) -> Result<Option<pb::Booking>> {
        let now = self.app.clock.now();
        let Basis { booking: planned, extension, line } = basis;
        let mut open = match change::begin_planned(self.app, self.once, planned, plan, &[], now).await? {
            None => return Ok(None),
            Some(Begun::Before(reply)) => return Ok(Some(reply)),
            Some(Begun::Now(open)) => open,
        };
        let to = present_visit::placement(plan, planned)?;
        if !open.retake(plan).await? {
            open.tx.rollback().await?;
            return Ok(None);
        }
        let change = open.booking.clone().extend(to, extension, now, self.caller.subject())?;
        open.hand_over(self.app, &change).await?;
        if !extension.price.is_zero() {
            let task = order_tasks::amend_order(&mut open.tx, planned.id, line, now).await?;
            *self.task.lock().await = Some(task);
        }
        let minutes = extension.minutes;
        let detail = json!({ "minutes": minutes, "price_minor": extension.price.minor() });
        let happened = Happened::Extended { before: before(planned), minutes };
        open.finish(self.caller, &change, happened, ("booking.extend", detail)).await.map(Some)
    }
}
