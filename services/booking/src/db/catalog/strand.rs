//! Visits that an edit of the catalogue might strand.

use kernel::{
    Timestamp,
    ids::{BookingId, ItemId, StoreId, TherapistId},
};
use pg::PgConnection;

use crate::{db::sql, domain::booking::State};

/// The states in which a visit is still to happen, or is happening.
const LIVE: [State; 5] = [State::Held, State::AwaitingPayment, State::Confirmed, State::CheckedIn, State::InService];

/// Which visits are looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Which {
    /// Only those here.
    pub store: Option<StoreId>,
    /// Only what this therapist gives.
    pub therapist: Option<TherapistId>,
    /// Only this item.
    pub item: Option<ItemId>,
}

/// An item, or add-on, within a visit that is not over.
#[derive(Debug, Clone)]
pub struct LivePart {
    /// The visit.
    pub booking: BookingId,
    /// Who gives it.
    pub therapist: TherapistId,
    /// Start of the treatment.
    pub start_time: Timestamp,
    /// End of the treatment.
    pub end_time: Timestamp,
    /// The zone of its store.
    pub time_zone: String,
    /// The skill that it takes.
    pub skill: String,
    /// The kind of certificate that it takes.
    pub certificate: Option<String>,
    /// The kind of the room that it keeps.
    pub room_kind: String,
    /// The kind of the machine that it keeps.
    pub equipment_kind: Option<String>,
}

/// What is given in visits that are not over at `now`, an entry for each item and add-on, by start. No visit takes a day, so
/// whatever started a day before is over.
#[tracing::instrument(name = "db.booking.live_parts", skip_all)]
pub async fn live_parts(conn: &mut PgConnection, which: Which, now: Timestamp) -> pg::Result<Vec<LivePart>> {
    let rows = sqlx::query!(
        r#"with live as (
               select * from booking
               where state = any($1) and start_time > $2::timestamptz - interval '1 day'
                 and ($3::uuid is null or store_id = $3)
           ), part as (
               select id as booking_id, store_id, array[item_id] || add_on_ids as items, therapist_id, room_id,
                      equipment_id, start_time, end_time
               from live
               union all
               select p.booking_id, live.store_id, array[p.item_id], p.therapist_id, p.room_id, p.equipment_id,
                      p.start_time, p.end_time
               from booking_part p join live on live.id = p.booking_id
           )
           select booking_id as "booking_id!", therapist_id as "therapist_id!",
                  start_time as "start_time!: jiff_sqlx::Timestamp", end_time as "end_time!: jiff_sqlx::Timestamp",
                  s.time_zone, i.skill, i.certificate, r.kind as room_kind, e.kind as "equipment_kind?"
           from part
           join store s on s.id = part.store_id
           join item i on i.id = any(part.items)
           join room r on r.id = part.room_id
           left join room e on e.id = part.equipment_id
           where part.end_time > $2 and ($4::uuid is null or therapist_id = $4) and ($5::uuid is null or i.id = $5)
           order by part.start_time, booking_id"#,
        &live(),
        sql(now) as _,
        which.store.map(StoreId::uuid),
        which.therapist.map(TherapistId::uuid),
        which.item.map(ItemId::uuid),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| LivePart {
            booking: BookingId::from_uuid(row.booking_id),
            therapist: TherapistId::from_uuid(row.therapist_id),
            start_time: row.start_time.to_jiff(),
            end_time: row.end_time.to_jiff(),
            time_zone: row.time_zone,
            skill: row.skill,
            certificate: row.certificate,
            room_kind: row.room_kind,
            equipment_kind: row.equipment_kind,
        })
        .collect())
}

fn live() -> Vec<String> {
    LIVE.iter().map(|state| state.as_str().to_owned()).collect()
}
