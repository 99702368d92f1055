//! The frame around an edit of the catalogue or the roster: one transaction with the request's id, the audit and the reply.

use kernel::{Result, Timestamp};
use pg::{
    Tx, audit,
    idempotency::{self, Begin, Ticket},
};
use prost::Message;
use rpc::Caller;
use serde_json::{Value, json};

use super::Once;
use crate::App;

/// Whether a request came before.
pub enum Started<R> {
    /// This was the answer.
    Before(R),
    /// It is new.
    Now(Box<Frame>),
}

/// An edit under way.
#[derive(Debug)]
pub struct Frame {
    /// Its transaction.
    pub tx: Tx,
    /// When it is made.
    pub now: Timestamp,
    ticket: Ticket,
}

impl Frame {
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
