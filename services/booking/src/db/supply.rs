//! What a store could use for visits, and when it is taken.

use std::collections::HashMap;

use kernel::{
    Uuid,
    ids::{BookingId, MemberId, StoreId, TherapistId},
};
use pg::PgConnection;

use super::{catalog::sex, instants::Instants, preference, sql};
use crate::domain::{
    assignment::Liking,
    availability::{Certificate, Profile, Resource},
    catalog::Sex,
    span::{Span, instant, list, minute, minute_after},
};

/// Those who work at a store, by name, with their shifts within `around`.
#[tracing::instrument(name = "db.supply.therapists", skip_all)]
pub async fn therapists(conn: &mut PgConnection, store: StoreId, around: Span) -> pg::Result<Vec<Resource>> {
    let rows = sqlx::query!(
        r#"select t.id, sex, grade, skills, languages,
                  array(select c.kind from therapist_certificate c where c.therapist_id = t.id order by c.kind)
                      as "papers!",
                  array(select (c.expire_date + 1)::timestamp at time zone s.time_zone from therapist_certificate c
                        where c.therapist_id = t.id order by c.kind) as "paper_ends!: Vec<Option<jiff_sqlx::Timestamp>>",
                  array(select h.start_time from shift h
                        where h.therapist_id = t.id and h.start_time > $2 and h.start_time < $3 order by h.start_time)
                      as "starts!: Instants",
                  array(select h.end_time from shift h
                        where h.therapist_id = t.id and h.start_time > $2 and h.start_time < $3 order by h.start_time)
                      as "ends!: Instants"
           from therapist t join store s on s.id = t.store_id
           where store_id = $1 and retire_time is null order by t.display_name, t.id"#,
        store.uuid(),
        sql(instant(around.start)) as _,
        sql(instant(around.end)) as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let papers = row.papers.into_iter().zip(row.paper_ends);
            let profile = Profile {
                skills: row.skills,
                certificates: papers.map(certificate).collect(),
                sex: sex(row.sex).ok_or_else(|| pg::Error::inconsistent("therapist", row.id, "unknown sex"))?,
                grade: row.grade,
                languages: row.languages,
                ..Profile::default()
            };
            let on = spans(&row.starts, &row.ends);
            Ok(Resource { id: row.id, on, profile, ..Resource::default() })
        })
        .collect()
}

/// A certificate without an end is valid for ever.
fn certificate((name, end): (String, Option<jiff_sqlx::Timestamp>)) -> Certificate {
    Certificate { name, end: end.map_or(Span::ALWAYS.end, |end| minute(end.to_jiff())) }
}

/// The rooms, beds and machines of a store, by name. A room with beds is booked by the bed; the beds of one room are
/// nearest to each other.
#[tracing::instrument(name = "db.supply.places", skip_all)]
pub async fn places(conn: &mut PgConnection, store: StoreId) -> pg::Result<Vec<Resource>> {
    let rows = sqlx::query!(
        r#"select id, kind, coalesce(parent_id::text, '') as "zone!", position from room
           where store_id = $1 and retire_time is null
             and not exists (select from room bed where bed.parent_id = room.id and bed.retire_time is null)
           order by display_name, id"#,
        store.uuid(),
    )
    .fetch_all(conn)
    .await?;
    let place = |id, kind, zone, position| {
        let profile = Profile { kind, zone, position, sex: Sex::Unspecified, ..Profile::default() };
        Resource { id, on: vec![Span::ALWAYS], profile, ..Resource::default() }
    };
    Ok(rows.into_iter().map(|row| place(row.id, row.kind, row.zone, row.position)).collect())
}

/// What is taken, as one moment shows it.
#[derive(Debug, Default)]
pub struct Taken {
    /// The version of each store's roster.
    pub versions: HashMap<StoreId, i64>,
    /// When each resource is taken; none is missing that is.
    pub times: HashMap<Uuid, Times>,
    /// Whom the customer likes.
    pub liking: Liking,
}

/// When a resource is taken.
#[derive(Debug, Clone, Default)]
pub struct Times {
    /// By anything, as a list.
    pub busy: Vec<Span>,
    /// By visits, as a list.
    pub work: Vec<Span>,
}

/// Reads the versions of the stores' rosters, when their `resources` are taken within `around`, as if the bookings of
/// `without` kept nothing, and whom the customer likes. It is one statement, so that nobody can edit a roster in between.
///
/// One row a resource: a search over weeks reads thousands of allocations, and rows cost more than what is in them. No
/// allocation is as long as a day, so those of a resource that matter lie in one piece of the index, which has all that
/// is asked.
#[tracing::instrument(name = "db.supply.taken", skip_all)]
pub async fn taken(
    conn: &mut PgConnection,
    stores: &[StoreId],
    resources: &[Uuid],
    around: Span,
    without: &[BookingId],
    customer: Option<MemberId>,
) -> pg::Result<Taken> {
    let stores: Vec<Uuid> = stores.iter().map(|store| store.uuid()).collect();
    let without: Vec<Uuid> = without.iter().map(|booking| booking.uuid()).collect();
    let rows = sqlx::query!(
        r#"select id as "id!", roster_version as version, null::text as preference,
                  null as "visit_starts: Instants", null as "visit_ends: Instants",
                  null as "block_starts: Instants", null as "block_ends: Instants"
           from store where id = any($1)
           union all
           select resource.id, null, null, kept.* from unnest($2::uuid[]) as resource (id),
                lateral (select array_agg(start_time) filter (where booking_id is not null),
                                array_agg(end_time) filter (where booking_id is not null),
                                array_agg(start_time) filter (where booking_id is null),
                                array_agg(end_time) filter (where booking_id is null)
                         from allocation
                         where resource_id = resource.id and end_time > $3
                           and start_time < $4 and start_time > $3::timestamptz - interval '1 day'
                           and (booking_id is null or booking_id <> all($5))) as kept
           union all
           select therapist_id, null, preference, null, null, null, null from therapist_preference where customer_id = $6"#,
        &stores,
        resources,
        sql(instant(around.start)) as _,
        sql(instant(around.end)) as _,
        &without,
        customer.map(MemberId::uuid),
    )
    .fetch_all(conn)
    .await?;
    let mut taken = Taken { times: HashMap::with_capacity(rows.len()), ..Taken::default() };
    let spans = |starts: Option<Instants>, ends: Option<Instants>| {
        starts.zip(ends).map(|(starts, ends)| spans(&starts, &ends)).unwrap_or_default()
    };
    for row in rows {
        if let Some(version) = row.version {
            taken.versions.insert(StoreId::from_uuid(row.id), version);
            continue;
        }
        if let Some(preference) = row.preference {
            taken.liking.add(TherapistId::from_uuid(row.id), preference::parse(&preference, row.id)?);
            continue;
        }
        let mut busy = spans(row.block_starts, row.block_ends);
        let work = spans(row.visit_starts, row.visit_ends);
        if busy.is_empty() {
            busy.clone_from(&work);
        } else {
            busy.extend_from_slice(&work);
            busy = list(busy);
        }
        taken.times.insert(row.id, Times { busy, work });
    }
    Ok(taken)
}

/// Which bookings keep these resources at some time of a span: resource, booking and when.
#[tracing::instrument(name = "db.supply.keepers", skip_all)]
pub async fn keepers(
    conn: &mut PgConnection,
    resources: &[Uuid],
    within: Span,
) -> pg::Result<Vec<(Uuid, BookingId, Span)>> {
    let rows = sqlx::query!(
        r#"select resource_id, booking_id as "booking_id!", start_time, end_time from allocation
           where resource_id = any($1) and booking_id is not null and end_time > $2
             and start_time < $3 and start_time > $2::timestamptz - interval '1 day'
           order by start_time, booking_id"#,
        resources,
        sql(instant(within.start)) as _,
        sql(instant(within.end)) as _,
    )
    .fetch_all(conn)
    .await?;
    let span = |start: jiff_sqlx::Timestamp, end: jiff_sqlx::Timestamp| {
        Span::new(minute(start.to_jiff()), minute_after(end.to_jiff()))
    };
    Ok(rows
        .into_iter()
        .map(|row| (row.resource_id, BookingId::from_uuid(row.booking_id), span(row.start_time, row.end_time)))
        .collect())
}

fn spans(starts: &Instants, ends: &Instants) -> Vec<Span> {
    list(starts.to(ends).collect())
}
