//! What holds at the desk of a store.

use jiff_sqlx::ToSqlx;
use kernel::{Timestamp, ids::StoreId};
use pg::{PgConnection, Result};

/// Whether staff of a store can take cash while no drawer is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeskPolicy {
    /// They can't.
    pub required: bool,
    /// When that was said; `None` if it never was.
    pub update_time: Option<Timestamp>,
}

/// Locks the desk of a store against whoever else opens a drawer there.
#[tracing::instrument(name = "db.cash_desk.lock", skip_all)]
pub async fn lock_desk(conn: &mut PgConnection, store: StoreId) -> Result<()> {
    sqlx::query!("insert into cash_desk (store_id) values ($1) on conflict do nothing", store.uuid())
        .execute(&mut *conn)
        .await?;
    sqlx::query!("select store_id from cash_desk where store_id = $1 for update", store.uuid()).fetch_one(conn).await?;
    Ok(())
}

/// What holds at the desk of a store.
#[tracing::instrument(name = "db.cash_desk.policy", skip_all)]
pub async fn policy(conn: &mut PgConnection, store: StoreId) -> Result<DeskPolicy> {
    let row = sqlx::query!("select required, update_time from cash_desk where store_id = $1", store.uuid());
    let read = row.fetch_optional(conn).await?.map(|row| DeskPolicy {
        required: row.required,
        update_time: row.update_time.map(jiff_sqlx::Timestamp::to_jiff),
    });
    Ok(read.unwrap_or_default())
}

/// Says what shall hold at the desk of a store.
#[tracing::instrument(name = "db.cash_desk.set_policy", skip_all)]
pub async fn set_policy(conn: &mut PgConnection, store: StoreId, required: bool, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "insert into cash_desk (store_id, required, update_time) values ($1, $2, $3)
         on conflict (store_id) do update set required = $2, update_time = $3",
        store.uuid(),
        required,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
