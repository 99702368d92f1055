//! What is taken back of commission after its settlement list was confirmed.

use jiff_sqlx::ToSqlx;
use kernel::{
    Money, Timestamp, Uuid,
    ids::{CommissionAccrualId, StoreId},
};
use pg::{PgConnection, Result};

use crate::domain::commission::{Payee, Settlement};

/// Something that is taken back.
#[derive(Debug, Clone)]
pub struct ClawBack {
    /// Its id.
    pub id: Uuid,
    /// Of what.
    pub accrual: CommissionAccrualId,
    /// From whom.
    pub payee: Payee,
    /// The store that has owed it.
    pub store: StoreId,
    /// How much; above zero.
    pub amount: Money,
    /// When.
    pub create_time: Timestamp,
}

/// Stores what is taken back; the next list of its store takes it off.
#[tracing::instrument(name = "db.commission_claw_back.insert", skip_all)]
pub async fn insert_claw_back(conn: &mut PgConnection, new: &ClawBack) -> Result<()> {
    let currency = new.amount.currency();
    sqlx::query!(
        "insert into commission_claw_back (id, accrual_id, payee, store_id, currency, amount_minor, create_time)
         values ($1, $2, $3, $4, $5, $6, $7)",
        new.id,
        new.accrual.uuid(),
        new.payee.name(),
        new.store.uuid(),
        currency.code(),
        new.amount.minor(),
        new.create_time.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes into a draft all that is in no list of what was taken back at its store, whenever. Returns how much that was.
#[tracing::instrument(name = "db.commission_claw_back.draft", skip_all)]
pub(super) async fn draft(conn: &mut PgConnection, draft: &Settlement) -> Result<u64> {
    let taken = sqlx::query!(
        "with due as (
             select id from commission_claw_back
             where settlement_id is null and store_id = $2 and currency = $3 order by id for update
         )
         update commission_claw_back as taken set settlement_id = $1 from due where taken.id = due.id",
        draft.id.uuid(),
        draft.store.uuid(),
        draft.currency.code(),
    );
    Ok(taken.execute(conn).await?.rows_affected())
}
