//! Breaks.

use jiff_sqlx::ToSqlx;
use kernel::{Currency, Money, Timestamp, Uuid, ids::StoreId};
use pg::{Error, PgConnection, Result};

use crate::{
    db,
    domain::reconciliation::{Break, BreakKind, BreakName, DayName, Resolution},
};

struct Row {
    proof_id: Uuid,
    provider: String,
    date: jiff_sqlx::Date,
    number: i32,
    kind: String,
    payment_id: Option<Uuid>,
    refund_id: Option<Uuid>,
    reference: String,
    transaction_id: String,
    store_id: Uuid,
    ours_minor: Option<i64>,
    theirs_minor: Option<i64>,
    theirs_currency: Option<String>,
    currency: String,
    difference_minor: i64,
    resolution: Option<String>,
    note: String,
    create_time: jiff_sqlx::Timestamp,
    resolve_time: Option<jiff_sqlx::Timestamp>,
}

impl Row {
    fn read(self) -> Result<Break> {
        let unfit = |what: &str| {
            Error::inconsistent("reconciliation_break", format!("{}/{}", self.proof_id, self.number), what)
        };
        let currency = db::currency("reconciliation_break", self.proof_id, &self.currency)?;
        let resolved = match (self.resolution, self.resolve_time) {
            (Some(word), Some(time)) => {
                let how = Resolution::from_stored(&word).ok_or_else(|| unfit("has an unknown resolution"))?;
                Some((how, self.note, time.to_jiff()))
            }
            _ => None,
        };
        Ok(Break {
            proof: self.proof_id,
            kind: BreakKind::from_stored(&self.kind).ok_or_else(|| unfit("has an unknown kind"))?,
            name: BreakName {
                day: DayName { provider: self.provider, date: self.date.to_jiff() },
                number: self.number,
            },
            payment: self.payment_id,
            refund: self.refund_id,
            reference: self.reference,
            transaction: self.transaction_id,
            store: (!self.store_id.is_nil()).then(|| StoreId::from_uuid(self.store_id)),
            ours: self.ours_minor.map(|minor| Money::new(minor, currency)),
            theirs_minor: self.theirs_minor,
            theirs_currency: self.theirs_currency,
            difference: Money::new(self.difference_minor, currency),
            resolved,
            create_time: self.create_time.to_jiff(),
        })
    }
}

/// Which breaks are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those of this day.
    pub day: Option<DayName>,
    /// Only those of this kind.
    pub kind: Option<BreakKind>,
    /// Only open ones, or only those worked off.
    pub open: Option<bool>,
}

/// Breaks after a place, those found last first.
#[tracing::instrument(name = "db.reconciliation_break.list", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    filter: &Filter,
    after: Option<(Timestamp, Uuid, i32)>,
    limit: i64,
) -> Result<Vec<Break>> {
    let (time, proof, number) = after.map_or((None, None, None), |(at, proof, n)| (Some(at), Some(proof), Some(n)));
    let rows = sqlx::query_as!(
        Row,
        r#"select broken.proof_id, day.provider, day.date, number, kind, payment_id, refund_id, reference, transaction_id,
                  store_id, ours_minor, theirs_minor, theirs_currency, broken.currency, difference_minor, resolution, note,
                  broken.create_time, resolve_time as "resolve_time: _"
           from reconciliation_break as broken join day_proof as day on day.id = broken.proof_id
           where ($1::uuid is null or proof_id = $1) and ($2::text is null or kind = $2)
             and ($3::text is null or broken.state = $3)
             and ($4::timestamptz is null or (broken.create_time, proof_id, number) < ($4, $5, $6))
           order by broken.create_time desc, proof_id desc, number desc limit $7"#,
        filter.day.as_ref().map(DayName::id),
        filter.kind.map(BreakKind::as_str),
        filter.open.map(|open| if open { "open" } else { "resolved" }),
        time.map(|at| at.to_sqlx()) as _,
        proof,
        number,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Locks a break; `None` if there is no such one.
#[tracing::instrument(name = "db.reconciliation_break.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, name: &BreakName) -> Result<Option<Break>> {
    let row = sqlx::query_as!(
        Row,
        r#"select broken.proof_id, day.provider, day.date, number, kind, payment_id, refund_id, reference, transaction_id,
                  store_id, ours_minor, theirs_minor, theirs_currency, broken.currency, difference_minor, resolution, note,
                  broken.create_time, resolve_time as "resolve_time: _"
           from reconciliation_break as broken join day_proof as day on day.id = broken.proof_id
           where proof_id = $1 and number = $2 for update of broken"#,
        name.day.id(),
        name.number,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::read).transpose()
}

/// Locks what was missing on bills before and is on the one that is being matched.
#[tracing::instrument(name = "db.reconciliation_break.arrived", skip_all)]
pub async fn arrived(conn: &mut PgConnection, proof: Uuid) -> Result<Vec<Break>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select broken.proof_id, day.provider, day.date, number, kind, payment_id, refund_id, reference, transaction_id,
                  store_id, ours_minor, theirs_minor, theirs_currency, broken.currency, difference_minor, resolution, note,
                  broken.create_time, resolve_time as "resolve_time: _"
           from reconciliation_break as broken join day_proof as day on day.id = broken.proof_id
           where kind = 'missing_there' and broken.state = 'open' and proof_id <> $1
             and exists (select from bill_line as line
                         where line.proof_id = $1 and line.named_id = coalesce(refund_id, payment_id))
           order by proof_id, number for update of broken"#,
        proof,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Works off a break that is locked and open.
#[tracing::instrument(name = "db.reconciliation_break.resolve", skip_all)]
pub async fn resolve(conn: &mut PgConnection, now: Timestamp, of: &Break, how: Resolution, note: &str) -> Result<()> {
    sqlx::query!(
        "update reconciliation_break set state = 'resolved', resolution = $3, note = $4, resolve_time = $5
         where proof_id = $1 and number = $2",
        of.proof,
        of.name.number,
        how.as_str(),
        note,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that the bill of a day was another merchant's, once until that is worked off.
#[tracing::instrument(name = "db.reconciliation_break.insert_foreign", skip_all)]
pub async fn insert_foreign(conn: &mut PgConnection, now: Timestamp, proof: Uuid, currency: Currency) -> Result<()> {
    sqlx::query!(
        "insert into reconciliation_break (proof_id, number, kind, reference, transaction_id, store_id, currency,
                                           difference_minor, state, create_time)
         select $1, (select coalesce(max(number), 0) + 1 from reconciliation_break where proof_id = $1),
                'unknown_merchant', '', '', '00000000-0000-0000-0000-000000000000', $2, 0, 'open', $3
         where not exists (select from reconciliation_break
                           where proof_id = $1 and kind = 'unknown_merchant' and state = 'open')",
        proof,
        currency.code(),
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
