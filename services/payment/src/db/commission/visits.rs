//! Visits that were completed: what is earned by one is accrued once, and taken back as its order is refunded.

use jiff_sqlx::ToSqlx;
use kernel::{
    Money, Timestamp, Uuid,
    ids::{BookingId, CommissionAccrualId, OrderId, StoreId},
};
use pg::{Error, PgConnection, Result};

use crate::{
    db::currency,
    domain::commission::{Payee, Share},
};

/// A visit that was completed.
#[derive(Debug, Clone)]
pub struct CompletedVisit {
    /// Which.
    pub booking: BookingId,
    /// Its order.
    pub order: OrderId,
    /// Where.
    pub store: StoreId,
    /// What it cost.
    pub price: Money,
    /// What of the order had gone back by then, as it became cheaper.
    pub lowered: Money,
    /// When it was completed.
    pub complete_time: Timestamp,
    /// From when on what was earned can be paid out.
    pub payable_time: Timestamp,
}

/// Stores a visit with what is earned by it; the shares are at positions from 0. `false` if it is stored already; then
/// nothing is.
#[tracing::instrument(name = "db.commission_visit.insert", skip_all)]
pub async fn insert_visit(conn: &mut PgConnection, visit: &CompletedVisit, shares: &[Share]) -> Result<bool> {
    let currency = visit.price.currency();
    let inserted = sqlx::query!(
        "insert into commission_visit (booking_id, order_id, store_id, currency, price_minor, lowered_minor, complete_time,
                                       payable_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (booking_id) do nothing",
        visit.booking.uuid(),
        visit.order.uuid(),
        visit.store.uuid(),
        currency.code(),
        visit.price.minor(),
        visit.lowered.minor(),
        visit.complete_time.to_sqlx() as _,
        visit.payable_time.to_sqlx() as _,
    )
    .execute(&mut *conn)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    for (position, share) in (0_i32..).zip(shares) {
        insert_accrual(conn, visit, position, share).await?;
    }
    Ok(true)
}

async fn insert_accrual(conn: &mut PgConnection, visit: &CompletedVisit, position: i32, share: &Share) -> Result<()> {
    let id = CommissionAccrualId::derive(visit.booking.uuid(), &format!("commission/{position}"));
    let currency = share.amount.currency();
    sqlx::query!(
        "insert into commission_accrual (id, booking_id, position, payee, store_id, currency, item_id, rule_id, base_minor,
                                         amount_minor, explanation, complete_time, payable_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        id.uuid(),
        visit.booking.uuid(),
        position,
        share.payee.name(),
        visit.store.uuid(),
        currency.code(),
        share.item.uuid(),
        share.rule.map(Uuid::from),
        share.base.minor(),
        share.amount.minor(),
        share.explanation,
        visit.complete_time.to_sqlx() as _,
        visit.payable_time.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What was earned by a visit, locked.
#[derive(Debug, Clone)]
pub struct LockedVisit {
    /// Which.
    pub booking: BookingId,
    /// Where.
    pub store: StoreId,
    /// What it cost.
    pub price: Money,
    /// What of the order had gone back before, as it became cheaper.
    pub lowered: Money,
    /// How often something was taken back.
    pub reversals: i32,
    /// What was earned by it, by id.
    pub earned: Vec<Earned>,
}

/// What somebody has earned by a locked visit.
#[derive(Debug, Clone)]
pub struct Earned {
    /// Its id.
    pub accrual: CommissionAccrualId,
    /// Who.
    pub payee: Payee,
    /// How much; above zero.
    pub amount: Money,
    /// What was taken back of it, before and after its list was confirmed.
    pub taken_back: Money,
    /// Its list is confirmed: what is taken back goes off the next one.
    pub is_confirmed: bool,
}

/// Locks the visit of an order against others who take back. `None` if it is not completed, or nobody has earned by it.
#[tracing::instrument(name = "db.commission_visit.lock", skip_all)]
pub async fn lock_visit(conn: &mut PgConnection, order: OrderId) -> Result<Option<LockedVisit>> {
    let row = sqlx::query!(
        "select booking_id, store_id, currency, price_minor, lowered_minor, reversals
         from commission_visit where order_id = $1 for update",
        order.uuid(),
    );
    let Some(row) = row.fetch_optional(&mut *conn).await? else { return Ok(None) };
    let currency = currency("commission_visit", row.booking_id, &row.currency)?;
    let money = |minor| Money::new(minor, currency);
    let accruals = sqlx::query!(
        r#"select id, payee, amount_minor, settlement_id,
                  reversed_minor + coalesce((select sum(taken.amount_minor) from commission_claw_back as taken
                                             where taken.accrual_id = accrual.id), 0)::bigint as "taken_minor!"
           from commission_accrual as accrual where booking_id = $1 and amount_minor > 0 order by id for update"#,
        row.booking_id,
    );
    let accruals = accruals.fetch_all(&mut *conn).await?;
    // Whoever confirms a list waits for us, or we for him; then his is none that we find.
    let lists: Vec<Uuid> = accruals.iter().filter_map(|accrual| accrual.settlement_id).collect();
    let drafts = sqlx::query_scalar!(
        "select id from commission_settlement where id = any($1) and state = 'draft' order by id for share",
        &lists,
    );
    let drafts = drafts.fetch_all(conn).await?;
    let earned = accruals.into_iter().map(|accrual| {
        Ok(Earned {
            accrual: CommissionAccrualId::from_uuid(accrual.id),
            payee: read_payee(accrual.id, &accrual.payee)?,
            amount: money(accrual.amount_minor),
            taken_back: money(accrual.taken_minor),
            is_confirmed: accrual.settlement_id.is_some_and(|list| !drafts.contains(&list)),
        })
    });
    Ok(Some(LockedVisit {
        booking: BookingId::from_uuid(row.booking_id),
        store: StoreId::from_uuid(row.store_id),
        price: money(row.price_minor),
        lowered: money(row.lowered_minor),
        reversals: row.reversals,
        earned: earned.collect::<Result<_>>()?,
    }))
}

/// Stores what is taken back of a locked visit: how much of which, none of them in a list that is confirmed. Counts it as a
/// reversal, whether or not any is.
#[tracing::instrument(name = "db.commission_accrual.take_back", skip_all)]
pub async fn take_back(
    conn: &mut PgConnection,
    visit: &LockedVisit,
    taken: &[(CommissionAccrualId, Money)],
) -> Result<()> {
    sqlx::query!("update commission_visit set reversals = reversals + 1 where booking_id = $1", visit.booking.uuid(),)
        .execute(&mut *conn)
        .await?;
    let (ids, amounts): (Vec<Uuid>, Vec<i64>) = taken.iter().map(|(id, amount)| (id.uuid(), amount.minor())).unzip();
    sqlx::query!(
        "update commission_accrual as accrual set reversed_minor = accrual.reversed_minor + taken.minor
         from unnest($1::uuid[], $2::bigint[]) as taken (id, minor) where accrual.id = taken.id",
        &ids,
        &amounts,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads a stored payee.
pub(super) fn read_payee(row: Uuid, name: &str) -> Result<Payee> {
    Payee::parse_name("payee", name).map_err(|error| Error::inconsistent("commission_accrual", row, error))
}
