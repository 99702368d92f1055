//! Keeps a time for a customer.
//!
//! Redis sheds load, Postgres decides. The plan is made from what is committed; then the cells of time that it needs are
//! taken in Redis for a moment. Whoever finds them taken lines up and plans again: by then the other has committed and
//! the plan is another, or it says SLOT_TAKEN. The exclusion constraint has the last word; a lost race means another plan.
//!
//! Marketing is asked for a quote only when there is a plan, since a quote reserves the customer's coupon: whoever is
//! refused a time would miss it at the next.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use kernel::{
    Error, ErrorKind, Result, Timestamp, Uuid, crash,
    ids::{BookingId, ItemId, MemberId, StoreId, TherapistId},
};
use pg::{
    Tx, audit,
    idempotency::{self, Begin},
};
use proto::booking::v1 as pb;
use serde_json::json;
use slotlock::{SlotKey, Take};

use super::{
    Once, order_tasks, record,
    search_slots::{store_and_item, supply},
};
use crate::{
    App, db,
    db::locks::Name,
    domain::{
        availability::{self, GRID, Part},
        booking::{Booking, Channel, State},
        catalog::Item,
        span::{Span, instant, is_whole_minute, minute},
        visit::{Visit, Wish},
    },
    peers::Quote,
};

/// How often a lost race is answered with another plan. Each means that somebody else got a therapist of that time, so
/// that a store runs out of them first.
const PLANS: usize = 100;

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
    /// What it comes from.
    pub device: Option<String>,
    /// The partner platform that it comes through.
    pub partner: Option<String>,
    /// The customer was named by somebody else, so it must be checked that he exists.
    pub on_behalf: bool,
}

/// Keeps the time, and has the order for its deposit made.
pub async fn hold_slot(app: &Arc<App>, once: Once<'_, pb::HoldSlotRequest>, wanted: HoldSlot) -> Result<pb::Booking> {
    if let Some(reply) = answered(app, &once).await? {
        return Ok(reply);
    }
    match plan_and_keep(app, &once, &wanted).await {
        // The time may have gone to a twin of this request, sent at the same moment.
        Err(refused) if refused.kind() == ErrorKind::FailedPrecondition => answered(app, &once).await?.ok_or(refused),
        outcome => outcome,
    }
}

async fn answered(app: &App, once: &Once<'_, pb::HoldSlotRequest>) -> Result<Option<pb::Booking>> {
    idempotency::replay(&mut *app.pg.conn().await?, once.key, once.message).await
}

async fn plan_and_keep(app: &Arc<App>, once: &Once<'_, pb::HoldSlotRequest>, wanted: &HoldSlot) -> Result<pb::Booking> {
    check_start(app, wanted.start_time)?;
    if wanted.on_behalf {
        app.peers.membership.check_member(wanted.customer).await?;
    }
    let mut quoted = None;
    let mut lined_up = None;
    for _ in 0..PLANS {
        let plan = plan(app, wanted).await?;
        let (owner, cells) = (kernel::ids::uuid_v7(app.clock.now()), plan.cells());
        if app.locks.take(owner, &cells, ATTEMPT).await == Take::Busy && lined_up.is_none() {
            lined_up = app.contenders.acquire().await.ok();
            continue;
        }
        let kept = attempt(app, once, wanted, &plan, &mut quoted).await;
        app.locks.release(owner, &cells).await;
        if let Some(reply) = kept? {
            return Ok(reply);
        }
        if lined_up.is_none() {
            lined_up = app.contenders.acquire().await.ok();
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

/// What would serve the visit as far as is known.
struct Plan {
    /// The version of the store's roster that it was made from.
    roster: i64,
    item: Item,
    part: Part,
    /// Which resource is needed when, in the order in which they are taken.
    allocations: Vec<(Uuid, Span)>,
}

impl Plan {
    fn cells(&self) -> Vec<SlotKey> {
        let cells = |&(resource, span): &(Uuid, Span)| SlotKey::covering(resource, span.start, span.end);
        self.allocations.iter().flat_map(cells).collect()
    }
}

async fn plan(app: &App, wanted: &HoldSlot) -> Result<Plan> {
    let start = minute(wanted.start_time);
    let wish = Wish { therapist: wanted.therapist, ..Wish::default() };
    let mut conn = app.pg.conn().await?;
    // Before all else that is read: an edit in between then shows when the plan is carried out.
    let roster = db::roster::version(&mut conn, wanted.store).await?;
    let (store, item) = store_and_item(&mut conn, wanted.store, wanted.item).await?;
    let visits = [Visit::of_item(&item, &[])?.wishing(0, &wish)];
    let supply = supply(app, &mut conn, &store, &visits, Span::new(start, start + 1)).await?;
    let assignment = availability::assign(&supply, &visits, start, &availability::least_work(&supply))?;
    let [visit] = &visits;
    let allocations = assignment.allocations(visit, start);
    let part = assignment.parts(visit, start).into_iter().next();
    let part = part.ok_or_else(|| Error::internal("an assignment without a part"))?;
    Ok(Plan { roster, item, part, allocations })
}

/// Prices the visit, unless that is done, and stores it. `None` if one of its resources has been taken, or the roster
/// edited, since the plan was made.
async fn attempt(
    app: &Arc<App>,
    once: &Once<'_, pb::HoldSlotRequest>,
    wanted: &HoldSlot,
    plan: &Plan,
    quoted: &mut Option<Quote>,
) -> Result<Option<pb::Booking>> {
    let quote = match *quoted {
        Some(quote) => quote,
        None => *quoted.insert(quote(app, once, wanted, &plan.item).await?),
    };
    match keep(app, once, wanted.on_behalf, plan, booking(app, wanted, plan, quote)?).await {
        // Deposits that came late bring back several times in one transaction: one of them met us from the other side.
        Err(error) if error.kind() == ErrorKind::Aborted => Ok(None),
        outcome => outcome,
    }
}

async fn quote(app: &App, once: &Once<'_, pb::HoldSlotRequest>, wanted: &HoldSlot, item: &Item) -> Result<Quote> {
    // The same request asks for the same quote, so that a repeat does not reserve a second coupon. Another caller's
    // request id must not lead to it.
    let request_id = kernel::ids::derive(once.key.request_id, once.key.caller);
    let quote = app.peers.pricing.quote(wanted.customer, wanted.item, wanted.store, item.price, request_id).await?;
    crash::point("booking.hold.quoted");
    Ok(quote)
}

fn booking(app: &App, wanted: &HoldSlot, plan: &Plan, quote: Quote) -> Result<Booking> {
    let now = app.clock.now();
    let Plan { item, part, .. } = plan;
    Ok(Booking {
        id: BookingId::new(now),
        store: wanted.store,
        item: wanted.item,
        therapist: part.therapist,
        room: part.room,
        equipment: part.equipment,
        customer: wanted.customer,
        start_time: wanted.start_time,
        end_time: instant(part.time.end),
        state: State::Held,
        channel: wanted.channel,
        list_price: item.price,
        price: quote.price,
        deposit: quote.price.share(app.policy.deposit_basis_points)?,
        quote: Some(quote.id),
        hold_expire_time: now + app.policy.hold(),
        create_time: now,
        version: 1,
        package: None,
        parts: Vec::new(),
        add_ons: Vec::new(),
        group: None,
        extension_minutes: 0,
        requested: wanted.therapist.is_some(),
        assignment: String::new(),
        device: wanted.device.clone(),
        partner: wanted.partner.clone(),
        hold_limit_time: now + SignedDuration::from_mins(app.policy.hold_limit_minutes),
        overbook_reason: None,
    })
}

/// Nobody may hoard times: so many holds may run at once of a customer, from a device and of a partner platform.
async fn check_caps(app: &App, tx: &mut Tx, booking: &Booking) -> Result<()> {
    let (device, partner) = (booking.device.as_deref(), booking.partner.as_deref());
    let mut names = vec![Name::Customer(booking.customer)];
    names.extend(device.map(Name::Device).into_iter().chain(partner.map(Name::Partner)));
    db::locks::take(tx, &names).await?;
    let holds = db::booking::holds(tx, booking.customer, device, partner, booking.create_time).await?;
    let caps = [
        ("customer", holds.customer, app.policy.holds_per_customer),
        ("device", holds.device, app.policy.holds_per_device),
        ("partner", holds.partner, app.policy.holds_per_partner),
    ];
    match caps.into_iter().find(|(_, running, cap)| running >= cap) {
        None => Ok(()),
        Some((of, _, cap)) => {
            let text = format!("{cap} holds of this {of} run already; pay or give up one of them");
            Err(Error::new(ErrorKind::ResourceExhausted, "TOO_MANY_HOLDS", text).with("of", of).with("cap", cap))
        }
    }
}

async fn keep(
    app: &Arc<App>,
    once: &Once<'_, pb::HoldSlotRequest>,
    on_behalf: bool,
    plan: &Plan,
    booking: Booking,
) -> Result<Option<pb::Booking>> {
    let now = booking.create_time;
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
        Begin::Replay(reply) => return Ok(Some(reply)),
        Begin::Fresh(ticket) => ticket,
    };
    if db::roster::share(&mut tx, booking.store).await? != plan.roster {
        tx.rollback().await?;
        return Ok(None);
    }
    check_caps(app, &mut tx, &booking).await?;
    let change = booking.made(once.key.caller);
    let reply = record::insert(&mut tx, &change, now).await?;
    if !db::allocation::take(&mut tx, change.booking.id, &plan.allocations).await? {
        tx.rollback().await?;
        return Ok(None);
    }
    let task = order_tasks::create_order(&mut tx, &change.booking, now).await?;
    if on_behalf {
        let entry = audit::Entry {
            actor: once.key.caller.to_owned(),
            action: "booking.hold".to_owned(),
            target: change.booking.id.name(),
            detail: json!({}),
        };
        audit::record(&mut tx, now, entry).await?;
    }
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    crash::point("booking.hold.committed");
    // So that the customer can pay as soon as he has the answer. If it fails the worker will see to it.
    order_tasks::run_now(app, task).await;
    Ok(Some(reply))
}
