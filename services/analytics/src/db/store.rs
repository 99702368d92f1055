//! Stores as they were last heard of.

use kernel::{Currency, ids::StoreId};
use pg::PgConnection;

use crate::domain::fact::Store;

/// Stores how a store stands, unless something newer is known.
#[tracing::instrument(name = "db.dim_store.put", skip_all)]
pub async fn put(conn: &mut PgConnection, store: &Store) -> pg::Result<()> {
    sqlx::query!(
        "insert into dim_store (store_id, version, display_name, time_zone, currency) values ($1, $2, $3, $4, $5)
         on conflict (store_id) do update
         set version = excluded.version, display_name = excluded.display_name, time_zone = excluded.time_zone,
             currency = excluded.currency
         where dim_store.version < excluded.version",
        store.id.uuid(),
        store.version,
        store.display_name,
        store.time_zone,
        store.currency.code(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A store; none if it was never heard of.
#[tracing::instrument(name = "db.dim_store.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: StoreId) -> pg::Result<Option<Store>> {
    let row = sqlx::query!(
        "select version, display_name, time_zone, currency from dim_store where store_id = $1",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let currency = Currency::parse("currency", &row.currency)
            .map_err(|_| pg::Error::inconsistent("dim_store", id, "unknown currency"))?;
        Ok(Store { id, version: row.version, display_name: row.display_name, time_zone: row.time_zone, currency })
    })
    .transpose()
}
