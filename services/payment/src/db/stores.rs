//! What payment knows of stores: their time zones, as booking tells them.

use kernel::ids::StoreId;
use pg::{PgConnection, Result};

/// Notes a store's time zone, unless a newer version of the store is known.
#[tracing::instrument(name = "db.store_zone.note", skip_all)]
pub async fn note_zone(conn: &mut PgConnection, store: StoreId, time_zone: &str, version: i64) -> Result<()> {
    sqlx::query!(
        "insert into store_zone as known (store_id, time_zone, version) values ($1, $2, $3)
         on conflict (store_id) do update set time_zone = $2, version = $3 where known.version < $3",
        store.uuid(),
        time_zone,
        version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The IANA name of a store's time zone, if booking has told it.
#[tracing::instrument(name = "db.store_zone.zone", skip_all)]
pub async fn zone(conn: &mut PgConnection, store: StoreId) -> Result<Option<String>> {
    let name = sqlx::query_scalar!("select time_zone from store_zone where store_id = $1", store.uuid());
    Ok(name.fetch_optional(conn).await?)
}
