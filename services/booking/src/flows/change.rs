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
    Once, assignment,
    record::{self, Happened},
};
use crate::{
    App, db,
    domain::booking::{Booking, Change},
};

/// Reads a booking that the caller may touch.
pub async fn own(app: &App, caller: &Caller, id: BookingId) -> Result<Booking> {
    let booking = db::booking::get(&mut *app.pg.conn().await?, id).await?.ok_or_else(|| Error::not_found(id))?;
    caller.see_own(Some(booking.customer), Some(booking.store))?;
    Ok(booking)
}

/// Whether a request came before.
#[derive(Debug)]
pub enum Begun {
    /// This was its answer.
    Before(pb::Booking),
    /// It is new.
    Now(Box<Open>),
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
    Ok(Begun::Now(Box::new(Open { tx, booking, ticket })))
}

impl Open {
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
