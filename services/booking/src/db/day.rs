//! The visits of a store's day, each part with whoever gives it.

use kernel::{
    Timestamp,
    ids::{BookingId, ItemId, MemberId, RoomId, StoreId, TherapistId},
};
use pg::PgConnection;

use super::sql;
use crate::domain::booking::State;

/// A visit, or the part of one that a therapist gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Whose part it is.
    pub booking: BookingId,
    /// Who gives it.
    pub therapist: TherapistId,
    /// What.
    pub item: ItemId,
    /// Its name.
    pub item_name: String,
    /// Where.
    pub room: RoomId,
    /// The room's name.
    pub room_name: String,
    /// Start of the treatment.
    pub start_time: Timestamp,
    /// End of the treatment.
    pub end_time: Timestamp,
    /// Where the booking is in its life.
    pub state: State,
    /// Whose visit it is.
    pub customer: MemberId,
    /// The customer asked for this therapist.
    pub requested: bool,
}

/// Reads the visits of a store that overlap the time from `from` to `to`, but for those cancelled or expired, by start.
#[tracing::instrument(name = "db.day.visits", skip_all)]
pub async fn visits(
    conn: &mut PgConnection,
    store: StoreId,
    (from, to): (Timestamp, Timestamp),
) -> pg::Result<Vec<Visit>> {
    // No visit is as long as a day.
    let rows = sqlx::query!(
        r#"with chosen as (
               select * from booking
               where store_id = $1 and start_time > $2::timestamptz - interval '1 day' and start_time < $3
                 and state not in ('CANCELLED', 'EXPIRED')
           ), part as (
               select id, therapist_id, item_id, room_id, start_time, end_time from chosen
               union all
               select p.booking_id, p.therapist_id, p.item_id, p.room_id, p.start_time, p.end_time
               from booking_part p join chosen c on c.id = p.booking_id
           )
           select p.id as "id!", p.therapist_id as "therapist_id!", p.item_id as "item_id!", i.display_name as item_name,
                  p.room_id as "room_id!", r.display_name as room_name,
                  p.start_time as "start_time!: jiff_sqlx::Timestamp", p.end_time as "end_time!: jiff_sqlx::Timestamp",
                  c.state, c.customer_id, c.requested
           from part p join chosen c on c.id = p.id join item i on i.id = p.item_id join room r on r.id = p.room_id
           where p.end_time > $2 and p.start_time < $3
           order by p.start_time, p.id"#,
        store.uuid(),
        sql(from) as _,
        sql(to) as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Visit {
                booking: BookingId::from_uuid(row.id),
                therapist: TherapistId::from_uuid(row.therapist_id),
                item: ItemId::from_uuid(row.item_id),
                item_name: row.item_name,
                room: RoomId::from_uuid(row.room_id),
                room_name: row.room_name,
                start_time: row.start_time.to_jiff(),
                end_time: row.end_time.to_jiff(),
                state: State::parse(&row.state)
                    .ok_or_else(|| pg::Error::inconsistent("booking", row.id, "unknown state"))?,
                customer: MemberId::from_uuid(row.customer_id),
                requested: row.requested,
            })
        })
        .collect()
}
