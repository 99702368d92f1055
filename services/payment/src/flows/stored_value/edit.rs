//! The frame around a change that somebody asks for: one transaction with the request's id, the audit and the reply.

use kernel::{Result, Timestamp};
use pg::{
    Tx,
    audit::{self, Entry},
    idempotency::{self, Begin, Ticket},
};
use prost::Message;
use rpc::Ctx;
use serde_json::Value;

use crate::{App, rpc::convert};

/// Whether a request came before.
pub(super) enum Started<R> {
    /// This was the answer.
    Before(R),
    /// It is new.
    Now(Box<Edit>),
}

/// A change under way.
pub(super) struct Edit {
    /// Its transaction.
    pub(super) tx: Tx,
    /// When it is made.
    pub(super) now: Timestamp,
    actor: String,
    ticket: Ticket,
}

impl Edit {
    /// Begins one, unless it is done.
    pub(super) async fn begin<Q: Message, R: Message + Default>(
        app: &App,
        ctx: &Ctx,
        request: &Q,
        request_id: &str,
    ) -> Result<Started<R>> {
        let key = convert::key(ctx, request_id)?;
        let now = app.clock.now();
        let mut tx = app.pg.begin().await?;
        Ok(match idempotency::begin(&mut tx, now, key, request).await? {
            Begin::Replay(reply) => {
                // He has asked the same before and got an answer, which is his; what it is about may be another's by now.
                ctx.caller.see_own(ctx.caller.member(), None)?;
                Started::Before(reply)
            }
            Begin::Fresh(ticket) => {
                let actor = ctx.caller.subject().to_owned();
                Started::Now(Box::new(Self { tx, now, actor, ticket }))
            }
        })
    }

    /// Notes who did what to which resource; the facts carry no personal data.
    pub(super) async fn note(&mut self, action: &str, target: String, detail: Value) -> Result<()> {
        let entry = Entry { actor: self.actor.clone(), action: action.to_owned(), target, detail };
        Ok(audit::record(&mut self.tx, self.now, entry).await?)
    }

    /// Stores the reply and commits.
    pub(super) async fn finish<R: Message>(mut self, reply: R) -> Result<R> {
        self.ticket.finish(&mut self.tx, &reply).await?;
        self.tx.commit().await?;
        kernel::crash::point("payment.card.committed");
        Ok(reply)
    }
}
