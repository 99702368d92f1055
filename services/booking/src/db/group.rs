//! People who come together.

use kernel::{
    Timestamp, Uuid,
    ids::{GroupId, MemberId, StoreId},
};
use pg::PgConnection;

use super::sql;
use crate::domain::group::{Group, Payer};

/// Which groups a list shows; every condition that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// At this store.
    pub store: Option<StoreId>,
    /// Of this customer: he organises it, or comes with it.
    pub customer: Option<MemberId>,
}

/// Stores a group that was just made. To be called before its bookings are stored.
#[tracing::instrument(name = "db.group.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, group: &Group) -> pg::Result<()> {
    sqlx::query!(
        "insert into booking_group (id, store_id, organiser_id, payer, create_time, version)
         values ($1, $2, $3, $4, $5, $6)",
        group.id.uuid(),
        group.store.uuid(),
        group.organiser.uuid(),
        group.payer.as_str(),
        sql(group.create_time) as _,
        group.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads a group.
#[tracing::instrument(name = "db.group.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: GroupId) -> pg::Result<Option<Group>> {
    let row = sqlx::query_as!(Row, "select * from booking_group where id = $1", id.uuid()).fetch_optional(conn).await?;
    row.map(Group::try_from).transpose()
}

/// Reads a group and keeps others from telling of it until the transaction ends. It comes before the rows of its bookings:
/// see [`super::locks`].
#[tracing::instrument(name = "db.group.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, id: GroupId) -> pg::Result<Option<Group>> {
    let row = sqlx::query_as!(Row, "select * from booking_group where id = $1 for no key update", id.uuid())
        .fetch_optional(conn)
        .await?;
    row.map(Group::try_from).transpose()
}

/// Stores the version of a group that [`lock`] has read in this transaction.
#[tracing::instrument(name = "db.group.save_version", skip_all)]
pub async fn save_version(conn: &mut PgConnection, group: &Group) -> pg::Result<()> {
    sqlx::query!("update booking_group set version = $2 where id = $1", group.id.uuid(), group.version)
        .execute(conn)
        .await?;
    Ok(())
}

/// Lists groups, the one made last first.
#[tracing::instrument(name = "db.group.list", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    filter: &Filter,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> pg::Result<Vec<Group>> {
    let (made, last) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select * from booking_group
         where ($1::uuid is null or store_id = $1)
           and ($2::uuid is null or organiser_id = $2
                or id in (select group_id from booking where customer_id = $2 and group_id is not null))
           and ($3::timestamptz is null or (create_time, id) < ($3, $4::uuid))
         order by create_time desc, id desc limit $5",
        filter.store.map(StoreId::uuid),
        filter.customer.map(MemberId::uuid),
        made.map(sql) as _,
        last,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Group::try_from).collect()
}

struct Row {
    id: Uuid,
    store_id: Uuid,
    organiser_id: Uuid,
    payer: String,
    create_time: jiff_sqlx::Timestamp,
    version: i64,
}

impl TryFrom<Row> for Group {
    type Error = pg::Error;

    fn try_from(row: Row) -> pg::Result<Self> {
        let payer = Payer::parse(&row.payer);
        Ok(Self {
            id: GroupId::from_uuid(row.id),
            store: StoreId::from_uuid(row.store_id),
            organiser: MemberId::from_uuid(row.organiser_id),
            payer: payer.ok_or_else(|| pg::Error::inconsistent("booking_group", row.id, "unknown payer"))?,
            create_time: row.create_time.to_jiff(),
            version: row.version,
        })
    }
}
