//! Settlement lists.

use jiff::civil::Date;
use jiff_sqlx::{Date as SqlDate, Timestamp as SqlTimestamp, ToSqlx};
use kernel::{
    Currency, Money, Timestamp, Uuid,
    ids::{BookingId, CommissionRuleId, CommissionSettlementId, ItemId, StoreId},
};
use pg::{Error, PgConnection, Result};

use super::{claw_backs, visits::read_payee};
use crate::{
    db::currency,
    domain::commission::{Payee, Settlement, SettlementLine as Line, SettlementState as State},
};

/// Stores a new draft, and takes into it all that was earned at its store from `start` on and before `end`, can be paid out by
/// then, is not wholly taken back, and is in no list; and all that was taken back there of lists that were confirmed, whenever.
/// Returns how much that was; the draft must not be committed if it was nothing.
#[tracing::instrument(name = "db.commission_settlement.insert", skip_all)]
pub async fn insert_settlement(
    conn: &mut PgConnection,
    draft: &Settlement,
    (start, end): (Timestamp, Timestamp),
) -> Result<u64> {
    let currency = draft.currency;
    sqlx::query!(
        "insert into commission_settlement (id, store_id, currency, start_date, end_date, state, create_time, version)
         values ($1, $2, $3, $4, $5, 'draft', $6, $7)",
        draft.id.uuid(),
        draft.store.uuid(),
        currency.code(),
        draft.start_date.to_sqlx() as _,
        draft.end_date.to_sqlx() as _,
        draft.create_time.to_sqlx() as _,
        draft.version,
    )
    .execute(&mut *conn)
    .await?;
    // In the order in which everybody locks them. Of two who draft at once the second sees what the first has left.
    let taken = sqlx::query!(
        "with due as (
             select id from commission_accrual
             where settlement_id is null and store_id = $2 and currency = $3 and complete_time >= $4 and complete_time < $5
               and payable_time <= $6 and reversed_minor < amount_minor
             order by id for update
         )
         update commission_accrual as accrual set settlement_id = $1 from due where accrual.id = due.id",
        draft.id.uuid(),
        draft.store.uuid(),
        currency.code(),
        start.to_sqlx() as _,
        end.to_sqlx() as _,
        draft.create_time.to_sqlx() as _,
    );
    let earned = taken.execute(&mut *conn).await?.rows_affected();
    Ok(earned + claw_backs::draft(conn, draft).await?)
}

/// Locks a list against every other change of it and of what is in it, then reads it.
#[tracing::instrument(name = "db.commission_settlement.lock", skip_all)]
pub async fn lock_settlement(conn: &mut PgConnection, id: CommissionSettlementId) -> Result<Option<Settlement>> {
    // Read by a statement of its own after the lock: only that one sees what the holder before us has committed.
    sqlx::query!("select id from commission_settlement where id = $1 for update", id.uuid())
        .fetch_optional(&mut *conn)
        .await?;
    get_settlement(conn, id).await
}

/// Reads a list.
#[tracing::instrument(name = "db.commission_settlement.get", skip_all)]
pub async fn get_settlement(conn: &mut PgConnection, id: CommissionSettlementId) -> Result<Option<Settlement>> {
    let row = sqlx::query_as!(
        Row,
        "select id, store_id, currency, start_date, end_date, state, create_time, confirm_time, pay_time, version
         from commission_settlement where id = $1",
        id.uuid(),
    );
    row.fetch_optional(conn).await?.map(Row::read).transpose()
}

/// Lists, the newest first, `limit` at most: of a store, and older than the one made then, of that id.
#[tracing::instrument(name = "db.commission_settlement.list", skip_all)]
pub async fn list_settlements(
    conn: &mut PgConnection,
    store: Option<StoreId>,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<Settlement>> {
    let (time, id) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select id, store_id, currency, start_date, end_date, state, create_time, confirm_time, pay_time, version
         from commission_settlement
         where ($1::uuid is null or store_id = $1) and ($2::timestamptz is null or (create_time, id) < ($2, $3))
         order by create_time desc, id desc limit $4",
        store.map(StoreId::uuid),
        time.map(|time| time.to_sqlx()) as _,
        id,
        limit,
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::read).collect()
}

/// Stores where a list is in its life.
#[tracing::instrument(name = "db.commission_settlement.update", skip_all)]
pub async fn update_settlement(conn: &mut PgConnection, settlement: &Settlement) -> Result<()> {
    let (word, confirm_time, pay_time) = match settlement.state {
        State::Draft => ("draft", None, None),
        State::Confirmed { time } => ("confirmed", Some(time), None),
        State::Paid { confirm_time, time } => ("paid", Some(confirm_time), Some(time)),
    };
    sqlx::query!(
        "update commission_settlement set state = $2, confirm_time = $3, pay_time = $4, version = $5 where id = $1",
        settlement.id.uuid(),
        word,
        confirm_time.map(|time| time.to_sqlx()) as _,
        pay_time.map(|time| time.to_sqlx()) as _,
        settlement.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What each payee gets by a list, by name.
#[tracing::instrument(name = "db.commission_settlement.lines", skip_all)]
pub async fn settlement_lines(conn: &mut PgConnection, settlement: &Settlement) -> Result<Vec<Line>> {
    let rows = sqlx::query!(
        r#"select payee as "payee!", sum(accruals)::bigint as "accruals!", sum(earned)::bigint as "earned!",
                  sum(reversed)::bigint as "reversed!", sum(clawed)::bigint as "clawed!"
           from (select payee, 1 as accruals, amount_minor as earned, reversed_minor as reversed, 0 as clawed
                 from commission_accrual where settlement_id = $1
                 union all
                 select payee, 0, 0, 0, amount_minor from commission_claw_back where settlement_id = $1) as part
           group by payee order by payee"#,
        settlement.id.uuid(),
    );
    let money = |minor| Money::new(minor, settlement.currency);
    let lines = rows.fetch_all(conn).await?.into_iter().map(|row| {
        let payee = read_payee(settlement.id.uuid(), &row.payee)?;
        let (earned, reversed, clawed_back) = (money(row.earned), money(row.reversed), money(row.clawed));
        Ok(Line { payee, accruals: row.accruals, earned, reversed, clawed_back })
    });
    lines.collect()
}

/// A row of a list that is written out.
#[derive(Debug, Clone)]
pub struct ExportRow {
    /// Who.
    pub payee: Payee,
    /// The visit.
    pub booking: BookingId,
    /// What he gave.
    pub item: ItemId,
    /// By which rule.
    pub rule: Option<CommissionRuleId>,
    /// When the visit was completed.
    pub complete_time: Timestamp,
    /// The part of the price by which he earns.
    pub base: Money,
    /// What he has earned.
    pub earned: Money,
    /// What of it was taken back before the list was confirmed.
    pub reversed: Money,
    /// What is taken back of an earlier list; then nothing is earned by this row.
    pub clawed_back: Money,
}

impl ExportRow {
    /// What it brings its payee.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`, which no sound row has.
    pub fn amount(&self) -> kernel::Result<Money> {
        self.earned.try_sub(self.reversed)?.try_sub(self.clawed_back)
    }
}

/// All that is in a list, by payee and time.
#[tracing::instrument(name = "db.commission_settlement.export", skip_all)]
pub async fn export_rows(conn: &mut PgConnection, settlement: &Settlement) -> Result<Vec<ExportRow>> {
    let rows = sqlx::query!(
        r#"select id as "id!", payee as "payee!", booking_id as "booking_id!", item_id as "item_id!", rule_id,
                  complete_time as "complete_time!", base_minor as "base_minor!", amount_minor as "amount_minor!",
                  reversed_minor as "reversed_minor!", clawed_minor as "clawed_minor!"
           from (select id, payee, booking_id, item_id, rule_id, complete_time, base_minor, amount_minor, reversed_minor,
                        0::bigint as clawed_minor
                 from commission_accrual where settlement_id = $1
                 union all
                 select taken.id, taken.payee, booking_id, item_id, rule_id, complete_time, base_minor, 0, 0,
                        taken.amount_minor
                 from commission_claw_back as taken join commission_accrual as accrual on accrual.id = taken.accrual_id
                 where taken.settlement_id = $1) as part
           order by payee, complete_time, id"#,
        settlement.id.uuid(),
    );
    let money = |minor| Money::new(minor, settlement.currency);
    let rows = rows.fetch_all(conn).await?.into_iter().map(|row| {
        Ok(ExportRow {
            payee: read_payee(row.id, &row.payee)?,
            booking: BookingId::from_uuid(row.booking_id),
            item: ItemId::from_uuid(row.item_id),
            rule: row.rule_id.map(CommissionRuleId::from_uuid),
            complete_time: row.complete_time.to_jiff(),
            base: money(row.base_minor),
            earned: money(row.amount_minor),
            reversed: money(row.reversed_minor),
            clawed_back: money(row.clawed_minor),
        })
    });
    rows.collect()
}

struct Row {
    id: Uuid,
    store_id: Uuid,
    currency: String,
    start_date: SqlDate,
    end_date: SqlDate,
    state: String,
    create_time: SqlTimestamp,
    confirm_time: Option<SqlTimestamp>,
    pay_time: Option<SqlTimestamp>,
    version: i64,
}

impl Row {
    fn read(self) -> Result<Settlement> {
        let currency: Currency = currency("commission_settlement", self.id, &self.currency)?;
        let (confirmed, paid) =
            (self.confirm_time.map(SqlTimestamp::to_jiff), self.pay_time.map(SqlTimestamp::to_jiff));
        let state = match (self.state.as_str(), confirmed, paid) {
            ("draft", None, None) => State::Draft,
            ("confirmed", Some(time), None) => State::Confirmed { time },
            ("paid", Some(confirm_time), Some(time)) => State::Paid { confirm_time, time },
            (other, ..) => return Err(Error::inconsistent("commission_settlement", self.id, format!("is {other}"))),
        };
        let (start_date, end_date): (Date, Date) = (self.start_date.to_jiff(), self.end_date.to_jiff());
        Ok(Settlement {
            id: CommissionSettlementId::from_uuid(self.id),
            store: StoreId::from_uuid(self.store_id),
            currency,
            start_date,
            end_date,
            state,
            create_time: self.create_time.to_jiff(),
            version: self.version,
        })
    }
}
