//! What was earned, to be read.

use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use kernel::{
    Money, Timestamp, Uuid,
    ids::{BookingId, CommissionAccrualId, CommissionRuleId, CommissionSettlementId, ItemId, OrderId, StoreId},
};
use pg::{PgConnection, Result};

use super::visits::read_payee;
use crate::{
    db::currency,
    domain::commission::{Payee, Share},
};

/// What somebody has earned by a visit.
#[derive(Debug, Clone)]
pub struct Accrual {
    /// Its id.
    pub id: CommissionAccrualId,
    /// The visit.
    pub booking: BookingId,
    /// Its order.
    pub order: OrderId,
    /// Where.
    pub store: StoreId,
    /// Who, by what, how much, and why.
    pub share: Share,
    /// What of it was taken back before its list was confirmed.
    pub reversed: Money,
    /// What of it was taken back after.
    pub clawed_back: Money,
    /// When the visit was completed.
    pub complete_time: Timestamp,
    /// From when on it can be paid out.
    pub payable_time: Timestamp,
    /// The settlement list that it is in.
    pub settlement: Option<CommissionSettlementId>,
    /// That list is confirmed.
    pub confirmed: bool,
    /// That list is paid.
    pub paid: bool,
}

/// Which to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of this payee.
    pub payee: Option<Payee>,
    /// Only at this store.
    pub store: Option<StoreId>,
    /// Only those completed before then, or at the same time and of a lower id.
    pub after: Option<(Timestamp, Uuid)>,
}

/// What was earned, the newest first, `limit` at most.
#[tracing::instrument(name = "db.commission_accrual.list", skip_all)]
pub async fn list(conn: &mut PgConnection, filter: &Filter, limit: i64) -> Result<Vec<Accrual>> {
    let (time, id) = filter.after.unzip();
    let rows = sqlx::query_as!(
        Row,
        r#"select accrual.id, booking_id, visit.order_id, accrual.store_id, accrual.currency, payee, item_id, rule_id,
                  base_minor, amount_minor, reversed_minor,
                  coalesce((select sum(taken.amount_minor) from commission_claw_back as taken
                            where taken.accrual_id = accrual.id), 0)::bigint as "clawed_minor!",
                  explanation, accrual.complete_time, accrual.payable_time, settlement_id,
                  coalesce(list.confirm_time is not null, false) as "confirmed!",
                  coalesce(list.pay_time is not null, false) as "paid!"
           from commission_accrual as accrual join commission_visit as visit using (booking_id)
                left join commission_settlement as list on list.id = settlement_id
           where ($1::text is null or payee = $1) and ($2::uuid is null or accrual.store_id = $2)
             and ($3::timestamptz is null or (accrual.complete_time, accrual.id) < ($3, $4))
           order by accrual.complete_time desc, accrual.id desc limit $5"#,
        filter.payee.as_ref().map(Payee::name),
        filter.store.map(StoreId::uuid),
        time.map(|time| time.to_sqlx()) as _,
        id,
        limit,
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::read).collect()
}

struct Row {
    id: Uuid,
    booking_id: Uuid,
    order_id: Uuid,
    store_id: Uuid,
    currency: String,
    payee: String,
    item_id: Uuid,
    rule_id: Option<Uuid>,
    base_minor: i64,
    amount_minor: i64,
    reversed_minor: i64,
    clawed_minor: i64,
    explanation: String,
    complete_time: SqlTimestamp,
    payable_time: SqlTimestamp,
    settlement_id: Option<Uuid>,
    confirmed: bool,
    paid: bool,
}

impl Row {
    fn read(self) -> Result<Accrual> {
        let currency = currency("commission_accrual", self.id, &self.currency)?;
        let money = |minor| Money::new(minor, currency);
        let share = Share {
            payee: read_payee(self.id, &self.payee)?,
            item: ItemId::from_uuid(self.item_id),
            base: money(self.base_minor),
            amount: money(self.amount_minor),
            rule: self.rule_id.map(CommissionRuleId::from_uuid),
            explanation: self.explanation,
        };
        Ok(Accrual {
            id: CommissionAccrualId::from_uuid(self.id),
            booking: BookingId::from_uuid(self.booking_id),
            order: OrderId::from_uuid(self.order_id),
            store: StoreId::from_uuid(self.store_id),
            share,
            reversed: money(self.reversed_minor),
            clawed_back: money(self.clawed_minor),
            complete_time: self.complete_time.to_jiff(),
            payable_time: self.payable_time.to_jiff(),
            settlement: self.settlement_id.map(CommissionSettlementId::from_uuid),
            confirmed: self.confirmed,
            paid: self.paid,
        })
    }
}
