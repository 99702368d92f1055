//! Visits as calendars show them.

use kernel::{
    Timestamp, Uuid,
    ids::{BookingId, StoreId, TherapistId},
};
use pg::PgConnection;

use super::sql;
use crate::domain::{booking::State, calendar::Leg};

/// The parts of a visit, in order; none if there is no such booking.
#[tracing::instrument(name = "db.calendar.of_booking", skip_all)]
pub async fn of_booking(conn: &mut PgConnection, id: BookingId) -> pg::Result<Vec<Leg>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select b.id, leg.ordinal as "ordinal!", b.version, b.state, b.create_time, step.change_time,
                  leg.start_time as "start_time!", leg.end_time as "end_time!", item.display_name as item,
                  therapist.display_name as therapist, room.display_name as room
           from booking b
           join booking_history step on step.booking_id = b.id and step.version = b.version
           cross join lateral (
               select 1::smallint as ordinal, b.item_id, b.therapist_id, b.room_id, b.start_time, b.end_time
               union all
               select ordinal, item_id, therapist_id, room_id, start_time, end_time from booking_part
               where booking_id = b.id
           ) as leg
           join item on item.id = leg.item_id
           join therapist on therapist.id = leg.therapist_id
           join room on room.id = leg.room_id
           where b.id = $1
           order by leg.ordinal"#,
        id.uuid(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Leg::try_from).collect()
}

/// Of whose visits, and of which time, a feed tells.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Of this store.
    pub store: StoreId,
    /// Of this therapist alone.
    pub therapist: Option<TherapistId>,
    /// Visits that start at or after this.
    pub from: Timestamp,
    /// Visits that start before this.
    pub to: Timestamp,
    /// At most so many parts, the earliest.
    pub limit: i64,
}

/// The parts of the visits in a window by their start, without those whose hold ran out.
#[tracing::instrument(name = "db.calendar.in_window", skip_all)]
pub async fn in_window(conn: &mut PgConnection, window: &Window) -> pg::Result<Vec<Leg>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select b.id, leg.ordinal as "ordinal!", b.version, b.state, b.create_time, step.change_time,
                  leg.start_time as "start_time!", leg.end_time as "end_time!", item.display_name as item,
                  therapist.display_name as therapist, room.display_name as room
           from booking b
           join booking_history step on step.booking_id = b.id and step.version = b.version
           cross join lateral (
               select 1::smallint as ordinal, b.item_id, b.therapist_id, b.room_id, b.start_time, b.end_time
               union all
               select ordinal, item_id, therapist_id, room_id, start_time, end_time from booking_part
               where booking_id = b.id
           ) as leg
           join item on item.id = leg.item_id
           join therapist on therapist.id = leg.therapist_id
           join room on room.id = leg.room_id
           where b.store_id = $1 and b.start_time >= $2 and b.start_time < $3 and b.state <> 'EXPIRED'
             and ($4::uuid is null or leg.therapist_id = $4)
           order by leg.start_time, b.id, leg.ordinal
           limit $5"#,
        window.store.uuid(),
        sql(window.from) as _,
        sql(window.to) as _,
        window.therapist.map(TherapistId::uuid),
        window.limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Leg::try_from).collect()
}

struct Row {
    id: Uuid,
    ordinal: i16,
    version: i64,
    state: String,
    create_time: jiff_sqlx::Timestamp,
    change_time: jiff_sqlx::Timestamp,
    start_time: jiff_sqlx::Timestamp,
    end_time: jiff_sqlx::Timestamp,
    item: String,
    therapist: String,
    room: String,
}

impl TryFrom<Row> for Leg {
    type Error = pg::Error;

    fn try_from(row: Row) -> pg::Result<Self> {
        Ok(Self {
            booking: BookingId::from_uuid(row.id),
            ordinal: row.ordinal,
            version: row.version,
            state: State::parse(&row.state)
                .ok_or_else(|| pg::Error::inconsistent("booking", row.id, "unknown state"))?,
            create_time: row.create_time.to_jiff(),
            change_time: row.change_time.to_jiff(),
            start_time: row.start_time.to_jiff(),
            end_time: row.end_time.to_jiff(),
            item: row.item,
            therapist: row.therapist,
            room: row.room,
        })
    }
}
