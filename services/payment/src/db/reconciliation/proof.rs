//! Proofs of days.

use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use kernel::{Currency, Money, Timestamp};
use pg::{PgConnection, Result};

use super::Sums;
use crate::{
    db,
    domain::reconciliation::{DayName, DayProof},
};

/// The proof of a day, if there is one.
#[tracing::instrument(name = "db.day_proof.find", skip_all)]
pub async fn find(conn: &mut PgConnection, name: &DayName) -> Result<Option<DayProof>> {
    let row = sqlx::query!(
        r#"select day_proof.*, encode(sha256, 'hex') as "digest!",
                  (select count(*) from reconciliation_break as broken
                   where broken.proof_id = day_proof.id and broken.state = 'open') as "open!",
                  (select count(*) from reconciliation_break as broken where broken.proof_id = day_proof.id) as "found!"
           from day_proof where id = $1"#,
        name.id(),
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let currency = db::currency("day_proof", row.id, &row.currency)?;
    let money = |minor| Money::new(minor, currency);
    Ok(Some(DayProof {
        id: row.id,
        name: name.clone(),
        refusal: Some(row.refusal).filter(|refusal| !refusal.is_empty()),
        sha256: row.digest,
        lines: row.lines,
        matched: row.matched,
        sales: money(row.sales_minor),
        refunds: money(row.refunds_minor),
        fees: money(row.fees_minor),
        our_sales: money(row.our_sales_minor),
        our_refunds: money(row.our_refunds_minor),
        in_breaks: money(row.in_breaks_minor),
        on_other_days: money(row.on_other_days_minor),
        breaks: row.found,
        open_breaks: row.open,
        create_time: row.create_time.to_jiff(),
    }))
}

/// The days since `first` for which a provider's bill is matched.
#[tracing::instrument(name = "db.day_proof.reconciled_since", skip_all)]
pub async fn reconciled_since(conn: &mut PgConnection, provider: &str, first: Date) -> Result<Vec<Date>> {
    let rows = sqlx::query_scalar!(
        "select date from day_proof where provider = $1 and date >= $2 and state = 'reconciled'",
        provider,
        first.to_sqlx() as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|date| date.to_jiff()).collect())
}

/// Notes that a bill was refused, unless one was matched. Returns whether it is noted.
#[tracing::instrument(name = "db.day_proof.refuse", skip_all)]
pub async fn refuse(
    conn: &mut PgConnection,
    now: Timestamp,
    name: &DayName,
    currency: Currency,
    reason: &str,
) -> Result<bool> {
    let noted = sqlx::query!(
        "insert into day_proof as known (id, provider, date, state, refusal, sha256, currency, create_time)
         values ($1, $2, $3, 'refused', $4, '', $5, $6)
         on conflict (id) do update set refusal = $4, create_time = $6 where known.state = 'refused'",
        name.id(),
        name.provider,
        name.date.to_sqlx() as _,
        reason,
        currency.code(),
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// What is known of a bill that was matched.
#[derive(Debug, Clone, Copy)]
pub struct Matched<'a> {
    /// SHA-256 of it; empty if there is none of the day.
    pub sha256: &'a [u8],
    /// What came of it.
    pub sums: Sums,
    /// What the provider keeps.
    pub fees: Money,
}

/// Makes the proof of a day. `false` if there is one already; waits while a twin is being made.
#[tracing::instrument(name = "db.day_proof.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, now: Timestamp, name: &DayName, of: Matched<'_>) -> Result<bool> {
    let Matched { sha256, sums, fees } = of;
    let currency = fees.currency();
    let made = sqlx::query!(
        "insert into day_proof as known (id, provider, date, state, refusal, sha256, currency, lines, matched, sales_minor,
                                         refunds_minor, fees_minor, our_sales_minor, our_refunds_minor, in_breaks_minor,
                                         on_other_days_minor, create_time)
         values ($1, $2, $3, 'reconciled', '', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         on conflict (id) do update
             set state = excluded.state, refusal = '', sha256 = excluded.sha256, currency = excluded.currency,
                 lines = excluded.lines, matched = excluded.matched, sales_minor = excluded.sales_minor,
                 refunds_minor = excluded.refunds_minor, fees_minor = excluded.fees_minor,
                 our_sales_minor = excluded.our_sales_minor, our_refunds_minor = excluded.our_refunds_minor,
                 in_breaks_minor = excluded.in_breaks_minor, on_other_days_minor = excluded.on_other_days_minor,
                 create_time = excluded.create_time
             where known.state = 'refused'",
        name.id(),
        name.provider,
        name.date.to_sqlx() as _,
        sha256,
        currency.code(),
        sums.lines,
        sums.matched,
        sums.sales,
        sums.refunds,
        fees.minor(),
        sums.our_sales,
        sums.our_refunds,
        sums.in_breaks,
        sums.on_other_days,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(made.rows_affected() == 1)
}
