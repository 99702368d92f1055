//! Stores with their hours.

use kernel::{Uuid, ids::StoreId};
use pg::PgConnection;
use serde::Deserialize;
use sqlx::types::Json;

use super::{AfterName, date};
use crate::{
    db::{currency, sql, sql_date},
    domain::{
        catalog::Store,
        geo::Position,
        hours::{OpeningHours, SpecialDay},
    },
};

/// Stores a new store with its hours.
#[tracing::instrument(name = "db.store.insert", skip_all)]
pub async fn insert_store(conn: &mut PgConnection, store: &Store) -> pg::Result<()> {
    sqlx::query!(
        "insert into store (id, display_name, address, latitude, longitude, time_zone, currency, photos, version,
                            create_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        store.id.uuid(),
        store.display_name,
        store.address,
        store.position.map(|(latitude, _)| latitude),
        store.position.map(|(_, longitude)| longitude),
        store.time_zone,
        store.currency.code(),
        &store.photos,
        store.version,
        sql(store.create_time) as _,
    )
    .execute(&mut *conn)
    .await?;
    insert_hours(conn, store).await
}

/// Stores the new content of a store.
#[tracing::instrument(name = "db.store.update", skip_all)]
pub async fn update_store(conn: &mut PgConnection, store: &Store) -> pg::Result<()> {
    sqlx::query!(
        "update store set display_name = $2, address = $3, latitude = $4, longitude = $5, time_zone = $6, photos = $7,
                          version = $8
         where id = $1",
        store.id.uuid(),
        store.display_name,
        store.address,
        store.position.map(|(latitude, _)| latitude),
        store.position.map(|(_, longitude)| longitude),
        store.time_zone,
        &store.photos,
        store.version,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("delete from store_opening_hours where store_id = $1", store.id.uuid()).execute(&mut *conn).await?;
    sqlx::query!("delete from store_special_day where store_id = $1", store.id.uuid()).execute(&mut *conn).await?;
    insert_hours(conn, store).await
}

async fn insert_hours(conn: &mut PgConnection, store: &Store) -> pg::Result<()> {
    let week = &store.opening_hours;
    sqlx::query!(
        "insert into store_opening_hours (store_id, day, open_minute, close_minute)
         select $1, * from unnest($2::smallint[], $3::smallint[], $4::smallint[])",
        store.id.uuid(),
        &week.iter().map(|hours| hours.day).collect::<Vec<_>>(),
        &week.iter().map(|hours| hours.open_minute).collect::<Vec<_>>(),
        &week.iter().map(|hours| hours.close_minute).collect::<Vec<_>>(),
    )
    .execute(&mut *conn)
    .await?;
    for day in &store.special_days {
        let (opens, closes): (Vec<i16>, Vec<i16>) = day.hours.iter().copied().unzip();
        sqlx::query!(
            "insert into store_special_day (store_id, date, opens, closes, note) values ($1, $2, $3, $4, $5)",
            store.id.uuid(),
            sql_date(day.date) as _,
            &opens,
            &closes,
            day.note,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Reads a store.
#[tracing::instrument(name = "db.store.get", skip_all)]
pub async fn get_store(conn: &mut PgConnection, id: StoreId) -> pg::Result<Option<Store>> {
    Ok(stores(conn, Some(&[id]), None, 1).await?.pop())
}

/// Reads those of the stores that exist, by name.
#[tracing::instrument(name = "db.store.get_all", skip_all)]
pub async fn get_stores(conn: &mut PgConnection, ids: &[StoreId]) -> pg::Result<Vec<Store>> {
    stores(conn, Some(ids), None, i64::MAX).await
}

/// Lists stores by name.
#[tracing::instrument(name = "db.store.list", skip_all)]
pub async fn list_stores(conn: &mut PgConnection, after: AfterName, limit: i64) -> pg::Result<Vec<Store>> {
    stores(conn, None, after, limit).await
}

/// Where the stores are whose latitude is known to lie between these two.
#[tracing::instrument(name = "db.store.positions", skip_all)]
pub async fn positions(conn: &mut PgConnection, (from, to): (f64, f64)) -> pg::Result<Vec<(StoreId, Position)>> {
    let rows = sqlx::query!(
        r#"select id, latitude as "latitude!", longitude as "longitude!" from store where latitude between $1 and $2"#,
        from,
        to,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (StoreId::from_uuid(row.id), (row.latitude, row.longitude))).collect())
}

#[derive(Debug, Deserialize)]
struct DayRow {
    date: String,
    opens: Vec<i16>,
    closes: Vec<i16>,
    note: String,
}

async fn stores(
    conn: &mut PgConnection,
    ids: Option<&[StoreId]>,
    after: AfterName,
    limit: i64,
) -> pg::Result<Vec<Store>> {
    let ids: Option<Vec<Uuid>> = ids.map(|ids| ids.iter().map(|id| id.uuid()).collect());
    let (name, last) = after.unzip();
    let rows = sqlx::query!(
        r#"select s.id, display_name, address, latitude, longitude, time_zone, currency, photos, version, create_time,
                  coalesce(array_agg(h.day order by h.day, h.open_minute) filter (where h.day is not null), '{}') as "days!",
                  coalesce(array_agg(h.open_minute order by h.day, h.open_minute) filter (where h.day is not null), '{}') as "opens!",
                  coalesce(array_agg(h.close_minute order by h.day, h.open_minute) filter (where h.day is not null), '{}') as "closes!",
                  coalesce((select json_agg(d order by d.date) from store_special_day d where d.store_id = s.id), '[]')
                      as "special_days!: Json<Vec<DayRow>>"
           from store s left join store_opening_hours h on h.store_id = s.id
           where ($1::uuid[] is null or s.id = any($1)) and ($2::text is null or (display_name, s.id) > ($2, $3::uuid))
           group by s.id order by display_name, s.id limit $4"#,
        ids.as_deref(),
        name,
        last,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let hours = row.days.into_iter().zip(row.opens).zip(row.closes);
            Ok(Store {
                id: StoreId::from_uuid(row.id),
                display_name: row.display_name,
                address: row.address,
                position: row.latitude.zip(row.longitude),
                time_zone: row.time_zone,
                opening_hours: hours
                    .map(|((day, open_minute), close_minute)| OpeningHours { day, open_minute, close_minute })
                    .collect(),
                special_days: row
                    .special_days
                    .0
                    .into_iter()
                    .map(|day| {
                        Ok(SpecialDay {
                            date: date("store_special_day", row.id, &day.date)?,
                            hours: day.opens.into_iter().zip(day.closes).collect(),
                            note: day.note,
                        })
                    })
                    .collect::<pg::Result<_>>()?,
                currency: currency("store", row.id, &row.currency)?,
                photos: row.photos,
                version: row.version,
                create_time: row.create_time.to_jiff(),
            })
        })
        .collect()
}
