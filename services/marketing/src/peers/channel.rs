//! How messages go out.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Result, SharedClock, ids::MessageId};
use pg::{Pg, vault::Vault};

use crate::{
    db::{self, mailbox::Letter},
    domain::{message::Kind, phone::Phone},
};

/// A text on its way out. It does not print.
pub struct Outgoing<'a> {
    /// Which message it is. A channel delivers one message once, however often it is given it.
    pub message: MessageId,
    /// What it is about: providers want it known.
    pub kind: Kind,
    /// To which phone.
    pub phone: &'a Phone,
    /// The text.
    pub text: &'a str,
}

/// A way by which messages go out, such as SMS.
#[async_trait]
pub trait ChannelPort: Send + Sync {
    /// What it is called in events and in the database.
    fn name(&self) -> &'static str;

    /// Sends a text. `Unavailable` if it may be tried again; any other error is a refusal for good.
    async fn send(&self, outgoing: &Outgoing<'_>) -> Result<()>;
}

/// A channel that reaches no phone: texts end up in a table, sealed, where a trial can read them over the API.
#[derive(Debug)]
pub struct DemoMailbox {
    pg: Pg,
    vault: Arc<Vault>,
    clock: SharedClock,
}

impl DemoMailbox {
    /// The mailbox in the database `pg`.
    pub fn new(pg: Pg, vault: Arc<Vault>, clock: SharedClock) -> Self {
        Self { pg, vault, clock }
    }
}

#[async_trait]
impl ChannelPort for DemoMailbox {
    fn name(&self) -> &'static str {
        "demo_mailbox"
    }

    async fn send(&self, outgoing: &Outgoing<'_>) -> Result<()> {
        let now = self.clock.now();
        let owner = db::key::phone_owner(&self.vault, outgoing.phone);
        let mut tx = self.pg.begin().await?;
        let key = db::key::ensure(&self.vault, &mut tx, owner, now).await?;
        let letter = Letter {
            message: outgoing.message,
            kind: outgoing.kind,
            body: key.seal(db::mailbox::BODY, outgoing.message.uuid(), outgoing.text)?,
            receive_time: now,
        };
        db::mailbox::insert_if_new(&mut tx, db::key::phone_index(&self.vault, outgoing.phone), &letter).await?;
        Ok(tx.commit().await?)
    }
}
