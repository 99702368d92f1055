//! Rules.

use jiff::civil::Date;
use jiff_sqlx::{Date as SqlDate, Timestamp as SqlTimestamp, ToSqlx};
use kernel::{
    Money, Uuid,
    ids::{CommissionRuleId, ItemId, StoreId},
};
use pg::{Error, PgConnection, Result};

use crate::{
    db::currency,
    domain::commission::{Manner, PayeeKind, Rate, Rule},
};

/// Stores a new rule.
#[tracing::instrument(name = "db.commission_rule.insert", skip_all)]
pub async fn insert_rule(conn: &mut PgConnection, rule: &Rule) -> Result<()> {
    let (points, fixed, currency) = match rule.rate {
        Rate::BasisPoints(points) => (i32::try_from(points).ok(), None, None),
        Rate::Fixed(amount) => (None, Some(amount.minor()), Some(amount.currency().code().to_owned())),
    };
    sqlx::query!(
        "insert into commission_rule (id, payee, item_id, store_id, partner, grade, manner, basis_points, fixed_minor,
                                      currency, start_date, end_date, create_time, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        rule.id.uuid(),
        rule.payee.as_str(),
        rule.item.map(ItemId::uuid),
        rule.store.map(StoreId::uuid),
        rule.partner,
        rule.grade,
        rule.manner.map(Manner::as_str),
        points,
        fixed,
        currency,
        rule.start_date.to_sqlx() as _,
        rule.end_date.map(|date| date.to_sqlx()) as _,
        rule.create_time.to_sqlx() as _,
        rule.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores that a rule was taken out of use.
#[tracing::instrument(name = "db.commission_rule.retire", skip_all)]
pub async fn retire_rule(conn: &mut PgConnection, rule: &Rule) -> Result<()> {
    sqlx::query!(
        "update commission_rule set retire_time = $2, version = $3 where id = $1",
        rule.id.uuid(),
        rule.retire_time.map(|time| time.to_sqlx()) as _,
        rule.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads a rule.
#[tracing::instrument(name = "db.commission_rule.get", skip_all)]
pub async fn get_rule(conn: &mut PgConnection, id: CommissionRuleId) -> Result<Option<Rule>> {
    let row = sqlx::query_as!(
        Row,
        "select id, payee, item_id, store_id, partner, grade, manner, basis_points, fixed_minor, currency,
              start_date, end_date, create_time, retire_time, version
         from commission_rule where id = $1",
        id.uuid(),
    );
    row.fetch_optional(conn).await?.map(Row::read).transpose()
}

/// Locks a rule against every other change of it, then reads it.
#[tracing::instrument(name = "db.commission_rule.lock", skip_all)]
pub async fn lock_rule(conn: &mut PgConnection, id: CommissionRuleId) -> Result<Option<Rule>> {
    // Read by a statement of its own after the lock: only that one sees what the holder before us has committed.
    sqlx::query!("select id from commission_rule where id = $1 for update", id.uuid())
        .fetch_optional(&mut *conn)
        .await?;
    get_rule(conn, id).await
}

/// The rules in use that apply on a day, whatever their conditions.
#[tracing::instrument(name = "db.commission_rule.on", skip_all)]
pub async fn rules_on(conn: &mut PgConnection, date: Date) -> Result<Vec<Rule>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, payee, item_id, store_id, partner, grade, manner, basis_points, fixed_minor, currency,
              start_date, end_date, create_time, retire_time, version
         from commission_rule
         where retire_time is null and start_date <= $1 and (end_date is null or end_date >= $1)",
        date.to_sqlx() as _,
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::read).collect()
}

/// Which rules to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct RuleFilter {
    /// Those out of use too.
    pub retired: bool,
    /// Only those made before this one.
    pub after: Option<Uuid>,
}

/// Rules, the newest first, `limit` at most.
#[tracing::instrument(name = "db.commission_rule.list", skip_all)]
pub async fn list_rules(conn: &mut PgConnection, filter: RuleFilter, limit: i64) -> Result<Vec<Rule>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, payee, item_id, store_id, partner, grade, manner, basis_points, fixed_minor, currency,
              start_date, end_date, create_time, retire_time, version
         from commission_rule
         where ($1 or retire_time is null) and ($2::uuid is null or id < $2)
         order by id desc limit $3",
        filter.retired,
        filter.after,
        limit,
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::read).collect()
}

struct Row {
    id: Uuid,
    payee: String,
    item_id: Option<Uuid>,
    store_id: Option<Uuid>,
    partner: Option<String>,
    grade: Option<i16>,
    manner: Option<String>,
    basis_points: Option<i32>,
    fixed_minor: Option<i64>,
    currency: Option<String>,
    start_date: SqlDate,
    end_date: Option<SqlDate>,
    create_time: SqlTimestamp,
    retire_time: Option<SqlTimestamp>,
    version: i64,
}

impl Row {
    fn read(self) -> Result<Rule> {
        let unfit = |what: &str| Error::inconsistent("commission_rule", self.id, format!("has {what}"));
        let points = self.basis_points.and_then(|points| u32::try_from(points).ok());
        let rate = match (points, self.fixed_minor, &self.currency) {
            (Some(points), None, None) => Rate::BasisPoints(points),
            (None, Some(minor), Some(code)) => {
                Rate::Fixed(Money::new(minor, currency("commission_rule", self.id, code)?))
            }
            _ => return Err(unfit("no rate")),
        };
        let manner = self.manner.as_deref();
        let manner =
            manner.map(|word| Manner::from_stored(word).ok_or_else(|| unfit("an unknown manner"))).transpose()?;
        Ok(Rule {
            id: CommissionRuleId::from_uuid(self.id),
            payee: PayeeKind::from_stored(&self.payee).ok_or_else(|| unfit("an unknown payee"))?,
            item: self.item_id.map(ItemId::from_uuid),
            store: self.store_id.map(StoreId::from_uuid),
            grade: self.grade,
            manner,
            rate,
            start_date: self.start_date.to_jiff(),
            end_date: self.end_date.map(SqlDate::to_jiff),
            create_time: self.create_time.to_jiff(),
            retire_time: self.retire_time.map(SqlTimestamp::to_jiff),
            version: self.version,
            partner: self.partner,
        })
    }
}
