//! What a store could use for a visit within a window of time.

use std::collections::HashMap;

use kernel::{
    Uuid,
    ids::{BookingId, StoreId},
};
use pg::PgConnection;

use super::{catalog::sex, sql};
use crate::domain::{
    availability::{Certificate, Profile, Resource, Supply},
    catalog::Sex,
    policy::WorkLimits,
    span::{Span, instant, list, minute, minute_after},
    visit::{Class, DAY, ResourceKind, Visit},
};

/// Reads everything that decides at which times of `window` one of `visits` can be had; `openings` are those that it
/// touches, whole and by start. What the bookings of `without` keep counts as free.
#[tracing::instrument(name = "db.supply.read", skip_all)]
pub async fn read(
    conn: &mut PgConnection,
    store: StoreId,
    visits: &[Visit],
    openings: Vec<Span>,
    window: Span,
    limits: WorkLimits,
    without: &[BookingId],
) -> pg::Result<Supply> {
    let mut resources = candidates(&mut *conn, store, visits).await?;
    let reach = visits.iter().map(Visit::reach).reduce(Span::hull).unwrap_or(Span::new(0, 0));
    let days = openings.iter().copied().fold(window, Span::hull);
    // A stretch of work may have begun before.
    let before = if limits.in_row.is_some() { DAY } else { 0 };
    let around = Span::new(days.start + reach.start.min(0) - before, days.end + reach.end.max(0) + before);
    let mut times = times(conn, &resources, around, without).await?;
    for (kind, resource) in &mut resources {
        let times = times.remove(&resource.id).unwrap_or_default();
        resource.on = if *kind == ResourceKind::Therapist { times.on } else { vec![Span::ALWAYS] };
        resource.busy = times.busy;
        resource.work = times.work;
    }
    let of = |wanted| {
        let of_kind = resources.iter().filter(|(kind, _)| *kind == wanted);
        of_kind.map(|(_, resource)| resource.clone()).collect()
    };
    Ok(Supply {
        open: list(openings.clone()),
        openings,
        therapists: of(ResourceKind::Therapist),
        rooms: of(ResourceKind::Room),
        equipment: of(ResourceKind::Equipment),
        limits,
    })
}

/// Who could give something of the visits, and the places of the kinds that they take; by name.
async fn candidates(
    conn: &mut PgConnection,
    store: StoreId,
    visits: &[Visit],
) -> pg::Result<Vec<(ResourceKind, Resource)>> {
    let (mut skilled, mut wishes) = (Vec::new(), Vec::new());
    let (mut rooms, mut machines) = (Vec::new(), Vec::new());
    for demand in visits.iter().flat_map(|visit| &visit.demands) {
        match &demand.class {
            Class::Therapist { skills, .. } => {
                skilled.extend(skills.first().cloned());
                wishes.push(demand.wish);
            }
            Class::Room { kind } => rooms.push(kind.clone()),
            Class::Equipment { kind } => machines.push(kind.clone()),
        }
    }
    // Only if somebody is wished for throughout the others needn't be read.
    let wishes: Option<Vec<Uuid>> = wishes.into_iter().collect();
    let rows = sqlx::query!(
        r#"select id as "id!", sex, grade, skills, languages, certificates, ends as "ends: Vec<Option<jiff_sqlx::Timestamp>>",
                  kind, zone as "zone!", position as "position!"
           from (
               select t.id, t.display_name, sex, grade, skills, languages,
                      array(select c.kind from therapist_certificate c where c.therapist_id = t.id order by c.kind)
                          as certificates,
                      array(select (c.expire_date + 1)::timestamp at time zone s.time_zone from therapist_certificate c
                            where c.therapist_id = t.id order by c.kind) as ends,
                      null as kind, '' as zone, 0 as position
               from therapist t join store s on s.id = t.store_id
               where store_id = $1 and retire_time is null and skills && $2 and ($3::uuid[] is null or t.id = any($3))
               union all
               -- A room with beds is booked by the bed; the beds of one room are nearest to each other.
               select id, display_name, null, null, null, null, null, null, kind, coalesce(parent_id::text, ''), position
               from room
               where store_id = $1 and retire_time is null and kind = any($4)
                 and not exists (select from room bed where bed.parent_id = room.id and bed.retire_time is null)
           ) candidate order by display_name, id"#,
        store.uuid(),
        &skilled,
        wishes as Option<Vec<Uuid>>,
        &[rooms.clone(), machines].concat(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let of = match &row.kind {
                None => ResourceKind::Therapist,
                Some(kind) if rooms.contains(kind) => ResourceKind::Room,
                Some(_) => ResourceKind::Equipment,
            };
            let sex = row.sex.map_or(Some(Sex::Unspecified), sex);
            let profile = Profile {
                kind: row.kind.unwrap_or_default(),
                skills: row.skills.unwrap_or_default(),
                sex: sex.ok_or_else(|| pg::Error::inconsistent("therapist", row.id, "unknown sex"))?,
                grade: row.grade.unwrap_or_default(),
                languages: row.languages.unwrap_or_default(),
                certificates: certificates(row.certificates, row.ends),
                zone: row.zone,
                position: row.position,
            };
            Ok((of, Resource { id: row.id, profile, ..Resource::default() }))
        })
        .collect()
}

/// The certificates of a therapist; one without an end is valid for ever.
fn certificates(names: Option<Vec<String>>, ends: Option<Vec<Option<jiff_sqlx::Timestamp>>>) -> Vec<Certificate> {
    let pairs = names.into_iter().flatten().zip(ends.into_iter().flatten());
    pairs
        .map(|(name, end)| Certificate { name, end: end.map_or(Span::ALWAYS.end, |end| minute(end.to_jiff())) })
        .collect()
}

/// When a therapist is on duty, when a resource is taken, and when by a visit.
#[derive(Default)]
struct Times {
    on: Vec<Span>,
    busy: Vec<Span>,
    work: Vec<Span>,
}

/// One row a resource: a search over weeks reads thousands of allocations, and rows cost more than what is in them. No
/// allocation and no shift is as long as a day, so those that matter lie in one piece of the index.
async fn times(
    conn: &mut PgConnection,
    resources: &[(ResourceKind, Resource)],
    around: Span,
    without: &[BookingId],
) -> pg::Result<HashMap<Uuid, Times>> {
    let all: Vec<Uuid> = resources.iter().map(|(_, resource)| resource.id).collect();
    let rows = sqlx::query!(
        r#"select resource_id as "id!", false as "on_duty!", array_agg(start_time) as "starts!: Vec<jiff_sqlx::Timestamp>",
                  array_agg(end_time) as "ends!: Vec<jiff_sqlx::Timestamp>",
                  array_agg(booking_id is not null) as "visits!: Vec<bool>"
           from allocation
           where resource_id = any($1) and end_time > $2
             and (booking_id is null or booking_id <> all($4))
             and start_time < $3 and start_time > $2::timestamptz - interval '1 day'
           group by resource_id
           union all
           select therapist_id, true, array_agg(start_time), array_agg(end_time), '{}'
           from shift
           where therapist_id = any($1) and end_time > $2
             and start_time < $3 and start_time > $2::timestamptz - interval '1 day'
           group by therapist_id"#,
        &all,
        sql(instant(around.start)) as _,
        sql(instant(around.end)) as _,
        &without.iter().map(|booking| booking.uuid()).collect::<Vec<_>>(),
    )
    .fetch_all(conn)
    .await?;
    let mut times: HashMap<Uuid, Times> = HashMap::with_capacity(resources.len());
    for row in rows {
        let of = times.entry(row.id).or_default();
        let spans = spans(row.starts, row.ends);
        if row.on_duty {
            of.on = list(spans);
        } else {
            let visits = spans.iter().zip(row.visits).filter(|(_, is_visit)| *is_visit);
            of.work = list(visits.map(|(span, _)| *span).collect());
            of.busy = list(spans);
        }
    }
    Ok(times)
}

fn spans(starts: Vec<jiff_sqlx::Timestamp>, ends: Vec<jiff_sqlx::Timestamp>) -> Vec<Span> {
    let pairs = starts.into_iter().zip(ends);
    pairs.map(|(start, end)| Span::new(minute(start.to_jiff()), minute_after(end.to_jiff()))).collect()
}
