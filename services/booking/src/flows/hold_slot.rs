//! Keeps a time for a customer.
//!
//! Redis sheds load, Postgres decides. The plan is made from what is committed; then the cells of time that it needs are
//! taken in Redis for a moment. Whoever finds them taken lines up and plans again: by then the other has committed and
//! the plan is another, or it says SLOT_TAKEN. The exclusion constraint has the last word; a lost race means another plan.

use std::time::Duration;

use kernel::{
    Error, Money, Result, Timestamp, crash,
    ids::{BookingId, ItemId, MemberId, QuoteId, StoreId, TherapistId},
};
use pg::idempotency::{self, Begin};
use proto::booking::v1 as pb;
use slotlock::{SlotKey, Take};

use super::{Once, order_tasks, record, search_slots::supply};
use crate::{
    App, db,
    db::supply::Wish,
    domain::{
        availability::{self, Assignment, GRID},
        booking::{Booking, Channel, State},
        catalog::Item,
        span::{Span, instant, is_whole_minute, minute},
    },
};

/// How often a lost race is answered with another plan.
const PLANS: usize = 5;

/// How long the cells of a plan are kept in Redis at most, should the process die.
const ATTEMPT: Duration = Duration::from_secs(5);

/// What is wanted.
#[derive(Debug, Clone)]
pub struct HoldSlot {
    /// Where.
    pub store: StoreId,
    /// What.
    pub item: ItemId,
    /// When the treatment starts.
    pub start_time: Timestamp,
    /// With whom; `None` for anybody.
    pub therapist: Option<TherapistId>,
    /// For whom.
    pub customer: MemberId,
    /// Through which way it came.
    pub channel: Channel,
    /// The customer was named by somebody else, so it must be checked that he exists.
    pub on_behalf: bool,
}

/// Keeps the time, and has the order for its deposit made.
pub async fn hold_slot(app: &App, once: Once<'_, pb::HoldSlotRequest>, wanted: HoldSlot) -> Result<pb::Booking> {
    if let Some(reply) = idempotency::replay(&mut *app.pg.conn().await?, once.key, once.message).await? {
        return Ok(reply);
    }
    check_start(app, wanted.start_time)?;
    if wanted.on_behalf {
        app.peers.membership.check_member(wanted.customer).await?;
    }
    let price = quote(app, &once, &wanted).await?;
    crash::point("booking.hold.quoted");
    let mut lined_up = None;
    for _ in 0..PLANS {
        let (item, assignment) = plan(app, &wanted).await?;
        let booking = booking(app, &wanted, &item, assignment, price)?;
        let cells = cells(&item, &booking, assignment);
        if app.locks.take(booking.id.uuid(), &cells, ATTEMPT).await == Take::Busy && lined_up.is_none() {
            lined_up = app.contenders.acquire().await.ok();
            continue;
        }
        let kept = keep(app, &once, &item, assignment, booking.clone()).await;
        app.locks.release(booking.id.uuid(), &cells).await;
        if let Some(reply) = kept? {
            return Ok(reply);
        }
    }
    Err(availability::taken())
}

fn check_start(app: &App, start: Timestamp) -> Result<()> {
    let now = app.clock.now();
    if !is_whole_minute(start) || minute(start).rem_euclid(GRID) != 0 {
        return Err(Error::invalid("start_time", format!("must be a multiple of {GRID} minutes")));
    }
    if start < now {
        return Err(Error::invalid("start_time", "is past; choose a later time"));
    }
    if start > now + app.policy.bookable() {
        let days = app.policy.bookable_days;
        return Err(Error::invalid("start_time", format!("is more than {days} days ahead; choose an earlier time")));
    }
    Ok(())
}

async fn quote(app: &App, once: &Once<'_, pb::HoldSlotRequest>, wanted: &HoldSlot) -> Result<(QuoteId, Money)> {
    let item = db::catalog::get_item(&mut *app.pg.conn().await?, wanted.item).await?;
    let list_price = item.ok_or_else(|| Error::not_found(wanted.item))?.price;
    // The same request asks for the same quote, so that a repeat does not reserve a second coupon. Another caller's
    // request id must not lead to it.
    let request_id = kernel::ids::derive(once.key.request_id, once.key.caller);
    let quote = app.peers.pricing.quote(wanted.customer, wanted.item, wanted.store, list_price, request_id).await?;
    Ok((quote.id, quote.price))
}

async fn plan(app: &App, wanted: &HoldSlot) -> Result<(Item, Assignment)> {
    let start = minute(wanted.start_time);
    let wish = Wish { therapist: wanted.therapist, sex: None };
    let mut conn = app.pg.conn().await?;
    let (item, supply) = supply(&mut conn, wanted.store, wanted.item, Span::new(start, start + 1), wish).await?;
    let assignment = availability::assign(&supply, item.need(), start, wanted.therapist)?;
    Ok((item, assignment))
}

fn booking(
    app: &App,
    wanted: &HoldSlot,
    item: &Item,
    assignment: Assignment,
    (quote, price): (QuoteId, Money),
) -> Result<Booking> {
    let now = app.clock.now();
    Ok(Booking {
        id: BookingId::new(now),
        store: wanted.store,
        item: wanted.item,
        therapist: assignment.therapist,
        room: assignment.room,
        equipment: assignment.equipment,
        customer: wanted.customer,
        start_time: wanted.start_time,
        end_time: instant(item.need().treatment(minute(wanted.start_time)).end),
        state: State::Held,
        channel: wanted.channel,
        list_price: item.price,
        price,
        deposit: price.share(app.policy.deposit_basis_points)?,
        quote: Some(quote),
        hold_expire_time: now + app.policy.hold(),
        create_time: now,
        version: 1,
    })
}

fn cells(item: &Item, booking: &Booking, assignment: Assignment) -> Vec<SlotKey> {
    assignment
        .allocations(item.need(), minute(booking.start_time))
        .into_iter()
        .flat_map(|(resource, span)| SlotKey::covering(resource, span.start, span.end))
        .collect()
}

/// Stores the booking, unless one of its resources has been taken since the plan was made: then `None`.
async fn keep(
    app: &App,
    once: &Once<'_, pb::HoldSlotRequest>,
    item: &Item,
    assignment: Assignment,
    booking: Booking,
) -> Result<Option<pb::Booking>> {
    let now = booking.create_time;
    let wanted = assignment.allocations(item.need(), minute(booking.start_time));
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
        Begin::Replay(reply) => return Ok(Some(reply)),
        Begin::Fresh(ticket) => ticket,
    };
    let change = booking.made(once.key.caller);
    let reply = record::insert(&mut tx, &change, now).await?;
    if !db::allocation::take(&mut tx, change.booking.id, &wanted).await? {
        tx.rollback().await?;
        return Ok(None);
    }
    let task = order_tasks::create_order(&mut tx, &change.booking, now).await?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    crash::point("booking.hold.committed");
    // So that the customer can pay as soon as he has the answer. If it fails the worker will see to it.
    order_tasks::run_now(app, task).await;
    Ok(Some(reply))
}
