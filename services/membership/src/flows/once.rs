//! One effect and one answer per request id, as `pg::idempotency`, for answers that must not be stored in clear and
//! requests that must not be stored as a plain digest.
//!
//! The flow takes a lock under which twins of the request line up, asks for the [`answered`] reply, does the effect and
//! [`keep`]s the reply in the same transaction. A reply with tokens goes with its session.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use kernel::{Error, ErrorKind, Result, Timestamp, Uuid, ids::SessionId};
use pg::{PgConnection, Tx, vault::Column};
use prost::Message;

use crate::{
    App,
    db::{self, reply::SealedReply},
    secrets,
};

const REPLY: Column = Column { table: "sealed_reply", column: "sealed_reply" };

/// What identifies a request.
#[derive(Debug, Clone)]
pub struct Once {
    caller: String,
    request_id: Uuid,
    fingerprint: [u8; 32],
}

impl Once {
    /// Of a request that anybody may send: whoever repeats it shows what it proves itself by.
    pub fn public<Q: Message>(app: &App, method: &str, request_id: Uuid, message: &Q) -> Self {
        Self::of("anonymous", app, method, request_id, message)
    }

    /// Of a request of a known caller.
    pub fn of<Q: Message>(caller: &str, app: &App, method: &str, request_id: Uuid, message: &Q) -> Self {
        let fingerprint = secrets::fingerprint(&app.vault, method, &message.encode_to_vec());
        Self { caller: caller.to_owned(), request_id, fingerprint }
    }
}

/// The reply given before. Fails with `InvalidArgument`, reason `REQUEST_ID_REUSED`, if the id came with other content.
pub async fn answered<R: Message + Default>(app: &App, conn: &mut PgConnection, once: &Once) -> Result<Option<R>> {
    let Some(stored) = db::reply::get(conn, &once.caller, once.request_id).await? else { return Ok(None) };
    if stored.fingerprint != once.fingerprint {
        return Err(reused());
    }
    let key = app.vault.open(conn, stored.owner).await?;
    let text = key.unseal(REPLY, once.request_id, &stored.sealed)?;
    let bytes = STANDARD_NO_PAD.decode(text).map_err(Error::internal)?;
    R::decode(bytes.as_slice()).map(Some).map_err(Error::internal)
}

/// Keeps a reply under the key of `owner`, for as long as `session` lives if there is one.
pub async fn keep<R: Message>(
    app: &App,
    tx: &mut Tx,
    once: &Once,
    owner: Uuid,
    session: Option<SessionId>,
    reply: &R,
    now: Timestamp,
) -> Result<()> {
    let key = app.vault.open(tx, owner).await?;
    let sealed = key.seal(REPLY, once.request_id, &STANDARD_NO_PAD.encode(reply.encode_to_vec()))?;
    let stored = SealedReply { fingerprint: once.fingerprint.to_vec(), owner, sealed };
    if db::reply::insert(tx, &once.caller, once.request_id, &stored, session, now).await? {
        return Ok(());
    }
    // Twins have lined up, so it is not one of them.
    Err(reused())
}

/// The request id came before with other content.
pub fn reused() -> Error {
    Error::new(ErrorKind::InvalidArgument, "REQUEST_ID_REUSED", "this request_id was used for another request")
        .with_violation("request_id", "was used for another request; take a new UUID for each new request")
}
