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
    let (therapists, places) = candidates(&mut *conn, store, item, wish).await?;
    let need = item.need();
    let around = Span::new(
        openings.first().map_or(window.start, |first| first.start.min(window.start)) - need.preparation,
        openings.last().map_or(window.end, |last| last.end.max(window.end + need.duration)) + need.cleanup,
    );
    let mut times = times(conn, &therapists, &places, around).await?;
    let mut of_kind = |kind: &str| -> Vec<Place> {
        places
            .iter()
            .filter(|(_, known)| known == kind)
            .map(|(id, _)| Place { id: RoomId::from_uuid(*id), busy: times.busy.remove(id).unwrap_or_default() })
            .collect()
    };
    let rooms = of_kind(&item.room_kind);
    let equipment = item.equipment_kind.as_deref().map(&mut of_kind);
    let therapists = therapists
        .into_iter()
        .map(|id| Therapist {
            id: TherapistId::from_uuid(id),
            shifts: times.shifts.remove(&id).unwrap_or_default(),
            busy: times.busy.remove(&id).unwrap_or_default(),
        })
        .collect();
    Ok(Supply { open: list(openings.clone()), openings, therapists, rooms, equipment })
}

/// Who could give the item, and the places of the kinds that it takes with their kinds; both by name.
async fn candidates(
    conn: &mut PgConnection,
    store: StoreId,
    item: &Item,
    wish: Wish,
) -> pg::Result<(Vec<Uuid>, Vec<(Uuid, String)>)> {
    let rows = sqlx::query!(
        r#"select id as "id!", kind from (
               select id, display_name, null as kind from therapist
               where store_id = $1 and $2 = any(skills)
                 and ($3::uuid is null or id = $3) and ($4::smallint is null or sex = $4)
               union all
               select id, display_name, kind from room where store_id = $1 and kind = any($5)
           ) candidate order by display_name, id"#,
        store.uuid(),
        item.skill,
        wish.therapist.map(TherapistId::uuid),
        wish.sex.map(super::catalog::sex_code),
        &[item.room_kind.clone(), item.equipment_kind.clone().unwrap_or_default()],
    )
    .fetch_all(conn)
    .await?;
    let (mut therapists, mut places) = (Vec::new(), Vec::new());
    for row in rows {
        match row.kind {
            None => therapists.push(row.id),
            Some(kind) => places.push((row.id, kind)),
        }
    }
    Ok((therapists, places))
}

/// When therapists are on duty, and when therapists and places are taken.
#[derive(Default)]
struct Times {
    shifts: HashMap<Uuid, Vec<Span>>,
    busy: HashMap<Uuid, Vec<Span>>,
}

/// One row a resource: a search over weeks reads thousands of allocations, and rows cost more than what is in them. No
/// allocation and no shift is as long as a day, so those that matter lie in one piece of the index.
async fn times(
    conn: &mut PgConnection,
    therapists: &[Uuid],
    places: &[(Uuid, String)],
    around: Span,
) -> pg::Result<Times> {
    let resources: Vec<Uuid> = therapists.iter().copied().chain(places.iter().map(|(id, _)| *id)).collect();
    let rows = sqlx::query!(
        r#"select resource_id as "id!", false as "on_duty!", array_agg(start_time) as "starts!: Vec<jiff_sqlx::Timestamp>",
                  array_agg(end_time) as "ends!: Vec<jiff_sqlx::Timestamp>"
           from allocation
           where resource_id = any($1) and end_time > $3
             and start_time < $4 and start_time > $3::timestamptz - interval '1 day'
           group by resource_id
           union all
           select therapist_id, true, array_agg(start_time), array_agg(end_time)
           from shift
           where therapist_id = any($2) and end_time > $3
             and start_time < $4 and start_time > $3::timestamptz - interval '1 day'
           group by therapist_id"#,
        &resources,
        therapists,
        sql(instant(around.start)) as _,
        sql(instant(around.end)) as _,
    )
    .fetch_all(conn)
    .await?;
    let mut times = Times::default();
    for row in rows {
        let of = if row.on_duty { &mut times.shifts } else { &mut times.busy };
        of.insert(row.id, spans(row.starts, row.ends));
    }
    Ok(times)
}

fn spans(starts: Vec<jiff_sqlx::Timestamp>, ends: Vec<jiff_sqlx::Timestamp>) -> Vec<Span> {
    let pairs = starts.into_iter().zip(ends);
    list(pairs.map(|(start, end)| Span::new(minute(start.to_jiff()), minute_after(end.to_jiff()))).collect())
}
