//! Lots of points, and the entries that tell how they changed. All changes are made under the member's lock.

use kernel::{
    Timestamp, Uuid,
    ids::{MemberId, OrderId, PointsLotId},
};
use pg::PgConnection;

use super::{jiff, sql};
use crate::domain::points::{Entry, EntryKind, Lot};

/// Stores a new lot.
#[tracing::instrument(name = "db.points_lot.insert", skip_all)]
pub async fn insert_lot(
    conn: &mut PgConnection,
    id: PointsLotId,
    member: MemberId,
    order: OrderId,
    points: i64,
    now: Timestamp,
    expire_time: Timestamp,
) -> pg::Result<()> {
    sqlx::query!(
        "insert into points_lot (id, member_id, order_id, earned, remaining, create_time, expire_time)
         values ($1, $2, $3, $4, $4, $5, $6)",
        id.uuid(),
        member.uuid(),
        order.uuid(),
        points,
        sql(now) as _,
        sql(expire_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The lot of an order.
#[tracing::instrument(name = "db.points_lot.of_order", skip_all)]
pub async fn lot_of(conn: &mut PgConnection, order: OrderId) -> pg::Result<Option<Lot>> {
    let row = sqlx::query!("select id, remaining, expired from points_lot where order_id = $1", order.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| Lot { id: PointsLotId::from_uuid(row.id), remaining: row.remaining, expired: row.expired }))
}

/// The lots of a member with something left in them, the soonest to end first.
#[tracing::instrument(name = "db.points_lot.open", skip_all)]
pub async fn open_lots(conn: &mut PgConnection, member: MemberId) -> pg::Result<Vec<Lot>> {
    let rows = sqlx::query!(
        "select id, remaining, expired from points_lot where member_id = $1 and remaining > 0
         order by expire_time, id",
        member.uuid(),
    )
    .fetch_all(conn)
    .await?;
    let lot = |id, remaining, expired| Lot { id: PointsLotId::from_uuid(id), remaining, expired };
    Ok(rows.into_iter().map(|row| lot(row.id, row.remaining, row.expired)).collect())
}

/// Takes points out of a lot.
#[tracing::instrument(name = "db.points_lot.take", skip_all)]
pub async fn take(conn: &mut PgConnection, lot: PointsLotId, points: i64) -> pg::Result<()> {
    sqlx::query!("update points_lot set remaining = remaining - $2 where id = $1", lot.uuid(), points)
        .execute(conn)
        .await?;
    Ok(())
}

/// Empties the lots of a member that have ended by `now`; returns each with its order and what was left in it. One to which
/// something comes back later is emptied again.
#[tracing::instrument(name = "db.points_lot.expire", skip_all)]
pub async fn expire(
    conn: &mut PgConnection,
    member: MemberId,
    now: Timestamp,
) -> pg::Result<Vec<(PointsLotId, OrderId, i64)>> {
    let rows = sqlx::query!(
        "with ended as (
             select id, remaining from points_lot where member_id = $1 and remaining > 0 and expire_time <= $2 for update
         )
         update points_lot as lot set expired = lot.expired + ended.remaining, remaining = 0
         from ended where lot.id = ended.id
         returning lot.id, lot.order_id, ended.remaining",
        member.uuid(),
        sql(now) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (PointsLotId::from_uuid(row.id), OrderId::from_uuid(row.order_id), row.remaining))
        .collect())
}

/// Members with points that have ended by `now`.
#[tracing::instrument(name = "db.points_lot.due", skip_all)]
pub async fn due_to_expire(conn: &mut PgConnection, now: Timestamp, limit: i64) -> pg::Result<Vec<MemberId>> {
    let ids = sqlx::query_scalar!(
        "select distinct member_id from points_lot where remaining > 0 and expire_time <= $1 limit $2",
        sql(now) as _,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(MemberId::from_uuid).collect())
}

/// What each of these members can spend at `now`. Those who have nothing are left out.
#[tracing::instrument(name = "db.points_lot.balances", skip_all)]
pub async fn balances(conn: &mut PgConnection, members: &[Uuid], now: Timestamp) -> pg::Result<Vec<(MemberId, i64)>> {
    let rows = sqlx::query!(
        r#"select member_id, sum(remaining)::bigint as "balance!" from points_lot
           where member_id = any($1) and remaining > 0 and expire_time > $2 group by member_id"#,
        members,
        sql(now) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (MemberId::from_uuid(row.member_id), row.balance)).collect())
}

/// Writes an entry.
#[tracing::instrument(name = "db.points_entry.insert", skip_all)]
pub async fn insert_entry(conn: &mut PgConnection, entry: &Entry) -> pg::Result<()> {
    sqlx::query!(
        "insert into points_entry (id, member_id, lot_id, order_id, kind, points, create_time, expire_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        entry.id,
        entry.member.uuid(),
        entry.lot.uuid(),
        entry.order.uuid(),
        entry.kind.as_str(),
        entry.points,
        sql(entry.create_time) as _,
        entry.expire_time.map(sql) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lists a member's entries, the newest first.
#[tracing::instrument(name = "db.points_entry.list", skip_all)]
pub async fn entries(
    conn: &mut PgConnection,
    member: MemberId,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> pg::Result<Vec<Entry>> {
    let (time, last) = after.unzip();
    let rows = sqlx::query!(
        "select id, lot_id, order_id, kind, points, create_time, expire_time from points_entry
         where member_id = $1 and ($2::timestamptz is null or (create_time, id) < ($2, $3::uuid))
         order by create_time desc, id desc limit $4",
        member.uuid(),
        time.map(sql) as _,
        last,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Entry {
                id: row.id,
                member,
                lot: PointsLotId::from_uuid(row.lot_id),
                order: OrderId::from_uuid(row.order_id),
                kind: EntryKind::parse(&row.kind)
                    .ok_or_else(|| pg::Error::inconsistent("points_entry", row.id, "unknown kind"))?,
                points: row.points,
                create_time: row.create_time.to_jiff(),
                expire_time: jiff(row.expire_time),
            })
        })
        .collect()
}
