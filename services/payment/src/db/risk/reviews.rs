//! What broke a rule.

use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use kernel::{
    Money, Timestamp, Uuid,
    ids::{MemberId, RiskReviewId, RiskRuleId, StoreId},
};
use pg::{Error, PgConnection, Result};

use crate::{
    db::currency,
    domain::risk::{OperationKind, Reason, Review, ReviewState as State},
};

/// Stores a new review. `false` if it is stored already; then nothing is.
#[tracing::instrument(name = "db.risk_review.insert", skip_all)]
pub async fn insert_review(conn: &mut PgConnection, review: &Review) -> Result<bool> {
    let currency = review.amount.currency();
    let rules: Vec<Uuid> = review.reasons.iter().map(|reason| reason.rule.uuid()).collect();
    let reasons: Vec<String> = review.reasons.iter().map(|reason| reason.text.clone()).collect();
    let inserted = sqlx::query!(
        "insert into risk_review (id, operation, target, customer_id, store_id, actor, currency, amount_minor, rules, reasons,
                                  held, source_id, state, create_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         on conflict (id) do nothing",
        review.id.uuid(),
        review.operation.as_str(),
        review.target,
        review.customer.uuid(),
        review.store.uuid(),
        review.actor,
        currency.code(),
        review.amount.minor(),
        &rules,
        &reasons,
        review.held,
        review.source,
        word(&review.state),
        review.create_time.to_sqlx() as _,
    );
    Ok(inserted.execute(conn).await?.rows_affected() > 0)
}

/// Stores how an open review was resolved.
#[tracing::instrument(name = "db.risk_review.resolve", skip_all)]
pub async fn resolve_review(conn: &mut PgConnection, review: &Review) -> Result<()> {
    let State::Resolved { time, by, reason, .. } = &review.state else { return Ok(()) };
    sqlx::query!(
        "update risk_review set state = $2, resolve_time = $3, resolver = $4, resolution = $5 where id = $1",
        review.id.uuid(),
        word(&review.state),
        time.to_sqlx() as _,
        by,
        reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks a review, then reads it. `None` if there is none of that id.
#[tracing::instrument(name = "db.risk_review.lock", skip_all)]
pub async fn lock_review(conn: &mut PgConnection, id: RiskReviewId) -> Result<Option<Review>> {
    // Read by a statement of its own after the lock: only that one sees what the holder before us has committed.
    sqlx::query!("select id from risk_review where id = $1 for update", id.uuid()).fetch_optional(&mut *conn).await?;
    get_review(conn, id).await
}

/// Reads a review. `None` if there is none of that id.
#[tracing::instrument(name = "db.risk_review.get", skip_all)]
pub async fn get_review(conn: &mut PgConnection, id: RiskReviewId) -> Result<Option<Review>> {
    let row = sqlx::query_as!(
        Row,
        "select id, operation, target, customer_id, store_id, actor, currency, amount_minor, rules, reasons, held, source_id,
                state, create_time, resolve_time, resolver, resolution
         from risk_review where id = $1",
        id.uuid(),
    );
    row.fetch_optional(conn).await?.map(Row::read).transpose()
}

/// Which to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReviewFilter {
    /// Only in this state, as it is stored.
    pub state: Option<&'static str>,
    /// Only at this store.
    pub store: Option<StoreId>,
    /// Only those older than the one made then, of that id.
    pub after: Option<(Timestamp, Uuid)>,
}

/// Reviews, the newest first, `limit` at most.
#[tracing::instrument(name = "db.risk_review.list", skip_all)]
pub async fn list_reviews(conn: &mut PgConnection, filter: ReviewFilter, limit: i64) -> Result<Vec<Review>> {
    let (time, id) = filter.after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select id, operation, target, customer_id, store_id, actor, currency, amount_minor, rules, reasons, held, source_id,
                state, create_time, resolve_time, resolver, resolution
         from risk_review
         where ($1::text is null or state = $1) and ($2::uuid is null or store_id = $2)
           and ($3::timestamptz is null or (create_time, id) < ($3, $4))
         order by create_time desc, id desc limit $5",
        filter.state,
        filter.store.map(StoreId::uuid),
        time.map(|time| time.to_sqlx()) as _,
        id,
        limit,
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::read).collect()
}

/// The word that is stored.
const fn word(state: &State) -> &'static str {
    match state {
        State::Open => "open",
        State::Resolved { approved: true, .. } => "approved",
        State::Resolved { approved: false, .. } => "rejected",
        State::Refused => "refused",
    }
}

struct Row {
    id: Uuid,
    operation: String,
    target: String,
    customer_id: Uuid,
    store_id: Uuid,
    actor: String,
    currency: String,
    amount_minor: i64,
    rules: Vec<Uuid>,
    reasons: Vec<String>,
    held: Option<Vec<u8>>,
    source_id: Uuid,
    state: String,
    create_time: SqlTimestamp,
    resolve_time: Option<SqlTimestamp>,
    resolver: Option<String>,
    resolution: Option<String>,
}

impl Row {
    fn read(self) -> Result<Review> {
        let wrong = |what: String| Error::inconsistent("risk_review", self.id, what);
        let currency = currency("risk_review", self.id, &self.currency)?;
        let resolved = self.resolve_time.map(SqlTimestamp::to_jiff).zip(self.resolver).zip(self.resolution);
        let state = match (self.state.as_str(), resolved) {
            ("open", None) => State::Open,
            ("refused", None) => State::Refused,
            (word @ ("approved" | "rejected"), Some(((time, by), reason))) => {
                State::Resolved { approved: word == "approved", time, by, reason }
            }
            (other, _) => return Err(wrong(format!("is {other}"))),
        };
        let operation = OperationKind::from_stored(&self.operation);
        let reasons = self.rules.into_iter().zip(self.reasons);
        Ok(Review {
            id: RiskReviewId::from_uuid(self.id),
            operation: operation.ok_or_else(|| wrong(format!("is of a {}", self.operation)))?,
            target: self.target,
            customer: MemberId::from_uuid(self.customer_id),
            store: StoreId::from_uuid(self.store_id),
            actor: self.actor,
            amount: Money::new(self.amount_minor, currency),
            reasons: reasons.map(|(rule, text)| Reason { rule: RiskRuleId::from_uuid(rule), text }).collect(),
            held: self.held,
            source: self.source_id,
            state,
            create_time: self.create_time.to_jiff(),
        })
    }
}
