//! Providers' notices, and what in them did not fit.

use jiff_sqlx::ToSqlx;
use kernel::{Timestamp, ids::PaymentId};
use pg::{PgConnection, Result};

/// Records a notice about a payment. `false` if it was taken in before; waits while a twin of it is being taken in.
#[tracing::instrument(name = "db.notice.insert", skip_all)]
pub async fn insert(
    conn: &mut PgConnection,
    now: Timestamp,
    provider: &str,
    id: &str,
    kind: &str,
    payment: PaymentId,
) -> Result<bool> {
    let inserted = sqlx::query!(
        "insert into notice (provider, id, kind, payment_id, receive_time) values ($1, $2, $3, $4, $5)
         on conflict do nothing",
        provider,
        id,
        kind,
        payment.uuid(),
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Records one sending of a notice. `false` if this very one was taken in before; waits while a twin is being taken in.
#[tracing::instrument(name = "db.notice_nonce.insert", skip_all)]
pub async fn insert_nonce(conn: &mut PgConnection, now: Timestamp, provider: &str, nonce: &str) -> Result<bool> {
    let inserted = sqlx::query!(
        "insert into notice_nonce (provider, nonce, receive_time) values ($1, $2, $3) on conflict do nothing",
        provider,
        nonce,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Forgets sendings that came before `before`, some at a time. Returns how many.
#[tracing::instrument(name = "db.notice_nonce.forget", skip_all)]
pub async fn forget_nonces(conn: &mut PgConnection, before: Timestamp, limit: i64) -> Result<u64> {
    let forgotten = sqlx::query!(
        "delete from notice_nonce
         where (provider, nonce) in (select provider, nonce from notice_nonce where receive_time < $1
                                     order by receive_time limit $2 for update skip locked)",
        before.to_sqlx() as _,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(forgotten.rows_affected())
}

/// What a provider said that doesn't fit what we know.
#[derive(Debug, Clone, Copy)]
pub struct Break<'a> {
    /// Whose word.
    pub provider: &'a str,
    /// How it came: the notice's id, or `query/<payment>`.
    pub by: &'a str,
    /// Why it doesn't fit.
    pub reason: &'a str,
    /// The payment that it seems to be about.
    pub payment: PaymentId,
    /// How the provider calls it.
    pub reference: &'a str,
    /// The amount that was stated, in minor units; 0 if none was.
    pub amount_minor: i64,
    /// The currency that was stated; empty if none was.
    pub currency: &'a str,
}

/// Records that a report doesn't fit what we know. `false` if the same is recorded already.
#[tracing::instrument(name = "db.notice_break.insert", skip_all)]
pub async fn insert_break(conn: &mut PgConnection, now: Timestamp, of: Break<'_>) -> Result<bool> {
    let inserted = sqlx::query!(
        "insert into notice_break (provider, notice_id, reason, payment_id, reference, amount_minor, currency,
                                   receive_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict do nothing",
        of.provider,
        of.by,
        of.reason,
        of.payment.uuid(),
        of.reference,
        of.amount_minor,
        of.currency,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}
