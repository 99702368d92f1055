//! Keeps a time for a customer; how, is told in [`keep`].
//!
//! Marketing is asked for a quote only when there is a plan, since a quote reserves the customer's coupon: whoever is
//! refused a time would miss it at the next.

use std::sync::Arc;

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
use tokio::sync::{Mutex, OnceCell};

use super::{
    Once,
    keep::{self, Keep, Plan, Wanted},
    order_tasks, record,
    search_slots::store_and_item,
};
use crate::{
    App, db,
    db::locks::Name,
    domain::{
        booking::{Booking, Channel, State},
        catalog::Item,
        span::{instant, minute},
        visit::{Visit, Wish},
    },
    peers::Quote,
};

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
    /// Why it may overlap others; `None` if it must not.
    pub overbook_reason: Option<String>,
    /// The customer was named by somebody else, so it must be checked that he exists.
    pub on_behalf: bool,
}

/// Keeps the time, and has the order for its deposit made.
pub async fn hold_slot(app: &Arc<App>, once: Once<'_, pb::HoldSlotRequest>, wanted: HoldSlot) -> Result<pb::Booking> {
    let flow =
        Flow { app, once: &once, wanted, known: OnceCell::new(), quote: OnceCell::new(), task: Mutex::new(None) };
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
    /// The price, once it was asked for.
    quote: OnceCell<Quote>,
    /// What has the order made.
    task: Mutex<Option<Uuid>>,
}

impl Keep for Flow<'_> {
    type Basis = Item;
    type Reply = pb::Booking;

    async fn plan(&self) -> Result<(Plan, Item)> {
        let Self { app, wanted, .. } = self;
        keep::check_start(app, wanted.start_time)?;
        if wanted.on_behalf {
            self.known.get_or_try_init(|| app.peers.membership.check_member(wanted.customer)).await?;
        }
        let wish = Wish { therapist: wanted.therapist, ..Wish::default() };
        let mut conn = app.pg.conn().await?;
        let (store, item) = store_and_item(&mut conn, wanted.store, wanted.item).await?;
        let visits = [Visit::of_item(&item, &[])?.wishing(0, &wish)];
        let (start, overbook) = (minute(wanted.start_time), wanted.overbook_reason.is_some());
        let roster = keep::roster(&mut conn, store.id).await?;
        let wanted = Wanted { store: &store, visits: &visits, start, without: &[], overbook };
        Ok((keep::plan(app, &mut conn, roster, wanted).await?, item))
    }

    async fn carry_out(&self, plan: &Plan, item: &Item) -> Result<Option<pb::Booking>> {
        let quote = *self.quote.get_or_try_init(|| self.quote(item)).await?;
        let booking = self.booking(plan, item, quote)?;
        let now = booking.create_time;
        let mut tx = self.app.pg.begin().await?;
        let ticket = match idempotency::begin(&mut tx, now, self.once.key, self.once.message).await? {
            Begin::Replay(reply) => return Ok(Some(reply)),
            Begin::Fresh(ticket) => ticket,
        };
        if !keep::enter(self.app, &mut tx, plan, &[], &names(&booking)).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        check_caps(self.app, &mut tx, &booking).await?;
        let change = booking.made(self.once.key.caller);
        let reply = record::insert(&mut tx, &change, now).await?;
        if !keep::take(&mut tx, change.booking.id, plan).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        let task = order_tasks::create_order(&mut tx, &change.booking, now).await?;
        if self.wanted.on_behalf {
            let entry = audit::Entry {
                actor: self.once.key.caller.to_owned(),
                action: "booking.hold".to_owned(),
                target: change.booking.id.name(),
                detail: json!({ "overbook_reason": change.booking.overbook_reason }),
            };
            audit::record(&mut tx, now, entry).await?;
        }
        ticket.finish(&mut tx, &reply).await?;
        tx.commit().await?;
        *self.task.lock().await = Some(task);
        Ok(Some(reply))
    }
}

impl Flow<'_> {
    async fn quote(&self, item: &Item) -> Result<Quote> {
        let Self { app, once, wanted, .. } = self;
        // The same request asks for the same quote, so that a repeat does not reserve a second coupon. Another caller's
        // request id must not lead to it.
        let request_id = kernel::ids::derive(once.key.request_id, once.key.caller);
        let quote = app.peers.pricing.quote(wanted.customer, wanted.item, wanted.store, item.price, request_id).await?;
        crash::point("booking.hold.quoted");
        Ok(quote)
    }

    fn booking(&self, plan: &Plan, item: &Item, quote: Quote) -> Result<Booking> {
        let Self { app, wanted, .. } = self;
        let now = app.clock.now();
        let part = plan.parts().into_iter().next().ok_or_else(|| Error::internal("a plan without a part"))?;
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
            overbook_reason: wanted.overbook_reason.clone().filter(|_| plan.overbooks),
        })
    }
}

/// Whose holds are counted.
fn names(booking: &Booking) -> Vec<Name<'_>> {
    let mut names = vec![Name::Customer(booking.customer)];
    names.extend(booking.device.as_deref().map(Name::Device));
    names.extend(booking.partner.as_deref().map(Name::Partner));
    names
}

/// Nobody may hoard times: so many holds may run at once of a customer, from a device and of a partner platform.
/// To be called when [`names`] are locked.
async fn check_caps(app: &App, tx: &mut Tx, booking: &Booking) -> Result<()> {
    let (device, partner) = (booking.device.as_deref(), booking.partner.as_deref());
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
