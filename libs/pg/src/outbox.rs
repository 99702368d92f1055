//! Events, written with the effect that they tell of and read in commit order.
//!
//! Ids given by a sequence become visible out of order: a reader of `id > last` passes over whatever commits late. So
//! each row carries its transaction's id, and a reader goes by `(xid, position)` and stops below the oldest transaction
//! that is still running: nothing can appear any more behind what it has read. The price is that one long writing
//! transaction anywhere in the Postgres instance holds up all readers, so transactions are short.
//!
//! Transaction ids follow the first write, not the commit. Two changes of one aggregate may therefore be read swapped;
//! every event carries the aggregate's version, and a consumer goes by that.
//!
//! Cursors hold transaction ids, so a database must be moved by physical copy or logical replication into an instance
//! whose transaction counter is at least as high, never by dump and restore into a fresh one.

use std::{fmt, str::FromStr};

use jiff_sqlx::ToSqlx;
use kernel::{Error as Refusal, Timestamp, Uuid, ids::EventId};
use prost::{Message, Name};
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Row, postgres::PgRow};

use crate::{Error, Result, Tx, traceparent};

/// Into how many streams each feed is divided, by aggregate. It can't change while consumers hold cursors.
pub const PARTITIONS: i16 = 4;

/// An event about to be written.
#[derive(Debug, Clone)]
pub struct NewEvent {
    type_name: String,
    aggregate_id: Uuid,
    aggregate_version: i64,
    occur_time: Timestamp,
    payload: Vec<u8>,
}

impl NewEvent {
    /// What happened to an aggregate at `now`, making it the given version. The payload carries no personal data.
    pub fn new<M: Message + Name>(aggregate_id: Uuid, version: i64, now: Timestamp, payload: &M) -> Self {
        Self {
            type_name: M::full_name(),
            aggregate_id,
            aggregate_version: version,
            occur_time: now,
            payload: payload.encode_to_vec(),
        }
    }
}

/// An event as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Where it stands: the cursor of a reader that has read it and all before it.
    pub cursor: Cursor,
    /// Its id, the same for every reader.
    pub id: EventId,
    /// The full name of the payload's message type.
    pub type_name: String,
    /// What it happened to.
    pub aggregate_id: Uuid,
    /// The version that it made of the aggregate; greater is later.
    pub aggregate_version: i64,
    /// When it happened.
    pub occur_time: Timestamp,
    /// The encoded message.
    pub payload: Vec<u8>,
    /// The trace it belongs to.
    pub traceparent: Option<String>,
}

/// How far a reader has read one partition. The default is the beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// The transaction id of the last event read.
    pub xid: u64,
    /// Its position among all events.
    pub position: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.xid, self.position)
    }
}

impl FromStr for Cursor {
    type Err = Refusal;

    /// Reads `xid.position`; an empty text is the beginning.
    fn from_str(text: &str) -> kernel::Result<Self> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        text.split_once('.')
            .and_then(|(xid, position)| Some(Self { xid: xid.parse().ok()?, position: position.parse().ok()? }))
            .ok_or_else(|| {
                Refusal::invalid("cursor", "must be a cursor that this feed has sent, or empty for the beginning")
            })
    }
}

/// The partition of an aggregate. It is the same in every version of this code.
pub fn partition(aggregate_id: Uuid) -> i16 {
    i16::from(Sha256::digest(aggregate_id.as_bytes())[0]) % PARTITIONS
}

/// Writes an event in the transaction of its effect; committing wakes the readers.
#[tracing::instrument(name = "db.outbox.append", skip_all, fields(event.type = event.type_name))]
pub async fn append(tx: &mut Tx, event: NewEvent) -> Result<EventId> {
    let id = EventId::new(event.occur_time);
    sqlx::query(
        "insert into outbox (partition, event_id, type, aggregate_id, aggregate_version, occur_time, payload, traceparent)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(partition(event.aggregate_id))
    .bind(id.uuid())
    .bind(event.type_name)
    .bind(event.aggregate_id)
    .bind(event.aggregate_version)
    .bind(event.occur_time.to_sqlx())
    .bind(event.payload)
    .bind(traceparent::current())
    .execute(&mut **tx)
    .await?;
    tx.events_written();
    Ok(id)
}

/// The events of a partition after `cursor`, in commit order, at most `limit`. An event is left for later as long as a
/// transaction is running that may still commit something before it.
pub async fn read_after(
    conn: &mut PgConnection,
    partition: i16,
    cursor: &Cursor,
    limit: i64,
) -> Result<Vec<StoredEvent>> {
    // sqlx has no type for xid8: it travels as text.
    let rows = sqlx::query(
        "select xid::text as xid, position, event_id, type, aggregate_id, aggregate_version, occur_time, payload,
                traceparent
         from outbox
         where partition = $1 and (xid, position) > ($2::text::xid8, $3)
           and xid < pg_snapshot_xmin(pg_current_snapshot())
         order by outbox.xid, position
         limit $4",
    )
    .bind(partition)
    .bind(cursor.xid.to_string())
    .bind(cursor.position)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(stored).collect()
}

/// How far an outbox can be read at present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Horizon {
    /// The newest event of each partition that has any.
    pub heads: Vec<(i16, Cursor)>,
    /// When the oldest event occurred that is committed, but held back by a transaction still running.
    pub held_since: Option<Timestamp>,
}

/// Looks how far the outbox can be read, without reading it.
pub async fn horizon(conn: &mut PgConnection) -> Result<Horizon> {
    let rows = sqlx::query(
        "select n::smallint as partition, head.xid::text as xid, head.position,
                (select occur_time from outbox where xid >= pg_snapshot_xmin(pg_current_snapshot())
                 order by xid, position limit 1) as held_since
         from generate_series(0, $1 - 1) as n
         left join lateral (
             select xid, position from outbox
             where partition = n::smallint and xid < pg_snapshot_xmin(pg_current_snapshot())
             order by xid desc, position desc limit 1
         ) as head on true",
    )
    .bind(i32::from(PARTITIONS))
    .fetch_all(conn)
    .await?;
    let mut horizon = Horizon { heads: Vec::new(), held_since: None };
    for row in &rows {
        let partition: i16 = row.try_get("partition")?;
        let held: Option<jiff_sqlx::Timestamp> = row.try_get("held_since")?;
        horizon.held_since = held.map(jiff_sqlx::Timestamp::to_jiff);
        if let Some(xid) = row.try_get::<Option<&str>, _>("xid")? {
            let xid = xid.parse().map_err(|_| Error::inconsistent("outbox", partition, "has no transaction id"))?;
            horizon.heads.push((partition, Cursor { xid, position: row.try_get("position")? }));
        }
    }
    Ok(horizon)
}

fn stored(row: &PgRow) -> Result<StoredEvent> {
    let id: Uuid = row.try_get("event_id")?;
    let xid: &str = row.try_get("xid")?;
    Ok(StoredEvent {
        cursor: Cursor {
            xid: xid.parse().map_err(|_| Error::inconsistent("outbox", id, "has no transaction id"))?,
            position: row.try_get("position")?,
        },
        id: EventId::from_uuid(id),
        type_name: row.try_get("type")?,
        aggregate_id: row.try_get("aggregate_id")?,
        aggregate_version: row.try_get("aggregate_version")?,
        occur_time: row.try_get::<jiff_sqlx::Timestamp, _>("occur_time")?.to_jiff(),
        payload: row.try_get("payload")?,
        traceparent: row.try_get("traceparent")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        let cursor = Cursor { xid: 18_446_744_073_709_551_615, position: 42 };
        assert_eq!(cursor.to_string().parse::<Cursor>().ok(), Some(cursor));
        assert_eq!("".parse::<Cursor>().ok(), Some(Cursor::default()));
        for bad in ["1", "1.", ".1", "-1.1", "1.2.3", "a.b"] {
            assert_eq!(bad.parse::<Cursor>().map_err(|e| e.reason()), Err("INVALID_ARGUMENT"), "{bad}");
        }
    }

    #[test]
    fn the_partition_of_an_aggregate_never_changes() {
        let of = |n: u128| partition(Uuid::from_u128(n));
        assert_eq!((0..8).map(of).collect::<Vec<_>>(), [3, 0, 1, 3, 1, 3, 3, 3]);
    }
}
