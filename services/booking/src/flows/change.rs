//! What all changes of one booking have in common: who may, once only, under its lock, and on record.

use kernel::{Error, Result, Timestamp, ids::BookingId};
use pg::{
    Tx, audit,
    idempotency::{self, Begin, Ticket},
};
use prost::Message;
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::Value;

use super::{
    Once,
    assignment::{self, Given},
    group,
    keep::{self, Plan},
    record::{self, Happened},
};
use crate::{
    App,
    db::{self, locks::Name},
    domain::booking::{Booking, Change},
};

/// Reads a booking that the caller may touch.
pub async fn own(app: &App, caller: &Caller, id: BookingId) -> Result<Booking> {
    let mut conn = app.pg.conn().await?;
    let booking = db::booking::get(&mut conn, id).await?.ok_or_else(|| Error::not_found(id))?;
    let owner = group::owner_for(&mut conn, caller, &booking).await?;
    caller.see_own(Some(owner), Some(booking.store))?;
    Ok(booking)
}

/// Whether a request came before.
#[derive(Debug)]
pub enum Begun {
    /// This was its answer.
    Before(pb::Booking),
    /// It is new.
    Now(Open),
}

/// A change of a booking that is being made.
#[derive(Debug)]
pub struct Open {
    /// Its transaction.
    pub tx: Tx,
    /// The booking, which the transaction has locked.
    pub booking: Booking,
    ticket: Ticket,
}

/// Claims the request and locks the booking, which the caller must have been found to own. The request comes first: a
/// twin of it waits there, and finds the answer instead of a booking that has changed.
pub async fn begin<Q: Message>(app: &App, once: &Once<'_, Q>, id: BookingId, now: Timestamp) -> Result<Begun> {
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
        Begin::Replay(reply) => return Ok(Begun::Before(reply)),
        Begin::Fresh(ticket) => ticket,
    };
    assignment::lock_of(&mut tx, id).await?;
    let booking = db::booking::lock(&mut tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    Ok(Begun::Now(Open { tx, booking, ticket }))
}

/// The same to carry out a plan that was made from `planned`, with `names` locked too. `None` if the plan or the booking is another by now: then
/// plan again.
pub async fn begin_planned<Q: Message>(
    app: &App,
    once: &Once<'_, Q>,
    planned: &Booking,
    plan: &Plan,
    names: &[Name<'static>],
    now: Timestamp,
) -> Result<Option<Begun>> {
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
        Begin::Replay(reply) => return Ok(Some(Begun::Before(reply))),
        Begin::Fresh(ticket) => ticket,
    };
    // If who gives it changes, so does whose turn it is.
    let counts = !db::fairness::credits(&mut tx, planned.id).await?.is_empty();
    let mut names = names.to_vec();
    names.extend(counts.then_some(Name::Assignments(planned.store)));
    if keep::enter(app, &mut tx, plan, &[planned.id], &names).await? {
        let booking = db::booking::lock(&mut tx, planned.id).await?.ok_or_else(|| Error::not_found(planned.id))?;
        if booking.version == planned.version {
            return Ok(Some(Begun::Now(Open { tx, booking, ticket })));
        }
    }
    tx.rollback().await?;
    Ok(None)
}

impl Open {
    /// Gives back what the booking keeps and takes what the plan needs. `false` if somebody else has some of it: then
    /// drop this, which leaves everything as it was, and plan again.
    pub async fn retake(&mut self, plan: &Plan) -> Result<bool> {
        db::allocation::release(&mut self.tx, self.booking.id).await?;
        keep::take(&mut self.tx, self.booking.id, plan).await
    }

    /// Counts the visit for whoever gives it after `change` in place of those who gave it before, if it counted for them;
    /// and for whoever stays, by how long it takes now.
    pub async fn hand_over(&mut self, app: &App, change: &Change) -> Result<()> {
        let (now, after) = (change.step.change_time, &change.booking);
        let stays = |therapist| after.work().iter().any(|(of, _)| *of == therapist);
        let credits = db::fairness::credits(&mut self.tx, after.id).await?;
        for (therapist, minutes) in after.work() {
            if let Some(credit) = credits.iter().find(|credit| credit.therapist == therapist) {
                assignment::recount(&mut self.tx, credit.clone(), minutes).await?;
            }
        }
        if credits.iter().all(|credit| stays(credit.therapist)) {
            return Ok(());
        }
        let policy = db::policy::of_store(&mut self.tx, &app.policy, after.store).await?.assignment;
        for credit in credits.iter().filter(|credit| !stays(credit.therapist)) {
            assignment::give_back(&mut self.tx, after.id, Some(credit.therapist), now).await?;
        }
        for (therapist, minutes) in after.work() {
            if credits.iter().any(|credit| credit.therapist == therapist) {
                continue;
            }
            let given = Given { booking: after.id, therapist, requested: after.requested, minutes };
            assignment::record(&mut self.tx, after.store, policy, given, now).await?;
        }
        Ok(())
    }

    /// Stores the change, its event and its answer, and commits. What others than the customer do goes on record as
    /// `action`.
    pub async fn finish(
        mut self,
        caller: &Caller,
        change: &Change,
        happened: Happened,
        (action, detail): (&str, Value),
    ) -> Result<pb::Booking> {
        let now = change.step.change_time;
        let reply = record::save(&mut self.tx, change, happened, now).await?;
        if caller.member().is_none() {
            let entry = audit::Entry {
                actor: caller.subject().to_owned(),
                action: action.to_owned(),
                target: change.booking.id.name(),
                detail,
            };
            audit::record(&mut self.tx, now, entry).await?;
        }
        self.ticket.finish(&mut self.tx, &reply).await?;
        self.tx.commit().await?;
        Ok(reply)
    }
}
