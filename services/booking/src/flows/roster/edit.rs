//! The frame around an edit: one transaction with the request's id, the audit and the reply.

use kernel::{Error, Result, Timestamp, ids::TherapistId};
use pg::{
    Tx, audit,
    idempotency::{self, Begin, Ticket},
};
use prost::Message;
use rpc::Caller;
use serde_json::{Value, json};

use crate::{App, db, domain::catalog::Therapist, flows::Once};

/// Whether a request came before.
pub enum Started<R> {
    /// This was the answer.
    Before(R),
    /// It is new.
    Now(Box<Edit>),
}

/// An edit under way.
#[derive(Debug)]
pub struct Edit {
    /// Its transaction.
    pub tx: Tx,
    /// When it is made.
    pub now: Timestamp,
    ticket: Ticket,
}

impl Edit {
    /// Begins one, unless it is done.
    pub async fn begin<Q: Message, R: Message + Default>(app: &App, once: &Once<'_, Q>) -> Result<Started<R>> {
        let now = app.clock.now();
        let mut tx = app.pg.begin().await?;
        Ok(match idempotency::begin(&mut tx, now, once.key, once.message).await? {
            Begin::Replay(reply) => Started::Before(reply),
            Begin::Fresh(ticket) => Started::Now(Box::new(Self { tx, now, ticket })),
        })
    }

    /// Notes who did what to which resource, stores the reply and commits.
    pub async fn finish<R: Message>(self, caller: &Caller, action: &str, target: String, reply: R) -> Result<R> {
        self.finish_with(caller, action, target, json!({}), reply).await
    }

    /// The same, with facts for the audit; they carry no personal data.
    pub async fn finish_with<R: Message>(
        mut self,
        caller: &Caller,
        action: &str,
        target: String,
        detail: Value,
        reply: R,
    ) -> Result<R> {
        let entry = audit::Entry { actor: caller.subject().to_owned(), action: action.to_owned(), target, detail };
        audit::record(&mut self.tx, self.now, entry).await?;
        self.ticket.finish(&mut self.tx, &reply).await?;
        self.tx.commit().await?;
        Ok(reply)
    }
}

/// Reads a therapist whom the caller may see.
pub async fn therapist(app: &App, caller: &Caller, id: TherapistId) -> Result<Therapist> {
    let therapist = db::catalog::get_therapist(&mut *app.pg.conn().await?, id).await?;
    let therapist = therapist.ok_or_else(|| Error::not_found(id))?;
    caller.see_own(None, Some(therapist.store))?;
    Ok(therapist)
}

/// The answer given before, if there is one: of a repeated request the thing itself may be gone by now.
pub async fn answered<Q: Message, R: Message + Default>(
    app: &App,
    caller: &Caller,
    once: &Once<'_, Q>,
) -> Result<Option<R>> {
    let reply = idempotency::replay(&mut *app.pg.conn().await?, once.key, once.message).await?;
    if reply.is_some() {
        // Answers are kept by caller: it is his.
        caller.see_own(None, None)?;
    }
    Ok(reply)
}
