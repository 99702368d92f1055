//! Calling the next: his visit is made at once.

use std::sync::Arc;

use kernel::{
    Error, ErrorKind, Money, Result, crash,
    ids::{QueueTicketId, StoreId},
};
use pg::{
    PgConnection, Tx,
    idempotency::{self, Begin},
};
use proto::booking::v1 as pb;
use rpc::Caller;
use tokio::sync::Mutex;

use super::{
    on_record,
    queue::{Queue, view},
    save,
};
use crate::{
    App, db,
    db::locks::Name,
    domain::{booking::Channel, chosen::Chosen, walk_in::Ticket},
    flows::{
        Once,
        draft::{self, Terms, draft},
        keep::{self, Keep, Plan, Wanted},
        order_tasks::{self, Ready},
        quoting::{Priced, Quoting},
        record::{self, Happened},
    },
    peers::Quote,
};

/// Calls the first who can begin now without delaying one before him.
pub async fn call_next(
    app: &Arc<App>,
    caller: &Caller,
    once: Once<'_, pb::CallNextRequest>,
    store: StoreId,
) -> Result<pb::QueueTicket> {
    caller.see_own(None, Some(store))?;
    if let Some(reply) = answered(app, &once).await? {
        return Ok(reply);
    }
    let flow = Flow { app, caller, once: &once, store, quoting: Quoting::default(), task: Mutex::new(None) };
    let reply = match keep::keep(app, &flow).await {
        // He may have been called by a twin of this request, sent at the same moment.
        Err(refused) if refused.kind() == ErrorKind::FailedPrecondition => {
            answered(app, &once).await?.ok_or(refused)?
        }
        outcome => outcome?,
    };
    if let Some(task) = flow.task.into_inner() {
        crash::point("booking.call.committed");
        order_tasks::run_now(app, task).await;
    }
    Ok(reply)
}

async fn answered(app: &App, once: &Once<'_, pb::CallNextRequest>) -> Result<Option<pb::QueueTicket>> {
    idempotency::replay(&mut *app.pg.conn().await?, once.key, once.message).await
}

struct Flow<'a> {
    app: &'a App,
    caller: &'a Caller,
    once: &'a Once<'a, pb::CallNextRequest>,
    store: StoreId,
    /// What the one who is called pays.
    quoting: Quoting,
    /// What has the order made.
    task: Mutex<Option<Ready>>,
}

/// Whom a plan calls, and the queue that it was made from.
struct Called {
    ticket: Ticket,
    chosen: Chosen,
    queue: Vec<(QueueTicketId, i64)>,
}

impl Keep for Flow<'_> {
    type Basis = Called;
    type Reply = pb::QueueTicket;

    async fn plan(&self, conn: &mut PgConnection) -> Result<Option<(Plan, Called)>> {
        let Self { app, store, .. } = self;
        let Queue { sight, earliest, line, .. } = Queue::read(app, &mut *conn, *store).await?;
        let queue = line.iter().map(|waiting| (waiting.ticket.id(), waiting.ticket.version)).collect();
        let due = line.iter().position(|waiting| waiting.start() == Some(earliest));
        // Those before him were told when they can begin: what they need then is not his.
        let before = line.iter().take(due.unwrap_or_default()).filter_map(|waiting| waiting.turn.as_ref());
        let promised: Vec<_> = before.flat_map(|turn| turn.kept.iter().copied()).collect();
        let due = due.and_then(|due| line.into_iter().nth(due));
        let due = due.and_then(|waiting| Some((waiting.ticket, waiting.chosen?)));
        let Some((ticket, (chosen, visits))) = due else {
            return Err(Error::precondition("NOBODY_DUE", "nobody in the queue can begin now; try again later"));
        };
        let (customer, start) = (ticket.customer, earliest);
        let wanted = Wanted { sight: &sight, customer, visits: &visits, start, without: &[], overbook: false };
        match keep::plan_beside(app, conn, wanted, &promised).await {
            Ok(plan) => Ok(plan.map(|plan| (plan, Called { ticket, chosen, queue }))),
            // Somebody took it since we looked.
            Err(refused) if ["SLOT_TAKEN", "WORK_LIMIT"].contains(&refused.reason()) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn carry_out(&self, plan: &Plan, called: &Called) -> Result<Option<pb::QueueTicket>> {
        let Self { app, caller, once, store, .. } = self;
        let quote = self.quote(plan, called).await?;
        let now = app.clock.now();
        let terms = Terms {
            customer: called.ticket.customer,
            channel: Channel::WalkIn,
            wish: called.ticket.wish.clone(),
            // He is here: he pays at the end.
            deposit: Money::zero(quote.price.currency()),
            hold_expire_time: now,
            hold_limit_time: now,
        };
        let booking = draft(plan, &called.chosen, quote, terms, now)?;
        let mut tx = app.pg.begin().await?;
        let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
            Begin::Replay(reply) => return Ok(Some(reply)),
            Begin::Fresh(ticket) => ticket,
        };
        let mut names = vec![Name::Queue(*store)];
        names.extend(keep::assignments(plan));
        if !keep::enter(app, &mut tx, plan, &[], &names).await? || self.has_changed(&mut tx, called).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        let Some(change) = draft::insert(&mut tx, plan, booking, caller.subject()).await? else {
            tx.rollback().await?;
            return Ok(None);
        };
        let change = change.booking.seat(now, caller.subject())?;
        let names = record::store(&mut tx, &change, Happened::CheckedIn, now).await?;
        let of_queue = db::walk_in::lock(&mut tx, called.ticket.id()).await?;
        let of_queue = of_queue.ok_or_else(|| Error::not_found(called.ticket.id()))?.call(change.booking.id)?;
        save(&mut tx, &of_queue, now).await?;
        let payer = change.booking.customer;
        let task = order_tasks::create_order_now(&mut tx, &change.booking, names.item, payer, now).await?;
        on_record(&mut tx, caller, "queue.call", &of_queue, now).await?;
        let reply = view(app, &mut tx, &of_queue).await?;
        ticket.finish(&mut tx, &reply).await?;
        tx.commit().await?;
        *self.task.lock().await = Some(task);
        Ok(Some(reply))
    }
}

impl Flow<'_> {
    /// Whether somebody came, went or was passed over since the plan was made: then another may be due. To be called when
    /// the queue is locked.
    async fn has_changed(&self, tx: &mut Tx, called: &Called) -> Result<bool> {
        let mut now: Vec<_> = db::walk_in::waiting(tx, self.store).await?;
        now.sort_by_key(Ticket::id);
        let mut then = called.queue.clone();
        then.sort_unstable();
        Ok(!now.iter().map(|ticket| (ticket.id(), ticket.version)).eq(then))
    }

    /// What the customer pays. The same call of a ticket asks for the same quote.
    async fn quote(&self, plan: &Plan, called: &Called) -> Result<Quote> {
        let (item, list_price) = draft::list_price(plan, &called.chosen)?;
        let attempt = kernel::ids::derive(called.ticket.id().uuid(), &called.ticket.version.to_string());
        let priced = Priced { customer: called.ticket.customer, item, store: self.store, list_price, attempt };
        self.quoting.quote(self.app, priced, "booking.call.quoted").await
    }
}
