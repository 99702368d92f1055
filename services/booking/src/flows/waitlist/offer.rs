//! Holding a time for somebody in line.

use jiff::SignedDuration;
use kernel::{Error, Result, crash};
use pg::{
    PgConnection,
    outbox::{self, NewEvent},
};
use proto::booking::v1 as pb;
use rpc::convert::to_timestamp;

use super::{ACTOR, seek};
use crate::{
    App, db,
    db::locks::Name,
    domain::{
        assignment::order,
        availability,
        chosen::Chosen,
        span::{Minute, Span, instant, minute_after},
        waitlist::{Entry, State, open_starts},
    },
    flows::{
        draft::{self, Terms, draft},
        keep::{self, Keep, Plan, Wanted},
        order_tasks,
        quoting::{Priced, Quoting},
        record,
        seek::{Sought, supplies},
    },
    peers::Quote,
};

/// Says that nothing can be had, from the planning to whoever asked for it.
pub const NOTHING: &str = "NOTHING_FREE";

/// Says so if the times that are free are those of his own visits, or some that he let pass: others might have them.
pub const NOTHING_FOR_HIM: &str = "NOTHING_FREE_FOR_HIM";

/// Holds for an entry the first time within `window` that suits; `false` if there is none.
pub async fn offer(app: &App, entry: &Entry, window: Span) -> Result<bool> {
    let flow = Flow { app, entry, window, quoting: Quoting::default() };
    match keep::keep(app, &flow).await {
        Ok(()) => {
            crash::point("booking.offer.committed");
            Ok(true)
        }
        // SLOT_TAKEN: the times went to others again and again.
        Err(refused) if [NOTHING, NOTHING_FOR_HIM, "SLOT_TAKEN"].contains(&refused.reason()) => Ok(false),
        Err(refused) => Err(refused),
    }
}

/// The first start within `window` at which an entry can have what it waits for.
///
/// A time that would begin before the offer of it runs out is not looked for: it is better left to whoever comes by.
pub async fn first_start(
    app: &App,
    conn: &mut PgConnection,
    entry: &Entry,
    window: Span,
) -> Result<(Sought, Result<Minute>)> {
    let seek = seek(entry);
    let mut sought = [seek.at(app, &mut *conn, entry.store).await?];
    let [of] = &sought;
    let earliest = minute_after(app.clock.now() + SignedDuration::from_mins(of.sight.policy.waitlist_offer_minutes));
    let open = entry.window().common(window).common(seek.bookable(app, &of.sight));
    let open = open.common(Span::new(earliest, Minute::MAX));
    let nothing = |reason| Error::precondition(reason, "no time that suits can be had");
    if open.minutes() <= 0 {
        let [of] = sought;
        return Ok((of, Err(nothing(NOTHING))));
    }
    let supply = supplies(app, &mut *conn, &seek, &mut sought, open).await?.pop();
    let supply = supply.ok_or_else(|| Error::internal("a store without a supply"))?;
    let [of] = sought;
    let longest = of.visits.iter().map(|visit| visit.treatment.end).max().unwrap_or_default();
    let closed = db::waitlist::closed(conn, entry, instant(open.start), instant(open.end + longest)).await?;
    let windows = open_starts(open, longest, &closed);
    let order = order(of.sight.policy.assignment, &of.context, &supply);
    let found = availability::offers_within(&supply, &of.visits, &windows, &order, 1).pop();
    let refused = if closed.is_empty() { NOTHING } else { NOTHING_FOR_HIM };
    Ok((of, found.map(|found| found.start).ok_or_else(|| nothing(refused))))
}

struct Flow<'a> {
    app: &'a App,
    entry: &'a Entry,
    window: Span,
    /// What the customer pays.
    quoting: Quoting,
}

impl Keep for Flow<'_> {
    type Basis = Chosen;
    type Reply = ();

    async fn plan(&self, conn: &mut PgConnection) -> Result<Option<(Plan, Chosen)>> {
        let (of, start) = first_start(self.app, &mut *conn, self.entry, self.window).await?;
        let Sought { sight, chosen, visits, .. } = of;
        let (customer, start) = (self.entry.customer, start?);
        let wanted = Wanted { sight: &sight, customer, visits: &visits, start, without: &[], overbook: false };
        match keep::plan(self.app, conn, wanted).await {
            Ok(plan) => Ok(plan.map(|plan| (plan, chosen))),
            // Somebody took it since we looked, or took something of it.
            Err(refused) if ["SLOT_TAKEN", "WORK_LIMIT"].contains(&refused.reason()) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn carry_out(&self, plan: &Plan, chosen: &Chosen) -> Result<Option<()>> {
        let Self { app, entry, .. } = self;
        let quote = self.quote(plan, chosen).await?;
        let now = app.clock.now();
        // It can't be prolonged: the next in line waits.
        let until = now + SignedDuration::from_mins(plan.sight.policy.waitlist_offer_minutes);
        let terms = Terms {
            customer: entry.customer,
            channel: entry.channel,
            wish: entry.wish.clone(),
            deposit: quote.price.share(app.policy.deposit_basis_points)?,
            hold_expire_time: until,
            hold_limit_time: until,
        };
        let booking = draft(plan, chosen, quote, terms, now)?;
        let time = (booking.start_time, booking.end_time);
        let mut tx = app.pg.begin().await?;
        let mut names = vec![Name::Customer(entry.customer)];
        names.extend(keep::assignments(plan));
        if !keep::enter(app, &mut tx, plan, &[], &names).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        let entry = db::waitlist::lock(&mut tx, entry.id).await?.filter(|entry| entry.state == State::Waiting);
        let Some(entry) = entry else {
            // Somebody else served it, or it left.
            return Err(Error::precondition(NOTHING, "the entry does not wait any more"));
        };
        let is_busy = !db::waitlist::closed(&mut tx, &entry, time.0, time.1).await?.is_empty();
        let kept = match is_busy {
            true => None,
            false => draft::insert(&mut tx, plan, booking, ACTOR).await?,
        };
        let Some(change) = kept else {
            tx.rollback().await?;
            return Ok(None);
        };
        let booking = change.booking;
        db::waitlist::insert_offer(&mut tx, entry.id, booking.id, time, now).await?;
        let entry = entry.offer(booking.id)?;
        db::waitlist::save(&mut tx, &entry).await?;
        let accept_only = booking.deposit.is_zero();
        let offered = pb::WaitlistOffered {
            entry: entry.id.name(),
            booking: Some(record::facts_of(&mut tx, &booking).await?),
            offer_expire_time: Some(to_timestamp(until)),
            accept_only,
        };
        outbox::append(&mut tx, NewEvent::new(entry.id.uuid(), entry.version, now, &offered)).await?;
        // Without a deposit making the order would confirm the visit: that is for the customer to do.
        if !accept_only {
            order_tasks::create_order(&mut tx, &booking, now).await?;
        }
        tx.commit().await?;
        Ok(Some(()))
    }
}

impl Flow<'_> {
    /// What the customer pays. The same offer asks for the same quote.
    async fn quote(&self, plan: &Plan, chosen: &Chosen) -> Result<Quote> {
        let Entry { customer, store, id, version, .. } = *self.entry;
        let (item, list_price) = draft::list_price(plan, chosen)?;
        let attempt = kernel::ids::derive(id.uuid(), &version.to_string());
        let priced = Priced { customer, item, store, list_price, attempt };
        self.quoting.quote(self.app, priced, "booking.offer.quoted").await
    }
}
