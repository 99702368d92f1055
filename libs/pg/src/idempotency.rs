//! One effect and one answer per request id (AIP-155).
//!
//! The reply is stored in the transaction of the effect. So a repeated request gets the same bytes for ever, a rejected
//! one leaves no trace and may be sent again, and of a hundred twins sent at once one works while the rest wait for it.

use jiff_sqlx::ToSqlx;
use kernel::{Error as Refusal, ErrorKind, Timestamp, Uuid};
use prost::Message;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use crate::{Error, Result, Tx};

/// What identifies a request.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    /// Who sent it, such as `members/<uuid>`: callers do not see each other's request ids.
    pub caller: &'a str,
    /// The full name of the method.
    pub method: &'static str,
    /// The id that the caller gave it.
    pub request_id: Uuid,
}

/// Whether a request is new.
#[derive(Debug)]
pub enum Begin<R> {
    /// It was answered before; this is the answer. Nothing is left to do.
    Replay(R),
    /// It is new: do the effect, then [`Ticket::finish`] in the same transaction.
    Fresh(Ticket),
}

/// The duty to store the reply of a new request. [`Tx::commit`] fails while it is outstanding.
#[derive(Debug)]
#[must_use]
pub struct Ticket {
    caller: String,
    request_id: Uuid,
}

/// Claims the request id for this transaction, or finds the answer given before.
///
/// Waits while a twin of the request is at work. Fails with `InvalidArgument`, reason `REQUEST_ID_REUSED`, if the id
/// came before with another method or other content.
#[tracing::instrument(name = "db.idempotency_key.begin", skip_all, fields(method = key.method))]
pub async fn begin<Q: Message, R: Message + Default>(
    tx: &mut Tx,
    now: Timestamp,
    key: Key<'_>,
    request: &Q,
) -> kernel::Result<Begin<R>> {
    begin_in_tx(tx, now, key, &fingerprint(key.method, request)).await.map_err(Refusal::from)
}

/// The answer given before, if there is one, without claiming the request id: for flows that must ask a peer before they
/// may open their transaction. Fails like [`begin`].
#[tracing::instrument(name = "db.idempotency_key.replay", skip_all, fields(method = key.method))]
pub async fn replay<Q: Message, R: Message + Default>(
    conn: &mut PgConnection,
    key: Key<'_>,
    request: &Q,
) -> kernel::Result<Option<R>> {
    stored(conn, key, &fingerprint(key.method, request)).await.map_err(Refusal::from)
}

async fn begin_in_tx<R: Message + Default>(
    tx: &mut Tx,
    now: Timestamp,
    key: Key<'_>,
    fingerprint: &[u8],
) -> Result<Begin<R>> {
    let claimed = sqlx::query(
        "insert into idempotency_key (caller, request_id, method, fingerprint, create_time) values ($1, $2, $3, $4, $5)
         on conflict do nothing",
    )
    .bind(key.caller)
    .bind(key.request_id)
    .bind(key.method)
    .bind(fingerprint)
    .bind(now.to_sqlx())
    .execute(&mut **tx)
    .await?;
    if claimed.rows_affected() == 1 {
        tx.owe_reply(true);
        return Ok(Begin::Fresh(Ticket { caller: key.caller.to_owned(), request_id: key.request_id }));
    }
    let reply = stored(tx, key, fingerprint).await?;
    reply
        .map(Begin::Replay)
        .ok_or_else(|| Error::inconsistent("idempotency_key", key.request_id, "is claimed but missing"))
}

async fn stored<R: Message + Default>(conn: &mut PgConnection, key: Key<'_>, fingerprint: &[u8]) -> Result<Option<R>> {
    let found: Option<(String, Vec<u8>, Option<Vec<u8>>)> =
        sqlx::query_as("select method, fingerprint, reply from idempotency_key where caller = $1 and request_id = $2")
            .bind(key.caller)
            .bind(key.request_id)
            .fetch_optional(conn)
            .await?;
    let Some((method, known, reply)) = found else { return Ok(None) };
    if method != key.method || known != fingerprint {
        return Err(reused().into());
    }
    let row = || format!("{} {}", key.caller, key.request_id);
    let reply = reply.ok_or_else(|| Error::inconsistent("idempotency_key", row(), "has no reply"))?;
    R::decode(reply.as_slice()).map(Some).map_err(|e| Error::inconsistent("idempotency_key", row(), e))
}

impl Ticket {
    /// Stores the reply; `tx` is the transaction that claimed the request id.
    #[tracing::instrument(name = "db.idempotency_key.finish", skip_all)]
    pub async fn finish<R: Message>(self, tx: &mut Tx, reply: &R) -> Result<()> {
        let stored = sqlx::query(
            "update idempotency_key set reply = $3 where caller = $1 and request_id = $2 and reply is null",
        )
        .bind(&self.caller)
        .bind(self.request_id)
        .bind(reply.encode_to_vec())
        .execute(&mut **tx)
        .await?;
        if stored.rows_affected() != 1 {
            return Err(Error::inconsistent("idempotency_key", self.request_id, "is not claimed by this transaction"));
        }
        tx.owe_reply(false);
        Ok(())
    }
}

/// A digest of method and content. The content is hashed as decoded and encoded again, so maps in requests must be
/// generated as ordered maps.
fn fingerprint<Q: Message>(method: &str, request: &Q) -> [u8; 32] {
    Sha256::new().chain_update(method).chain_update([0]).chain_update(request.encode_to_vec()).finalize().into()
}

fn reused() -> Refusal {
    Refusal::new(ErrorKind::InvalidArgument, "REQUEST_ID_REUSED", "this request_id was used for another request")
        .with_violation("request_id", "was used for another request; take a new UUID for each new request")
}
