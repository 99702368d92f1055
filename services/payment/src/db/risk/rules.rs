//! Rules of risk.

use std::time::Duration;

use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use kernel::{
    Money, Timestamp, Uuid,
    ids::{RiskRuleId, StoreId},
};
use pg::{Error, PgConnection, Result};

use crate::{
    db::currency,
    domain::risk::{Decision, OperationKind, Pattern, Rule, Subject},
};

/// Stores a new rule.
#[tracing::instrument(name = "db.risk_rule.insert", skip_all)]
pub async fn insert_rule(conn: &mut PgConnection, rule: &Rule) -> Result<()> {
    let stored = Stored::of(&rule.pattern);
    sqlx::query!(
        "insert into risk_rule (id, display_name, operation, store_id, pattern, subject, window_seconds, max_count,
                                limit_minor, margin_minor, currency, decision, enabled, start_time, end_time, create_time,
                                version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        rule.id.uuid(),
        rule.display_name,
        rule.operation.as_str(),
        rule.store.map(StoreId::uuid),
        stored.pattern,
        stored.subject.map(Subject::as_str),
        stored.window.map(|window| i64::try_from(window.as_secs()).unwrap_or(i64::MAX)),
        stored.max_count.map(|count| i32::try_from(count).unwrap_or(i32::MAX)),
        stored.limit.map(Money::minor),
        stored.margin.map(Money::minor),
        stored.limit.map(|limit| limit.currency().code().to_owned()),
        rule.decision.as_str(),
        rule.enabled,
        rule.start_time.to_sqlx() as _,
        rule.end_time.map(|time| time.to_sqlx()) as _,
        rule.create_time.to_sqlx() as _,
        rule.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores what can be changed of a rule.
#[tracing::instrument(name = "db.risk_rule.update", skip_all)]
pub async fn update_rule(conn: &mut PgConnection, rule: &Rule) -> Result<()> {
    sqlx::query!(
        "update risk_rule set display_name = $2, decision = $3, enabled = $4, end_time = $5, version = $6 where id = $1",
        rule.id.uuid(),
        rule.display_name,
        rule.decision.as_str(),
        rule.enabled,
        rule.end_time.map(|time| time.to_sqlx()) as _,
        rule.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks a rule, then reads it. `None` if there is none of that id.
#[tracing::instrument(name = "db.risk_rule.lock", skip_all)]
pub async fn lock_rule(conn: &mut PgConnection, id: RiskRuleId) -> Result<Option<Rule>> {
    // Read by a statement of its own after the lock: only that one sees what the holder before us has committed.
    sqlx::query!("select id from risk_rule where id = $1 for update", id.uuid()).fetch_optional(&mut *conn).await?;
    get_rule(conn, id).await
}

/// Reads a rule. `None` if there is none of that id.
#[tracing::instrument(name = "db.risk_rule.get", skip_all)]
pub async fn get_rule(conn: &mut PgConnection, id: RiskRuleId) -> Result<Option<Rule>> {
    let row = sqlx::query_as!(
        Row,
        "select id, display_name, operation, store_id, pattern, subject, window_seconds, max_count, limit_minor,
                margin_minor, currency, decision, enabled, start_time, end_time, create_time, version
         from risk_rule where id = $1",
        id.uuid(),
    );
    row.fetch_optional(conn).await?.map(Row::read).transpose()
}

/// Rules, the newest first, `limit` at most: those older than the one made then, of that id.
#[tracing::instrument(name = "db.risk_rule.list", skip_all)]
pub async fn list_rules(conn: &mut PgConnection, after: Option<(Timestamp, Uuid)>, limit: i64) -> Result<Vec<Rule>> {
    let (time, id) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select id, display_name, operation, store_id, pattern, subject, window_seconds, max_count, limit_minor,
                margin_minor, currency, decision, enabled, start_time, end_time, create_time, version
         from risk_rule where $1::timestamptz is null or (create_time, id) < ($1, $2)
         order by create_time desc, id desc limit $3",
        time.map(|time| time.to_sqlx()) as _,
        id,
        limit,
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::read).collect()
}

/// The rules that are enabled and not over; those that start later, too. There are few.
#[tracing::instrument(name = "db.risk_rule.in_force", skip_all)]
pub async fn rules_in_force(conn: &mut PgConnection, now: Timestamp) -> Result<Vec<Rule>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, display_name, operation, store_id, pattern, subject, window_seconds, max_count, limit_minor,
                margin_minor, currency, decision, enabled, start_time, end_time, create_time, version
         from risk_rule where enabled and (end_time is null or end_time > $1) order by id",
        now.to_sqlx() as _,
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::read).collect()
}

/// A pattern as it is stored.
struct Stored {
    pattern: &'static str,
    subject: Option<Subject>,
    window: Option<Duration>,
    max_count: Option<u32>,
    limit: Option<Money>,
    margin: Option<Money>,
}

impl Stored {
    fn of(pattern: &Pattern) -> Self {
        let none = Self { pattern: "", subject: None, window: None, max_count: None, limit: None, margin: None };
        match *pattern {
            Pattern::Velocity { subject, window, max_count, max_amount } => Self {
                pattern: "velocity",
                subject: Some(subject),
                window: Some(window),
                max_count,
                limit: max_amount,
                margin: None,
            },
            Pattern::AmountAbove(amount) => Self { pattern: "amount_above", limit: Some(amount), ..none },
            Pattern::JustBelow { subject, window, limit, margin, max_count } => Self {
                pattern: "just_below",
                subject: Some(subject),
                window: Some(window),
                max_count: Some(max_count),
                limit: Some(limit),
                margin: Some(margin),
            },
            Pattern::AfterTopUp { window } => Self { pattern: "after_top_up", window: Some(window), ..none },
        }
    }
}

struct Row {
    id: Uuid,
    display_name: String,
    operation: String,
    store_id: Option<Uuid>,
    pattern: String,
    subject: Option<String>,
    window_seconds: Option<i64>,
    max_count: Option<i32>,
    limit_minor: Option<i64>,
    margin_minor: Option<i64>,
    currency: Option<String>,
    decision: String,
    enabled: bool,
    start_time: SqlTimestamp,
    end_time: Option<SqlTimestamp>,
    create_time: SqlTimestamp,
    version: i64,
}

impl Row {
    fn read(self) -> Result<Rule> {
        let wrong = |what: &str| Error::inconsistent("risk_rule", self.id, what.to_owned());
        let currency = self.currency.as_deref().map(|code| currency("risk_rule", self.id, code)).transpose()?;
        let money = |minor: Option<i64>| currency.zip(minor).map(|(currency, minor)| Money::new(minor, currency));
        let window = self.window_seconds.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
        let subject = self.subject.as_deref().and_then(Subject::from_stored);
        let max_count = self.max_count.and_then(|count| u32::try_from(count).ok());
        let (limit, margin) = (money(self.limit_minor), money(self.margin_minor));
        let pattern = match (self.pattern.as_str(), subject, window, limit, margin, max_count) {
            ("velocity", Some(subject), Some(window), max_amount, ..) => {
                Pattern::Velocity { subject, window, max_count, max_amount }
            }
            ("amount_above", _, _, Some(amount), ..) => Pattern::AmountAbove(amount),
            ("just_below", Some(subject), Some(window), Some(limit), Some(margin), Some(max_count)) => {
                Pattern::JustBelow { subject, window, limit, margin, max_count }
            }
            ("after_top_up", _, Some(window), ..) => Pattern::AfterTopUp { window },
            _ => return Err(wrong("has a pattern that is none")),
        };
        Ok(Rule {
            id: RiskRuleId::from_uuid(self.id),
            operation: OperationKind::from_stored(&self.operation).ok_or_else(|| wrong("looks at nothing"))?,
            store: self.store_id.map(StoreId::from_uuid),
            pattern,
            decision: Decision::from_stored(&self.decision).ok_or_else(|| wrong("decides nothing"))?,
            enabled: self.enabled,
            start_time: self.start_time.to_jiff(),
            end_time: self.end_time.map(SqlTimestamp::to_jiff),
            create_time: self.create_time.to_jiff(),
            version: self.version,
            display_name: self.display_name,
        })
    }
}
