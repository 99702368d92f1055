//! What was let through, by whom it is counted.

use jiff_sqlx::ToSqlx;
use kernel::Timestamp;
use pg::{PgConnection, Result};

use crate::domain::risk::{Measure, Operation, Subject, Tally};

/// The first half of our advisory locks ("RISK" in ASCII); the second is the hash of the subject. Two subjects with one hash
/// wait for each other, and nothing worse.
const LOCKS: i32 = 0x5249_534b;

/// Locks subjects against others who count them, until the end of the transaction. They must be in order.
#[tracing::instrument(name = "db.risk_event.lock", skip_all)]
pub async fn lock_subjects(conn: &mut PgConnection, subjects: &[(Subject, String)]) -> Result<()> {
    let mut names: Vec<String> = subjects.iter().map(|(subject, key)| format!("{}/{key}", subject.as_str())).collect();
    names.dedup();
    for name in names {
        sqlx::query!("select pg_advisory_xact_lock($1, hashtext($2))", LOCKS, name).fetch_one(&mut *conn).await?;
    }
    Ok(())
}

/// What was counted up to `now`.
#[tracing::instrument(name = "db.risk_event.tally", skip_all)]
pub async fn tally(conn: &mut PgConnection, measure: &Measure, now: Timestamp) -> Result<Tally> {
    let since = now - measure.window;
    let row = sqlx::query!(
        r#"select count(*) as "count!", least(coalesce(sum(amount_minor), 0), 9223372036854775807)::bigint as "sum!"
           from risk_event
           where subject = $1 and key = $2 and operation = $3 and occur_time > $4
             and ($5::text is null or currency = $5) and amount_minor between $6 and $7"#,
        measure.subject.as_str(),
        measure.key,
        measure.counted.as_str(),
        since.to_sqlx() as _,
        measure.currency.map(|currency| currency.code().to_owned()),
        measure.amounts.start(),
        measure.amounts.end(),
    );
    let row = row.fetch_one(conn).await?;
    Ok(Tally { count: row.count, sum_minor: row.sum })
}

/// Counts an operation, once by each subject.
#[tracing::instrument(name = "db.risk_event.record", skip_all)]
pub async fn record_events(
    conn: &mut PgConnection,
    operation: &Operation,
    subjects: &[(Subject, String)],
    now: Timestamp,
) -> Result<()> {
    let currency = operation.amount.currency();
    let (words, keys): (Vec<String>, Vec<String>) =
        subjects.iter().map(|(subject, key)| (subject.as_str().to_owned(), key.clone())).unzip();
    sqlx::query!(
        "insert into risk_event (subject, key, operation, occur_time, source_id, currency, amount_minor)
         select subject.*, $3, $4, $5, $6, $7 from unnest($1::text[], $2::text[]) as subject
         on conflict do nothing",
        &words,
        &keys,
        operation.kind.as_str(),
        now.to_sqlx() as _,
        operation.source,
        currency.code(),
        operation.amount.minor(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets what is older than any rule looks back, `limit` at most. Returns how many.
#[tracing::instrument(name = "db.risk_event.forget", skip_all)]
pub async fn forget_events(conn: &mut PgConnection, before: Timestamp, limit: i64) -> Result<u64> {
    let forgotten = sqlx::query!(
        "delete from risk_event where ctid = any(array(
             select ctid from risk_event where occur_time < $1 order by occur_time limit $2))",
        before.to_sqlx() as _,
        limit,
    );
    Ok(forgotten.execute(conn).await?.rows_affected())
}
