//! Licences of which it must be told that they lapse.

use jiff::civil::Date;
use kernel::{Timestamp, Uuid, ids::StoreId};
use pg::PgConnection;

use crate::{
    db::{sql, sql_date},
    domain::licence::{Licence, LicenceKind},
};

/// A licence of which it must be told today.
#[derive(Debug, Clone)]
pub struct LapsingLicence {
    /// Its id.
    pub id: Uuid,
    /// How often it was told.
    pub version: i64,
    /// Whose it is.
    pub store: StoreId,
    /// The store's published name.
    pub store_name: String,
    /// The licence.
    pub licence: Licence,
    /// The date at the store.
    pub today: Date,
}

/// Locks up to `limit` licences of which it must be told now, those that are waiting longest first; leaves those out that
/// another worker has locked.
#[tracing::instrument(name = "db.store_licence.to_tell", skip_all)]
pub async fn licences_to_tell(conn: &mut PgConnection, now: Timestamp, limit: i64) -> pg::Result<Vec<LapsingLicence>> {
    // No place on earth is more than 14 hours ahead of UTC: the first condition finds them by index.
    let rows = sqlx::query!(
        r#"select l.id, l.version, l.store_id, s.display_name, l.kind, l.number,
                  l.expire_date as "expire_date: jiff_sqlx::Date",
                  ($1::timestamptz at time zone s.time_zone)::date as "today!: jiff_sqlx::Date"
           from store_licence l join store s on s.id = l.store_id
           where l.warning_date <= ($1::timestamptz at time zone 'UTC' + interval '14 hours')::date
             and l.warning_date <= ($1::timestamptz at time zone s.time_zone)::date
           order by l.warning_date, l.id limit $2 for update of l skip locked"#,
        sql(now) as _,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kind = LicenceKind::parse(&row.kind)
                .ok_or_else(|| pg::Error::inconsistent("store_licence", row.id, "unknown kind"))?;
            Ok(LapsingLicence {
                id: row.id,
                version: row.version,
                store: StoreId::from_uuid(row.store_id),
                store_name: row.display_name,
                licence: Licence { kind, number: row.number, expire_date: row.expire_date.to_jiff() },
                today: row.today.to_jiff(),
            })
        })
        .collect()
}

/// Notes that it was told of a licence, and when it must be told again.
#[tracing::instrument(name = "db.store_licence.told", skip_all)]
pub async fn told(conn: &mut PgConnection, id: Uuid, version: i64, next: Option<Date>) -> pg::Result<()> {
    sqlx::query!(
        "update store_licence set version = $2, warning_date = $3 where id = $1",
        id,
        version,
        next.map(sql_date) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
