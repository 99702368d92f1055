//! Getting a ticket.

use std::sync::Arc;

use kernel::{
    Error, Result, crash,
    ids::{MemberId, QueueTicketId, StoreId},
};
use pg::idempotency::{self, Begin};
use proto::booking::v1 as pb;
use rpc::Caller;

use super::{on_record, queue::Queue, tell};
use crate::{
    App, db,
    db::locks::Name,
    domain::{
        chosen::Choice,
        span::instant,
        visit::Wish,
        walk_in::{
            State, Ticket,
            line::{Place, Rules, end, overtaken},
        },
    },
    flows::Once,
};

/// What somebody waits for.
#[derive(Debug, Clone)]
pub struct Join {
    /// Where.
    pub store: StoreId,
    /// Who.
    pub customer: MemberId,
    /// For what.
    pub choice: Choice,
    /// With whom.
    pub wish: Wish,
    /// Why it is urgent; `None` if it is not.
    pub urgent_reason: Option<String>,
}

/// Gives a member a ticket, and says when he can begin.
pub async fn join_queue(
    app: &Arc<App>,
    caller: &Caller,
    once: Once<'_, pb::JoinQueueRequest>,
    join: Join,
) -> Result<pb::QueueTicket> {
    if let Some(reply) = idempotency::replay(&mut *app.pg.conn().await?, once.key, once.message).await? {
        return Ok(reply);
    }
    let tier = app.peers.membership.tier(join.customer).await?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    db::locks::take(&mut tx, &[Name::Queue(join.store)]).await?;
    let queue = Queue::read(app, &mut tx, join.store).await?;
    let Some(opening) = queue.opening else {
        let text = "the store is not open now; book a time instead";
        return Err(Error::precondition("OUTSIDE_OPENING_HOURS", text));
    };
    if let Some(other) = queue.line.iter().find(|other| other.ticket.customer == join.customer) {
        let text = "he has a ticket already; leave that place first";
        return Err(Error::precondition("IN_QUEUE", text).with("ticket", other.ticket.id()));
    }
    // What can't be had is refused here, with its reason; in the queue it would only wait in vain.
    queue.sight.choose(&mut tx, &join.choice).await?.visits(1, &join.wish)?;
    if let Some(therapist) = join.wish.therapist.filter(|therapist| queue.sight.grade(*therapist) == 0) {
        let text = format!("{therapist} does not work at this store; name somebody who does, or nobody");
        return Err(Error::invalid("therapist", text));
    }
    let urgent = join.urgent_reason.is_some();
    let line: Vec<&Place> = queue.line.iter().map(|waiting| &waiting.ticket.place).collect();
    let queue_time = end(line.iter().copied(), now);
    let overtook = if urgent { Vec::new() } else { overtaken(&Rules::default(), &line, tier, now) };
    let id = QueueTicketId::new(now);
    let close_time = instant(opening.end);
    let mut joined = Ticket {
        store: join.store,
        number: db::walk_in::next_number(&mut tx, join.store, close_time).await?,
        customer: join.customer,
        choice: join.choice,
        wish: join.wish,
        place: Place { ticket: id, urgent, tier, join_time: now, queue_time, overtook },
        urgent_reason: join.urgent_reason.unwrap_or_default(),
        quoted_time: now,
        close_time,
        state: State::Waiting,
        booking: None,
        skip_count: 0,
        version: 1,
    };
    let mut tickets: Vec<Ticket> = queue.line.into_iter().map(|waiting| waiting.ticket).collect();
    tickets.push(joined.clone());
    let queue = Queue::of(app, &mut tx, join.store, tickets).await?;
    let start = queue.position(id).and_then(|position| queue.line.get(position)?.start());
    let Some(start) = start else {
        let text = "he could not begin before the store closes; book a time on another day";
        return Err(Error::precondition("NO_TIME_TODAY", text));
    };
    joined.quoted_time = instant(start);
    db::walk_in::insert(&mut tx, &joined).await?;
    tell(&mut tx, &joined, now).await?;
    on_record(&mut tx, caller, "queue.join", &joined, now).await?;
    let reply = queue.view(&joined, now);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    crash::point("booking.queue.joined");
    Ok(reply)
}
