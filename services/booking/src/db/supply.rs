//! What a store could use for an item within a window of time.

use std::collections::HashMap;

use kernel::{
    Uuid,
    ids::{RoomId, StoreId, TherapistId},
};
use pg::PgConnection;

use super::sql;
use crate::domain::{
    availability::{Place, Supply, Therapist},
    catalog::{Item, Sex},
    span::{Span, instant, list, minute, minute_after},
};

/// Who may give it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish {
    /// Only this therapist.
    pub therapist: Option<TherapistId>,
    /// Only therapists of this sex.
    pub sex: Option<Sex>,
}

/// Reads everything that decides which times of `window` can be had; `openings` are those that it touches, whole and by
/// start.
#[tracing::instrument(name = "db.supply.read", skip_all)]
pub async fn read(
    conn: &mut PgConnection,
    store: StoreId,
    item: &Item,
    openings: Vec<Span>,
    window: Span,
    wish: Wish,
) -> pg::Result<Supply> {
    let therapists = able(&mut *conn, store, item, wish).await?;
    let places = sqlx::query!(
        "select id, kind from room where store_id = $1 and kind = any($2) order by display_name, id",
        store.uuid(),
        &[item.room_kind.clone(), item.equipment_kind.clone().unwrap_or_default()],
    )
    .fetch_all(&mut *conn)
    .await?;
    let need = item.need();
    let around = Span::new(
        openings.first().map_or(window.start, |first| first.start.min(window.start)) - need.preparation,
        openings.last().map_or(window.end, |last| last.end.max(window.end + need.duration)) + need.cleanup,
    );
    let mut shifts = shifts(&mut *conn, &therapists, around).await?;
    let resources: Vec<Uuid> = therapists.iter().copied().chain(places.iter().map(|place| place.id)).collect();
    let mut busy = busy(conn, &resources, around).await?;
    let mut of_kind = |kind: &str| -> Vec<Place> {
        places
            .iter()
            .filter(|place| place.kind == kind)
            .map(|place| Place { id: RoomId::from_uuid(place.id), busy: busy.remove(&place.id).unwrap_or_default() })
            .collect()
    };
    let rooms = of_kind(&item.room_kind);
    let equipment = item.equipment_kind.as_deref().map(&mut of_kind);
    let therapists = therapists
        .into_iter()
        .map(|id| Therapist {
            id: TherapistId::from_uuid(id),
            shifts: shifts.remove(&id).unwrap_or_default(),
            busy: busy.remove(&id).unwrap_or_default(),
        })
        .collect();
    Ok(Supply { open: list(openings.clone()), openings, therapists, rooms, equipment })
}

async fn able(conn: &mut PgConnection, store: StoreId, item: &Item, wish: Wish) -> pg::Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!(
        "select id from therapist
         where store_id = $1 and $2 = any(skills)
           and ($3::uuid is null or id = $3) and ($4::smallint is null or sex = $4)
         order by display_name, id",
        store.uuid(),
        item.skill,
        wish.therapist.map(TherapistId::uuid),
        wish.sex.map(super::catalog::sex_code),
    )
    .fetch_all(conn)
    .await?)
}

async fn shifts(conn: &mut PgConnection, therapists: &[Uuid], around: Span) -> pg::Result<HashMap<Uuid, Vec<Span>>> {
    let rows = sqlx::query!(
        r#"select therapist_id, array_agg(start_time) as "starts!: Vec<jiff_sqlx::Timestamp>",
                  array_agg(end_time) as "ends!: Vec<jiff_sqlx::Timestamp>"
           from shift
           where therapist_id = any($1) and tstzrange(start_time, end_time) && tstzrange($2, $3)
           group by therapist_id"#,
        therapists,
        sql(instant(around.start)) as _,
        sql(instant(around.end)) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.therapist_id, spans(row.starts, row.ends))).collect())
}

/// One row a resource: a search over weeks reads thousands of allocations, and rows cost more than what is in them. No
/// allocation is as long as a day, so those that matter lie in one piece of the index.
async fn busy(conn: &mut PgConnection, resources: &[Uuid], around: Span) -> pg::Result<HashMap<Uuid, Vec<Span>>> {
    let rows = sqlx::query!(
        r#"select resource_id, array_agg(start_time) as "starts!: Vec<jiff_sqlx::Timestamp>",
                  array_agg(end_time) as "ends!: Vec<jiff_sqlx::Timestamp>"
           from allocation
           where resource_id = any($1) and end_time > $2
             and start_time < $3 and start_time > $2::timestamptz - interval '1 day'
           group by resource_id"#,
        resources,
        sql(instant(around.start)) as _,
        sql(instant(around.end)) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.resource_id, spans(row.starts, row.ends))).collect())
}

fn spans(starts: Vec<jiff_sqlx::Timestamp>, ends: Vec<jiff_sqlx::Timestamp>) -> Vec<Span> {
    let pairs = starts.into_iter().zip(ends);
    list(pairs.map(|(start, end)| Span::new(minute(start.to_jiff()), minute_after(end.to_jiff()))).collect())
}
