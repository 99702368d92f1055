//! The rights to read calendar feeds.

use kernel::{
    Timestamp, Uuid,
    ids::{CalendarLinkId, StoreId, TherapistId},
};
use pg::PgConnection;

use super::sql;
use crate::domain::calendar::link::CalendarLink;

/// Stores a new link.
#[tracing::instrument(name = "db.calendar_link.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, link: &CalendarLink) -> pg::Result<()> {
    sqlx::query!(
        "insert into calendar_link (id, store_id, therapist_id, display_name, creator, create_time, version)
         values ($1, $2, $3, $4, $5, $6, $7)",
        link.id.uuid(),
        link.store.uuid(),
        link.therapist.map(TherapistId::uuid),
        link.display_name,
        link.creator,
        sql(link.create_time) as _,
        link.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores that a link was revoked. The row must have been read by [`lock`] in this transaction.
#[tracing::instrument(name = "db.calendar_link.save", skip_all)]
pub async fn save(conn: &mut PgConnection, link: &CalendarLink) -> pg::Result<()> {
    let saved = sqlx::query!(
        "update calendar_link set revoke_time = $2, version = $3 where id = $1 and version = $3::int - 1",
        link.id.uuid(),
        link.revoke_time.map(sql) as _,
        link.version,
    )
    .execute(conn)
    .await?;
    if saved.rows_affected() != 1 {
        return Err(pg::Error::inconsistent("calendar_link", link.id, "changed although it was locked"));
    }
    Ok(())
}

/// Reads a link.
#[tracing::instrument(name = "db.calendar_link.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: CalendarLinkId) -> pg::Result<Option<CalendarLink>> {
    let row = sqlx::query_as!(Row, "select * from calendar_link where id = $1", id.uuid());
    Ok(row.fetch_optional(conn).await?.map(CalendarLink::from))
}

/// Reads a link and keeps others from changing it until the transaction ends.
#[tracing::instrument(name = "db.calendar_link.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, id: CalendarLinkId) -> pg::Result<Option<CalendarLink>> {
    let row = sqlx::query_as!(Row, "select * from calendar_link where id = $1 for update", id.uuid());
    Ok(row.fetch_optional(conn).await?.map(CalendarLink::from))
}

/// Lists the links of a store, the newest first, with the revoked ones if they are wanted.
#[tracing::instrument(name = "db.calendar_link.list", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    store: StoreId,
    revoked: bool,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> pg::Result<Vec<CalendarLink>> {
    let (time, last) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select * from calendar_link
         where store_id = $1 and (revoke_time is null or $2)
           and ($3::timestamptz is null or (create_time, id) < ($3, $4::uuid))
         order by create_time desc, id desc limit $5",
        store.uuid(),
        revoked,
        time.map(sql) as _,
        last,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(CalendarLink::from).collect())
}

struct Row {
    id: Uuid,
    store_id: Uuid,
    therapist_id: Option<Uuid>,
    display_name: String,
    creator: String,
    create_time: jiff_sqlx::Timestamp,
    revoke_time: Option<jiff_sqlx::Timestamp>,
    version: i32,
}

impl From<Row> for CalendarLink {
    fn from(row: Row) -> Self {
        Self {
            id: CalendarLinkId::from_uuid(row.id),
            store: StoreId::from_uuid(row.store_id),
            therapist: row.therapist_id.map(TherapistId::from_uuid),
            display_name: row.display_name,
            creator: row.creator,
            create_time: row.create_time.to_jiff(),
            revoke_time: row.revoke_time.map(jiff_sqlx::Timestamp::to_jiff),
            version: row.version,
        }
    }
}
