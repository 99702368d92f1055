//! Keeps the visits of a party, all or none; how, is told in [`keep`].

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::{join_all, try_join_all};
use jiff::SignedDuration;
use kernel::{
    Error, Money, Result, Timestamp, crash,
    ids::{BookingId, GroupId, MemberId, StoreId},
};
use pg::{
    PgConnection, Tx, audit,
    idempotency::{self, Begin},
};
use proto::booking::v1 as pb;
use serde_json::json;
use tokio::sync::{Mutex, OnceCell};

use super::{Party, follow};
use crate::{
    App,
    db::{self, booking::Names, locks::Name},
    domain::{
        booking::{Booking, Change, Channel, State},
        chosen::Chosen,
        group::{Group, Payer},
        span::minute,
    },
    flows::{
        Once,
        assignment::{self, Given},
        hold_slot::{check_caps, check_notice},
        keep::{self, Keep, Plan, Wanted},
        order_tasks::{self, Ready},
        quoting::{Priced, Quoting},
        record,
    },
    peers::Quote,
    rpc::convert::group::{Viewer, to_group},
};

/// What is wanted.
#[derive(Debug, Clone)]
pub struct HoldGroup {
    /// Where.
    pub store: StoreId,
    /// Who comes, for what.
    pub party: Party,
    /// Whose each visit is; `None` for the organiser's own.
    pub customers: Vec<Option<MemberId>>,
    /// When the first guest starts.
    pub start_time: Timestamp,
    /// Who brings the others.
    pub organiser: MemberId,
    /// Who pays.
    pub payer: Payer,
    /// Through which way it came.
    pub channel: Channel,
    /// What it comes from.
    pub device: Option<String>,
    /// The organiser was named by somebody else, so it must be checked that he exists.
    pub on_behalf: bool,
}

/// Keeps the visits, and has the orders for their deposits made.
pub async fn hold_group(
    app: &Arc<App>,
    once: Once<'_, pb::HoldGroupRequest>,
    wanted: HoldGroup,
) -> Result<pb::BookingGroup> {
    let quoting = wanted.party.guests.iter().map(|_| Quoting::default()).collect();
    let flow = Flow { app, once: &once, wanted, known: OnceCell::new(), quoting, tasks: Mutex::default() };
    let reply = keep::keep_once(app, &once, &flow).await?;
    let tasks = flow.tasks.into_inner();
    if !tasks.is_empty() {
        crash::point("booking.hold_group.committed");
        // So that the deposits can be paid as soon as there is the answer. If one fails the worker will see to it.
        join_all(tasks.into_iter().map(|task| order_tasks::run_now(app, task))).await;
    }
    Ok(reply)
}

struct Flow<'a> {
    app: &'a App,
    once: &'a Once<'a, pb::HoldGroupRequest>,
    wanted: HoldGroup,
    /// Whether all whom it names exist, once it was asked.
    known: OnceCell<()>,
    /// What is paid for each guest.
    quoting: Vec<Quoting>,
    /// What has the orders made.
    tasks: Mutex<Vec<Ready>>,
}

impl Keep for Flow<'_> {
    type Basis = Vec<Chosen>;
    type Reply = pb::BookingGroup;

    async fn prepare(&self) -> Result<()> {
        keep::check_start(self.app, self.wanted.start_time)?;
        self.known.get_or_try_init(|| self.check_members()).await?;
        Ok(())
    }

    async fn plan(&self, conn: &mut PgConnection) -> Result<Option<(Plan, Vec<Chosen>)>> {
        let Self { app, wanted, .. } = self;
        let HoldGroup { store, party, start_time, organiser, .. } = wanted;
        let sought = party.at(app, &mut *conn, *store).await?;
        let start = minute(*start_time);
        if let Err(refused) = check_notice(&sought.sight, party.bookable(app, &sought.sight), start) {
            // What was kept of the store may be out of date.
            return if app.sights.is_current(&mut *conn, &sought.sight).await? { Err(refused) } else { Ok(None) };
        }
        let (sight, visits, customer) = (&sought.sight, &sought.ways[..], *organiser);
        let wanted = Wanted { sight, customer, visits, start, without: &[], overbook: false };
        Ok(keep::plan(app, conn, wanted).await?.map(|plan| (plan, sought.chosen)))
    }

    async fn carry_out(&self, plan: &Plan, chosen: &Vec<Chosen>) -> Result<Option<pb::BookingGroup>> {
        let Self { app, wanted, once, .. } = self;
        let now = app.clock.now();
        let quotes = self.quotes(plan, chosen).await?;
        let mut tx = app.pg.begin().await?;
        let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
            Begin::Replay(reply) => return Ok(Some(reply)),
            Begin::Fresh(ticket) => ticket,
        };
        let mut names = vec![Name::Customer(wanted.organiser)];
        names.extend(wanted.device.as_deref().map(Name::Device));
        names.extend(keep::assignments(plan));
        if !keep::enter(app, &mut tx, plan, &[], &names).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        check_caps(app, &mut tx, wanted.organiser, wanted.device.as_deref(), None, now).await?;
        let Some(reasons) = keep::settle_party(&mut tx, plan, now).await? else {
            tx.rollback().await?;
            return Ok(None);
        };
        let (organiser, payer) = (wanted.organiser, wanted.payer);
        let group =
            Group { id: GroupId::new(now), store: wanted.store, organiser, payer, create_time: now, version: 1 };
        db::group::insert(&mut tx, &group).await?;
        let changes = self.changes(plan, chosen, &group, &quotes, reasons)?;
        let mut names = Vec::with_capacity(changes.len());
        for change in &changes {
            names.push(record::insert(&mut tx, change, now).await?);
        }
        let ids: Vec<BookingId> = changes.iter().map(|change| change.booking.id).collect();
        if !keep::take_party(&mut tx, &ids, plan).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        let tasks = self.follow_up(&mut tx, plan, &group, changes.iter().zip(names), now).await?;
        let bookings: Vec<Booking> = changes.iter().map(|change| change.booking.clone()).collect();
        follow::held(&mut tx, &group, &bookings, now).await?;
        if wanted.on_behalf {
            let entry = audit::Entry {
                actor: once.key.caller.to_owned(),
                action: "booking.hold_group".to_owned(),
                target: group.id.name(),
                detail: json!({ "guests": bookings.len() }),
            };
            audit::record(&mut tx, now, entry).await?;
        }
        let steps: Vec<_> = changes.into_iter().map(|change| (change.booking.id.uuid(), change.step)).collect();
        let reply = to_group(Viewer::Whole, &group, &bookings, &steps)?;
        ticket.finish(&mut tx, &reply).await?;
        tx.commit().await?;
        *self.tasks.lock().await = tasks;
        Ok(Some(reply))
    }
}

impl Flow<'_> {
    /// Whose visit that of a guest is.
    fn customer(&self, guest: usize) -> MemberId {
        self.wanted.customers.get(guest).copied().flatten().unwrap_or(self.wanted.organiser)
    }

    async fn check_members(&self) -> Result<()> {
        let HoldGroup { organiser, customers, on_behalf, .. } = &self.wanted;
        let mut named: BTreeSet<MemberId> = customers.iter().copied().flatten().collect();
        if *on_behalf {
            named.insert(*organiser);
        } else {
            named.remove(organiser);
        }
        try_join_all(named.into_iter().map(|member| self.app.peers.membership.check_member(member))).await?;
        Ok(())
    }

    /// What each guest's payer pays. Whoever refuses one refuses the group; the quotes that were made run out by
    /// themselves.
    async fn quotes(&self, plan: &Plan, chosen: &[Chosen]) -> Result<Vec<(Money, Quote)>> {
        let Plan { sight, visit, start, .. } = plan;
        let served = sight.served(visit, &plan.assignment, *start);
        let mut asked = Vec::with_capacity(chosen.len());
        for (guest, chosen) in chosen.iter().enumerate() {
            let list_price = chosen.price_of_guest(&sight.store, &sight.zone, visit, guest, &served)?;
            asked.push(async move { self.quote(guest, chosen, list_price).await.map(|quote| (list_price, quote)) });
        }
        try_join_all(asked).await
    }

    async fn quote(&self, guest: usize, chosen: &Chosen, list_price: Money) -> Result<Quote> {
        let Self { app, once, wanted, quoting, .. } = self;
        let customer = match wanted.payer {
            Payer::One => wanted.organiser,
            Payer::Split => self.customer(guest),
        };
        // As for a single hold: another caller's request id must not lead to it.
        let of_caller = kernel::ids::derive(once.key.request_id, once.key.caller);
        let attempt = kernel::ids::derive(of_caller, &guest.to_string());
        let priced = Priced { customer, item: chosen.first()?.id, store: wanted.store, list_price, attempt };
        let quoting = quoting.get(guest).ok_or_else(|| Error::internal("a guest whom nobody has asked for"))?;
        quoting.quote(app, priced, "booking.hold_group.quoted").await
    }

    /// The bookings, with ids in the order of the guests.
    fn changes(
        &self,
        plan: &Plan,
        chosen: &[Chosen],
        group: &Group,
        quotes: &[(Money, Quote)],
        reasons: Vec<String>,
    ) -> Result<Vec<Change>> {
        let mut ids: Vec<BookingId> = chosen.iter().map(|_| BookingId::new(group.create_time)).collect();
        ids.sort_unstable();
        let guests = chosen.iter().zip(quotes).zip(reasons).zip(ids).enumerate();
        guests
            .map(|(guest, (((chosen, quoted), reason), id))| {
                let booking = self.booking(plan, guest, chosen, group, *quoted)?;
                Ok(Booking { id, assignment: reason, ..booking }.made(self.once.key.caller))
            })
            .collect()
    }

    fn booking(
        &self,
        plan: &Plan,
        guest: usize,
        chosen: &Chosen,
        group: &Group,
        (list_price, quote): (Money, Quote),
    ) -> Result<Booking> {
        let Self { app, wanted, .. } = self;
        let mut parts = plan.parts_of(guest);
        let end_time = parts.iter().map(|part| part.end_time).max();
        let end_time = end_time.ok_or_else(|| Error::internal("a guest without a treatment"))?;
        let first = parts.remove(0);
        let (now, policy) = (group.create_time, &plan.sight.policy);
        let wish = wanted.party.guests.get(guest).map(|guest| guest.wish.clone()).unwrap_or_default();
        let minutes = SignedDuration::from_mins;
        Ok(Booking {
            id: BookingId::new(now),
            store: group.store,
            item: first.item,
            therapist: first.therapist,
            room: first.room,
            equipment: first.equipment,
            customer: self.customer(guest),
            start_time: first.start_time,
            end_time,
            state: State::Held,
            channel: wanted.channel,
            list_price,
            price: quote.price,
            deposit: quote.price.share(app.policy.deposit_basis_points)?,
            quote: Some(quote.id),
            hold_expire_time: now + minutes(policy.hold_minutes),
            create_time: now,
            version: 1,
            package: chosen.package(),
            parts,
            add_ons: chosen.add_ons().iter().map(|item| item.id).collect(),
            group: Some(group.id),
            extension_minutes: 0,
            requested: wish.therapist.is_some(),
            assignment: String::new(),
            device: wanted.device.clone(),
            partner: None,
            hold_limit_time: now + minutes(policy.hold_limit_minutes),
            overbook_reason: None,
            wish: wish.besides_name(),
            least_fee: Money::zero(quote.price.currency()),
        })
    }

    /// Counts the visits for their therapists and has the orders made.
    async fn follow_up(
        &self,
        tx: &mut Tx,
        plan: &Plan,
        group: &Group,
        changes: impl Iterator<Item = (&Change, Names)>,
        now: Timestamp,
    ) -> Result<Vec<Ready>> {
        let mut tasks = Vec::new();
        for (Change { booking, .. }, names) in changes {
            for (therapist, minutes) in booking.work() {
                let given = Given { booking: booking.id, therapist, requested: booking.requested, minutes };
                assignment::record(tx, booking.store, plan.policy(), given, now).await?;
            }
            let payer = group.payer_for(booking.customer);
            tasks.push(order_tasks::create_order_now(tx, booking, names.item, payer, now).await?);
        }
        Ok(tasks)
    }
}
