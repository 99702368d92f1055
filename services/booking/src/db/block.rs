//! Blocks, and what they keep.

use kernel::{
    Timestamp, Uuid,
    ids::{BlockId, BookingId, RoomId, ShiftId, StoreId, TherapistId},
};
use pg::PgConnection;

use super::sql;
use crate::domain::{
    roster::block::{Block, Kind, Resource},
    span::{Span, instant, minute, minute_after},
};

/// Stores a new block, which keeps nothing yet.
#[tracing::instrument(name = "db.block.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, block: &Block) -> pg::Result<()> {
    sqlx::query!(
        "insert into block (id, store_id, resource_id, kind, start_time, end_time, reason, create_time, shift_id, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        block.id.uuid(),
        block.store.uuid(),
        block.resource.uuid(),
        block.kind.as_str(),
        sql(block.start_time) as _,
        sql(block.end_time) as _,
        block.reason,
        sql(block.create_time) as _,
        block.shift.map(ShiftId::uuid),
        block.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores a changed block.
#[tracing::instrument(name = "db.block.save", skip_all)]
pub async fn save(conn: &mut PgConnection, block: &Block) -> pg::Result<()> {
    let saved = sqlx::query!(
        "update block set kind = $2, start_time = $3, end_time = $4, reason = $5, version = $6
         where id = $1 and version = $6::bigint - 1",
        block.id.uuid(),
        block.kind.as_str(),
        sql(block.start_time) as _,
        sql(block.end_time) as _,
        block.reason,
        block.version,
    )
    .execute(conn)
    .await?;
    if saved.rows_affected() != 1 {
        return Err(pg::Error::inconsistent("block", block.id, "changed although the roster was owned"));
    }
    Ok(())
}

/// Takes a block away, with what it kept.
#[tracing::instrument(name = "db.block.delete", skip_all)]
pub async fn delete(conn: &mut PgConnection, id: BlockId) -> pg::Result<()> {
    sqlx::query!("delete from block where id = $1", id.uuid()).execute(conn).await?;
    Ok(())
}

/// Reads a block.
#[tracing::instrument(name = "db.block.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: BlockId) -> pg::Result<Option<Block>> {
    let row = sqlx::query_as!(
        Row,
        r#"select b.id, b.store_id, b.resource_id, b.kind, b.start_time, b.end_time, b.reason, b.create_time, b.shift_id,
                  b.version, exists (select from therapist t where t.id = b.resource_id) as "of_therapist!",
                  exists (select from time_off_request r where r.block_id = b.id) as "requested!"
           from block b where b.id = $1"#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(Block::try_from).transpose()
}

/// The store of a therapist or room.
#[tracing::instrument(name = "db.block.store_of", skip_all)]
pub async fn store_of(conn: &mut PgConnection, resource: Resource) -> pg::Result<Option<StoreId>> {
    let id = resource.uuid();
    let store = match resource {
        Resource::Therapist(_) => {
            sqlx::query_scalar!("select store_id from therapist where id = $1", id).fetch_optional(conn).await?
        }
        Resource::Room(_) => {
            sqlx::query_scalar!("select store_id from room where id = $1", id).fetch_optional(conn).await?
        }
    };
    Ok(store.map(StoreId::from_uuid))
}

/// Lists the blocks of a store, or of one resource there, that overlap the time from `from` to `to`, by start.
#[tracing::instrument(name = "db.block.list", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    store: StoreId,
    resource: Option<Uuid>,
    (from, to): (Timestamp, Timestamp),
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> pg::Result<Vec<Block>> {
    let (start, last) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        r#"select b.id, b.store_id, b.resource_id, b.kind, b.start_time, b.end_time, b.reason, b.create_time, b.shift_id,
                  b.version, exists (select from therapist t where t.id = b.resource_id) as "of_therapist!",
                  exists (select from time_off_request r where r.block_id = b.id) as "requested!"
           from block b
           where b.store_id = $1 and ($2::uuid is null or b.resource_id = $2) and b.end_time > $3 and b.start_time < $4
             and ($5::timestamptz is null or (b.start_time, b.id) > ($5, $6::uuid))
           order by b.start_time, b.id limit $7"#,
        store.uuid(),
        resource,
        sql(from) as _,
        sql(to) as _,
        start.map(sql) as _,
        last,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Block::try_from).collect()
}

/// Reads the blocks of a resource that touch `span`, in the order in which they have their time: breaks come last, else
/// the older first.
#[tracing::instrument(name = "db.block.touching", skip_all)]
pub async fn touching(conn: &mut PgConnection, resource: Uuid, span: Span) -> pg::Result<Vec<(BlockId, Span)>> {
    let rows = sqlx::query!(
        "select id, start_time, end_time from block
         where resource_id = $1 and end_time >= $2 and start_time <= $3
         order by shift_id is not null, create_time, id",
        resource,
        sql(instant(span.start)) as _,
        sql(instant(span.end)) as _,
    )
    .fetch_all(conn)
    .await?;
    let span = |start: jiff_sqlx::Timestamp, end: jiff_sqlx::Timestamp| {
        Span::new(minute(start.to_jiff()), minute_after(end.to_jiff()))
    };
    Ok(rows.into_iter().map(|row| (BlockId::from_uuid(row.id), span(row.start_time, row.end_time))).collect())
}

/// What bookings keep of a resource within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Booked {
    /// Whose visit it is.
    pub booking: BookingId,
    /// When.
    pub span: Span,
    /// The visit is still to be given, or being given.
    pub live: bool,
    /// It may overlap others.
    pub overbooked: bool,
}

/// Reads what bookings keep of a resource within `span`, by start.
#[tracing::instrument(name = "db.block.booked", skip_all)]
pub async fn booked(conn: &mut PgConnection, resource: Uuid, span: Span, now: Timestamp) -> pg::Result<Vec<Booked>> {
    let rows = sqlx::query!(
        r#"select b.id, a.start_time, a.end_time, a.overbooked,
                  b.state in ('HELD', 'AWAITING_PAYMENT', 'CONFIRMED', 'CHECKED_IN', 'IN_SERVICE') and a.end_time > $4
                      as "live!"
           from allocation a join booking b on b.id = a.booking_id
           where a.resource_id = $1 and a.end_time > $2 and a.start_time < $3
             and a.start_time > $2::timestamptz - interval '1 day'
           order by a.start_time, b.id"#,
        resource,
        sql(instant(span.start)) as _,
        sql(instant(span.end)) as _,
        sql(now) as _,
    )
    .fetch_all(conn)
    .await?;
    let booked = |id, start: jiff_sqlx::Timestamp, end: jiff_sqlx::Timestamp, live, overbooked| Booked {
        booking: BookingId::from_uuid(id),
        span: Span::new(minute(start.to_jiff()), minute_after(end.to_jiff())),
        live,
        overbooked,
    };
    Ok(rows.into_iter().map(|row| booked(row.id, row.start_time, row.end_time, row.live, row.overbooked)).collect())
}

/// Gives back all that blocks keep, and tells what of `resource` that was.
#[tracing::instrument(name = "db.allocation.release_blocks", skip_all)]
pub async fn release(conn: &mut PgConnection, blocks: &[Uuid]) -> pg::Result<Vec<Span>> {
    let rows = sqlx::query!("delete from allocation where block_id = any($1) returning start_time, end_time", blocks)
        .fetch_all(conn)
        .await?;
    let spans = rows.into_iter().map(|row| (row.start_time.to_jiff(), row.end_time.to_jiff()));
    Ok(crate::domain::span::list(spans.map(|(start, end)| Span::new(minute(start), minute_after(end))).collect()))
}

/// Keeps `pieces` of a resource for blocks, or reports `false` when one of them is somebody else's; then the caller must
/// roll back. The pieces must be by start.
#[tracing::instrument(name = "db.allocation.take_for_blocks", skip_all)]
pub async fn take(conn: &mut PgConnection, resource: Uuid, pieces: &[(BlockId, Span)]) -> pg::Result<bool> {
    let blocks: Vec<Uuid> = pieces.iter().map(|(block, _)| block.uuid()).collect();
    let starts: Vec<_> = pieces.iter().map(|(_, span)| sql(instant(span.start))).collect();
    let ends: Vec<_> = pieces.iter().map(|(_, span)| sql(instant(span.end))).collect();
    let taken = sqlx::query!(
        "insert into allocation (block_id, resource_id, start_time, end_time)
         select piece.block, $2, piece.start_time, piece.end_time
         from unnest($1::uuid[], $3::timestamptz[], $4::timestamptz[]) as piece (block, start_time, end_time)
         on conflict do nothing",
        &blocks,
        resource,
        &starts as &[jiff_sqlx::Timestamp],
        &ends as &[jiff_sqlx::Timestamp],
    )
    .execute(conn)
    .await?
    .rows_affected();
    Ok(usize::try_from(taken) == Ok(pieces.len()))
}

struct Row {
    id: Uuid,
    store_id: Uuid,
    resource_id: Uuid,
    kind: String,
    start_time: jiff_sqlx::Timestamp,
    end_time: jiff_sqlx::Timestamp,
    reason: String,
    create_time: jiff_sqlx::Timestamp,
    shift_id: Option<Uuid>,
    version: i64,
    of_therapist: bool,
    requested: bool,
}

impl TryFrom<Row> for Block {
    type Error = pg::Error;

    fn try_from(row: Row) -> pg::Result<Self> {
        Ok(Self {
            id: BlockId::from_uuid(row.id),
            store: StoreId::from_uuid(row.store_id),
            resource: match row.of_therapist {
                true => Resource::Therapist(TherapistId::from_uuid(row.resource_id)),
                false => Resource::Room(RoomId::from_uuid(row.resource_id)),
            },
            kind: Kind::parse(&row.kind).ok_or_else(|| pg::Error::inconsistent("block", row.id, "unknown kind"))?,
            start_time: row.start_time.to_jiff(),
            end_time: row.end_time.to_jiff(),
            reason: row.reason,
            shift: row.shift_id.map(ShiftId::from_uuid),
            derived: row.shift_id.is_some() || row.requested,
            version: row.version,
            create_time: row.create_time.to_jiff(),
        })
    }
}
