//! Providers' notices, and what in them did not fit.

use jiff_sqlx::ToSqlx;
use kernel::Timestamp;
use pg::{PgConnection, Result};

use crate::peers::{ChargeReport, Notice};

/// Records a notice. `false` if it was taken in before; waits while a twin of it is being taken in.
#[tracing::instrument(name = "db.notice.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, now: Timestamp, provider: &str, notice: &Notice) -> Result<bool> {
    let inserted = sqlx::query!(
        "insert into notice (provider, id, kind, payment_id, receive_time) values ($1, $2, $3, $4, $5)
         on conflict do nothing",
        provider,
        notice.id,
        notice.kind,
        notice.report.payment.uuid(),
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Records that a report doesn't fit what we know. `notice` is the notice's id or, if the provider was asked,
/// `query/<payment>`. `false` if the same is recorded already.
#[tracing::instrument(name = "db.notice_break.insert", skip_all)]
pub async fn insert_break(
    conn: &mut PgConnection,
    now: Timestamp,
    provider: &str,
    notice: &str,
    reason: &str,
    report: &ChargeReport,
) -> Result<bool> {
    let inserted = sqlx::query!(
        "insert into notice_break (provider, notice_id, reason, payment_id, amount_minor, currency, receive_time)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict do nothing",
        provider,
        notice,
        reason,
        report.payment.uuid(),
        report.amount_minor,
        report.currency,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}
