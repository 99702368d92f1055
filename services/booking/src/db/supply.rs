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
        "select therapist_id, start_time, end_time from shift
         where therapist_id = any($1) and tstzrange(start_time, end_time) && tstzrange($2, $3)",
        therapists,
        sql(instant(around.start)) as _,
        sql(instant(around.end)) as _,
    )
    .fetch_all(conn)
    .await?;
    let mut by_therapist: HashMap<Uuid, Vec<Span>> = HashMap::new();
    for row in rows {
        let span = Span::new(minute(row.start_time.to_jiff()), minute(row.end_time.to_jiff()));
        by_therapist.entry(row.therapist_id).or_default().push(span);
    }
    Ok(by_therapist.into_iter().map(|(id, spans)| (id, list(spans))).collect())
}

async fn busy(conn: &mut PgConnection, resources: &[Uuid], around: Span) -> pg::Result<HashMap<Uuid, Vec<Span>>> {
    let rows = sqlx::query!(
        "select resource_id, start_time, end_time from allocation
         where resource_id = any($1) and tstzrange(start_time, end_time) && tstzrange($2, $3)",
        resources,
        sql(instant(around.start)) as _,
        sql(instant(around.end)) as _,
    )
    .fetch_all(conn)
    .await?;
    let mut by_resource: HashMap<Uuid, Vec<Span>> = HashMap::new();
    for row in rows {
        let span = Span::new(minute(row.start_time.to_jiff()), minute_after(row.end_time.to_jiff()));
        by_resource.entry(row.resource_id).or_default().push(span);
    }
    Ok(by_resource.into_iter().map(|(id, spans)| (id, list(spans))).collect())
}
