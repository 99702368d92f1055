//! Keeps a time for a customer; how, is told in [`keep`].
//!
//! Marketing is asked for a quote only when there is a plan, since a quote reserves the customer's coupon: whoever is
//! refused a time would miss it at the next.

use std::sync::Arc;

use jiff::SignedDuration;
use kernel::{
    Error, ErrorKind, Money, Result, Timestamp, crash,
    ids::{BookingId, ItemId, MemberId, StoreId},
};
use pg::{
    PgConnection, Tx, audit,
    idempotency::{self, Begin},
};
use proto::booking::v1 as pb;
use serde_json::json;
use tokio::sync::{Mutex, OnceCell};

use super::{
    Once,
    assignment::{self, Given},
    keep::{self, Keep, Plan, Wanted},
    order_tasks::{self, Ready},
    quoting::{Priced, Quoting},
    record,
    seek::{Seek, check_quota},
    sight::Sight,
};
use crate::{
    App, db,
    db::locks::Name,
    domain::{
        booking::{Booking, Channel, State},
        chosen::Chosen,
        span::{Minute, Span, instant, minute},
        visit::Visit,
    },
    peers::Quote,
    rpc::convert::to_booking,
};

/// What is wanted.
#[derive(Debug, Clone)]
pub struct HoldSlot {
    /// Where.
    pub store: StoreId,
    /// What, and with whom.
    pub seek: Seek,
    /// When the treatment starts.
    pub start_time: Timestamp,
    /// For whom.
    pub customer: MemberId,
    /// Through which way it came.
    pub channel: Channel,
    /// What it comes from.
    pub device: Option<String>,
    /// The partner platform that it comes through.
    pub partner: Option<String>,
    /// Why it may overlap others; `None` if it must not.
    pub overbook_reason: Option<String>,
    /// The customer was named by somebody else, so it must be checked that he exists.
    pub on_behalf: bool,
}

/// Keeps the time, and has the order for its deposit made.
pub async fn hold_slot(app: &Arc<App>, once: Once<'_, pb::HoldSlotRequest>, wanted: HoldSlot) -> Result<pb::Booking> {
    let (known, quoting) = (OnceCell::new(), Quoting::default());
    let flow = Flow { app, once: &once, wanted, known, quoting, task: Mutex::new(None) };
    let reply = keep::keep_once(app, &once, &flow).await?;
    if let Some(task) = flow.task.into_inner() {
        crash::point("booking.hold.committed");
        // So that the customer can pay as soon as he has the answer. If it fails the worker will see to it.
        order_tasks::run_now(app, task).await;
    }
    Ok(reply)
}

struct Flow<'a> {
    app: &'a App,
    once: &'a Once<'a, pb::HoldSlotRequest>,
    wanted: HoldSlot,
    /// Whether the customer exists, once it was asked.
    known: OnceCell<()>,
    /// What the customer pays.
    quoting: Quoting,
    /// What has the order made.
    task: Mutex<Option<Ready>>,
}

impl Keep for Flow<'_> {
    type Basis = Chosen;
    type Reply = pb::Booking;

    async fn prepare(&self) -> Result<()> {
        let Self { app, wanted, .. } = self;
        keep::check_start(app, wanted.start_time)?;
        if wanted.on_behalf {
            self.known.get_or_try_init(|| app.peers.membership.check_member(wanted.customer)).await?;
        }
        Ok(())
    }

    async fn plan(&self, conn: &mut PgConnection) -> Result<Option<(Plan, Chosen)>> {
        let Self { app, wanted, .. } = self;
        let HoldSlot { store, start_time, customer, .. } = wanted;
        let sight = app.sights.of(app, &mut *conn, *store).await?;
        let (start, overbook) = (minute(*start_time), wanted.overbook_reason.is_some());
        let (chosen, visits) = match self.choose(&mut *conn, &sight, start).await {
            Ok(chosen) => chosen,
            Err(refused) if app.sights.is_current(&mut *conn, &sight).await? => return Err(refused),
            Err(_) => return Ok(None),
        };
        let (visits, customer) = (&visits[..], *customer);
        let wanted = Wanted { sight: &sight, customer, visits, start, without: &[], overbook };
        Ok(keep::plan(app, conn, wanted).await?.map(|plan| (plan, chosen)))
    }

    async fn carry_out(&self, plan: &Plan, chosen: &Chosen) -> Result<Option<pb::Booking>> {
        let mut booking = self.booking(plan, chosen).await?;
        let now = booking.create_time;
        let mut tx = self.app.pg.begin().await?;
        let ticket = match idempotency::begin(&mut tx, now, self.once.key, self.once.message).await? {
            Begin::Replay(reply) => return Ok(Some(reply)),
            Begin::Fresh(ticket) => ticket,
        };
        let mut names = names(&booking);
        names.extend(keep::assignments(plan));
        let quota = plan.sight.policy.partner_quota.filter(|_| self.wanted.seek.by_partner);
        names.extend(quota.map(|_| Name::Quota(booking.store)));
        if !keep::enter(self.app, &mut tx, plan, &[], &names).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        let (device, partner) = (booking.device.as_deref(), booking.partner.as_deref());
        check_caps(self.app, &mut tx, booking.customer, device, partner, now).await?;
        if quota.is_some() {
            check_quota(&mut tx, &plan.sight, plan.start).await?;
        }
        let Some(assignment) = keep::settle(&mut tx, plan, now).await? else {
            tx.rollback().await?;
            return Ok(None);
        };
        booking.assignment = assignment;
        let change = booking.made(self.once.key.caller);
        let names = record::insert(&mut tx, &change, now).await?;
        if !keep::take(&mut tx, change.booking.id, plan).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        let Booking { id: booking, store, requested, customer, .. } = change.booking;
        for (therapist, minutes) in change.booking.work() {
            let given = Given { booking, therapist, requested, minutes };
            assignment::record(&mut tx, store, plan.policy(), given, now).await?;
        }
        let task = order_tasks::create_order_now(&mut tx, &change.booking, names.item, customer, now).await?;
        if self.wanted.on_behalf {
            let entry = audit::Entry {
                actor: self.once.key.caller.to_owned(),
                action: "booking.hold".to_owned(),
                target: change.booking.id.name(),
                detail: json!({ "overbook_reason": change.booking.overbook_reason }),
            };
            audit::record(&mut tx, now, entry).await?;
        }
        let reply = to_booking(&change.booking, std::slice::from_ref(&change.step));
        ticket.finish(&mut tx, &reply).await?;
        tx.commit().await?;
        *self.task.lock().await = Some(task);
        Ok(Some(reply))
    }
}

impl Flow<'_> {
    /// What is wanted of this store's menu, and the ways to serve it, by the rules of the store.
    async fn choose(&self, conn: &mut PgConnection, sight: &Sight, start: Minute) -> Result<(Chosen, Vec<Visit>)> {
        let seek = &self.wanted.seek;
        let chosen = sight.choose(conn, &seek.choice).await?;
        let visits = chosen.visits(1, &seek.wish)?;
        check_notice(sight, seek.bookable(self.app, sight), start)?;
        Ok((chosen, visits))
    }

    /// What the customer pays of a price.
    async fn quote(&self, item: ItemId, list_price: Money) -> Result<Quote> {
        let HoldSlot { customer, store, .. } = self.wanted;
        // Another caller's request id must not lead to it.
        let attempt = kernel::ids::derive(self.once.key.request_id, self.once.key.caller);
        let priced = Priced { customer, item, store, list_price, attempt };
        self.quoting.quote(self.app, priced, "booking.hold.quoted").await
    }

    async fn booking(&self, plan: &Plan, chosen: &Chosen) -> Result<Booking> {
        let Self { app, wanted, .. } = self;
        let Plan { sight, visit, start, .. } = plan;
        let served = sight.served(visit, &plan.assignment, *start);
        let first = served.first().ok_or_else(|| Error::internal("a plan without a part"))?.part;
        let list_price = chosen.price(&sight.store, &sight.zone, visit, *start, &served)?;
        let item = chosen.first()?.id;
        let quote = self.quote(item, list_price).await?;
        let now = app.clock.now();
        let minutes = SignedDuration::from_mins;
        Ok(Booking {
            id: BookingId::new(now),
            store: wanted.store,
            item,
            therapist: first.therapist,
            room: first.room,
            equipment: first.equipment,
            customer: wanted.customer,
            start_time: wanted.start_time,
            end_time: instant(plan.end()),
            state: State::Held,
            channel: wanted.channel,
            list_price,
            price: quote.price,
            deposit: quote.price.share(app.policy.deposit_basis_points)?,
            quote: Some(quote.id),
            hold_expire_time: now + minutes(sight.policy.hold_minutes),
            create_time: now,
            version: 1,
            package: chosen.package(),
            parts: plan.further_parts(),
            add_ons: chosen.add_ons().iter().map(|item| item.id).collect(),
            group: None,
            extension_minutes: 0,
            requested: wanted.seek.wish.therapist.is_some(),
            assignment: String::new(),
            device: wanted.device.clone(),
            partner: wanted.partner.clone(),
            hold_limit_time: now + minutes(sight.policy.hold_limit_minutes),
            overbook_reason: wanted.overbook_reason.clone().filter(|_| plan.overbooks),
            wish: wanted.seek.wish.besides_name(),
            least_fee: Money::zero(quote.price.currency()),
        })
    }
}

/// Refuses a start before which the store wants more notice.
pub(super) fn check_notice(sight: &Sight, bookable: Span, start: Minute) -> Result<()> {
    if start < bookable.start {
        let notice = sight.policy.lead_minutes;
        if notice == 0 {
            // It passed while all this was read.
            return Err(Error::invalid("start_time", "is past; choose a later time"));
        }
        let text = format!("the store wants {notice} minutes of notice; choose a later time");
        return Err(Error::precondition("LEAD_TIME", text).with("lead_minutes", notice));
    }
    Ok(())
}

/// Whose holds are counted.
fn names(booking: &Booking) -> Vec<Name<'_>> {
    let mut names = vec![Name::Customer(booking.customer)];
    names.extend(booking.device.as_deref().map(Name::Device));
    names.extend(booking.partner.as_deref().map(Name::Partner));
    names
}

/// Nobody may hoard times: so many holds may run at once of a customer, from a device and of a partner platform.
/// To be called when their names are locked.
pub(super) async fn check_caps(
    app: &App,
    tx: &mut Tx,
    customer: MemberId,
    device: Option<&str>,
    partner: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let holds = db::booking::holds(tx, customer, device, partner, now).await?;
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
