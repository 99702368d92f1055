//! The cursors of a consumer and who holds them. Every function is a short statement of its own unless it takes a
//! transaction: a lease that were a row lock would hold up every reader of the outbox.

use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use kernel::{Timestamp, Uuid};
use pg::{
    PgConnection, Result, Tx,
    outbox::{Cursor, PARTITIONS},
};

/// How long a replica that has fallen silent keeps its partitions.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_secs(5);

/// One replica of one consumer of one feed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Replica {
    pub(crate) feed: &'static str,
    pub(crate) consumer: &'static str,
    pub(crate) id: Uuid,
}

/// Makes the rows of the cursors.
pub(crate) async fn init(conn: &mut PgConnection, replica: &Replica) -> Result<()> {
    sqlx::query(
        "insert into feed_cursor (feed, consumer, partition) select $1, $2, n from generate_series(0, $3 - 1) as n
         on conflict do nothing",
    )
    .bind(replica.feed)
    .bind(replica.consumer)
    .bind(i32::from(PARTITIONS))
    .execute(conn)
    .await?;
    Ok(())
}

/// Says that the replica is alive; returns all that are, in a stable order.
pub(crate) async fn report_alive(conn: &mut PgConnection, replica: &Replica, now: Timestamp) -> Result<Vec<Uuid>> {
    sqlx::query(
        "insert into feed_replica (feed, consumer, replica, seen_time) values ($1, $2, $3, $4)
         on conflict (feed, consumer, replica) do update set seen_time = excluded.seen_time",
    )
    .bind(replica.feed)
    .bind(replica.consumer)
    .bind(replica.id)
    .bind(now.to_sqlx())
    .execute(&mut *conn)
    .await?;
    sqlx::query("delete from feed_replica where feed = $1 and consumer = $2 and seen_time <= $3")
        .bind(replica.feed)
        .bind(replica.consumer)
        .bind((now - LEASE).to_sqlx())
        .execute(&mut *conn)
        .await?;
    let alive =
        sqlx::query_scalar("select replica from feed_replica where feed = $1 and consumer = $2 order by replica")
            .bind(replica.feed)
            .bind(replica.consumer)
            .fetch_all(conn)
            .await?;
    Ok(alive)
}

/// Renews all leases of the replica; returns the partitions that it still holds.
pub(crate) async fn renew(conn: &mut PgConnection, replica: &Replica, now: Timestamp) -> Result<Vec<i16>> {
    let held = sqlx::query_scalar(
        "update feed_cursor set lease_expire_time = $4 where feed = $1 and consumer = $2 and holder = $3
         returning partition",
    )
    .bind(replica.feed)
    .bind(replica.consumer)
    .bind(replica.id)
    .bind((now + LEASE).to_sqlx())
    .fetch_all(conn)
    .await?;
    Ok(held)
}

/// Takes a partition that nobody holds, or whose holder has fallen silent; returns where to go on.
pub(crate) async fn claim(
    conn: &mut PgConnection,
    replica: &Replica,
    partition: i16,
    now: Timestamp,
) -> Result<Option<Cursor>> {
    let row: Option<(String, i64)> = sqlx::query_as(
        "update feed_cursor set holder = $3, lease_expire_time = $5
         where feed = $1 and consumer = $2 and partition = $4
           and (holder is null or holder = $3 or lease_expire_time <= $6)
         returning xid::text, position",
    )
    .bind(replica.feed)
    .bind(replica.consumer)
    .bind(replica.id)
    .bind(partition)
    .bind((now + LEASE).to_sqlx())
    .bind(now.to_sqlx())
    .fetch_optional(conn)
    .await?;
    row.map(|row| place(partition, row)).transpose()
}

/// Where a partition stands if it is the replica's.
pub(crate) async fn held(conn: &mut PgConnection, replica: &Replica, partition: i16) -> Result<Option<Cursor>> {
    let row: Option<(String, i64)> = sqlx::query_as(
        "select xid::text, position from feed_cursor
         where feed = $1 and consumer = $2 and holder = $3 and partition = $4",
    )
    .bind(replica.feed)
    .bind(replica.consumer)
    .bind(replica.id)
    .bind(partition)
    .fetch_optional(conn)
    .await?;
    row.map(|row| place(partition, row)).transpose()
}

fn place(partition: i16, (xid, position): (String, i64)) -> Result<Cursor> {
    let xid = xid.parse().map_err(|_| pg::Error::inconsistent("feed_cursor", partition, "has no transaction id"))?;
    Ok(Cursor { xid, position })
}

/// Gives a partition up for others to take.
pub(crate) async fn release(conn: &mut PgConnection, replica: &Replica, partition: i16) -> Result<()> {
    sqlx::query(
        "update feed_cursor set holder = null, lease_expire_time = null
         where feed = $1 and consumer = $2 and holder = $3 and partition = $4",
    )
    .bind(replica.feed)
    .bind(replica.consumer)
    .bind(replica.id)
    .bind(partition)
    .execute(conn)
    .await?;
    Ok(())
}

/// Says that the replica is gone.
pub(crate) async fn leave(conn: &mut PgConnection, replica: &Replica) -> Result<()> {
    sqlx::query("delete from feed_replica where feed = $1 and consumer = $2 and replica = $3")
        .bind(replica.feed)
        .bind(replica.consumer)
        .bind(replica.id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Moves a cursor in the transaction of the effect, from exactly where the replica left it. False if it is elsewhere or
/// another replica's by now: then the transaction must be rolled back.
pub(crate) async fn advance(tx: &mut Tx, replica: &Replica, partition: i16, from: Cursor, to: Cursor) -> Result<bool> {
    let moved = sqlx::query(
        "update feed_cursor set xid = $5::text::xid8, position = $6
         where feed = $1 and consumer = $2 and holder = $3 and partition = $4
           and xid = $7::text::xid8 and position = $8",
    )
    .bind(replica.feed)
    .bind(replica.consumer)
    .bind(replica.id)
    .bind(partition)
    .bind(to.xid.to_string())
    .bind(to.position)
    .bind(from.xid.to_string())
    .bind(from.position)
    .execute(&mut **tx)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Makes `consumer` read `feed` again from its beginning, once `tx` commits; what its events did must be undone in the
/// same transaction. Replicas at work notice it by themselves.
pub async fn rewind(tx: &mut Tx, feed: &str, consumer: &str) -> Result<()> {
    sqlx::query(
        "update feed_cursor set xid = '0', position = 0, holder = null, lease_expire_time = null
         where feed = $1 and consumer = $2",
    )
    .bind(feed)
    .bind(consumer)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
