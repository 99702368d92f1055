//! What the chain offers: adding, changing and retiring. Every edit has a version of its own, one event and one entry in
//! the audit log; what plans are made from is changed by the one who owns the roster of the store
//! ([`db::roster`](crate::db::roster)).

mod item;
mod package;
mod room;
mod store;
mod therapist;

pub use item::{create_item, retire_item, update_item};
pub use package::{create_package, retire_package, update_package};
pub use room::{create_room, retire_room, update_room};
pub use store::{create_store, update_store};
pub use therapist::{create_therapist, retire_therapist, update_therapist};

use kernel::{Error, Result, Timestamp, ids::StoreId};
use pg::{
    Tx, audit,
    idempotency::{self, Begin, Ticket},
};
use prost::Message;
use rpc::Caller;
use serde_json::json;

use super::Once;
use crate::{App, db};

/// Whether a request came before.
enum Started<R> {
    Before(R),
    Now(Tx, Ticket),
}

async fn begin<Q: Message, R: Message + Default>(app: &App, once: &Once<'_, Q>, now: Timestamp) -> Result<Started<R>> {
    let mut tx = app.pg.begin().await?;
    Ok(match idempotency::begin(&mut tx, now, once.key, once.message).await? {
        Begin::Replay(reply) => Started::Before(reply),
        Begin::Fresh(ticket) => Started::Now(tx, ticket),
    })
}

/// What was done, for the audit log.
struct Deed<'a> {
    caller: &'a Caller,
    action: &'static str,
    /// The resource name.
    target: String,
    /// The version that it led to.
    version: i64,
    /// What an update named; empty for all else.
    fields: &'a [&'static str],
}

impl<'a> Deed<'a> {
    fn new(caller: &'a Caller, action: &'static str, target: String, version: i64) -> Self {
        Self { caller, action, target, version, fields: &[] }
    }
}

async fn finish<R: Message>(mut tx: Tx, ticket: Ticket, now: Timestamp, deed: Deed<'_>, reply: R) -> Result<R> {
    let entry = audit::Entry {
        actor: deed.caller.subject().to_owned(),
        action: deed.action.to_owned(),
        target: deed.target,
        detail: match deed.fields {
            [] => json!({ "version": deed.version }),
            fields => json!({ "version": deed.version, "fields": fields }),
        },
    };
    audit::record(&mut tx, now, entry).await?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// Owns the roster of a store that exists.
async fn own(tx: &mut Tx, store: StoreId) -> Result<()> {
    known_store(tx, store).await?;
    db::roster::own(tx, store).await?;
    Ok(())
}

async fn known_store(tx: &mut Tx, store: StoreId) -> Result<()> {
    db::catalog::get_store(tx, store).await?.map(|_| ()).ok_or_else(|| Error::not_found(store))
}
