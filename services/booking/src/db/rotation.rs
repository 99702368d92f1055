//! Turn lists, their rules and their log.

use std::collections::HashMap;

use kernel::{
    Timestamp,
    ids::{BookingId, StoreId, TherapistId},
};
use pg::PgConnection;

use super::sql;
use crate::domain::assignment::rotation::{Cause, Change, Entry, Refusal, Rotation, Rules, Turn};

/// Keeps the state of a store's assignments (turn list, credited work) to one transaction at a time, until it ends. To be
/// taken after the roster is shared and before any row is locked.
#[tracing::instrument(name = "db.rotation.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, store: StoreId) -> pg::Result<()> {
    super::locks::take(conn, &[super::locks::Name::Assignments(store)]).await
}

/// Reads the turn list of a store; empty if it never had one.
#[tracing::instrument(name = "db.rotation.get", skip_all)]
pub async fn get(conn: &mut PgConnection, store: StoreId) -> pg::Result<Rotation> {
    let row = sqlx::query!("select version, therapist_ids, skipped from rotation where store_id = $1", store.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(row.map_or_else(Rotation::default, |row| Rotation {
        version: row.version,
        turns: row
            .therapist_ids
            .into_iter()
            .zip(row.skipped)
            .map(|(id, skipped)| Turn { therapist: TherapistId::from_uuid(id), skipped })
            .collect(),
    }))
}

/// Stores the last change of a turn list, and the list that it made. The store must be locked.
#[tracing::instrument(name = "db.rotation.append", skip_all)]
pub async fn append(conn: &mut PgConnection, store: StoreId, rotation: &Rotation, entry: &Entry) -> pg::Result<()> {
    let ids: Vec<_> = rotation.turns.iter().map(|turn| turn.therapist.uuid()).collect();
    let skipped: Vec<_> = rotation.turns.iter().map(|turn| turn.skipped).collect();
    let place = |place: Option<usize>| place.and_then(|place| i32::try_from(place).ok());
    sqlx::query!(
        "with list as (
             insert into rotation (store_id, version, therapist_ids, skipped) values ($1, $2, $3, $4)
             on conflict (store_id) do update set version = $2, therapist_ids = $3, skipped = $4
         )
         insert into rotation_log (store_id, version, cause, therapist_id, place_before, place_after, skipped,
                                   booking_id, shift_start, actor, reason, create_time)
         values ($1, $2, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        store.uuid(),
        entry.version,
        &ids,
        &skipped,
        entry.change.cause.as_str(),
        entry.change.therapist.uuid(),
        place(entry.change.before),
        place(entry.change.after),
        entry.change.skipped,
        entry.booking.map(BookingId::uuid),
        entry.shift_start.map(sql) as _,
        entry.actor,
        entry.reason,
        sql(entry.create_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lists the changes of a turn list before the version `before`, the newest first.
#[tracing::instrument(name = "db.rotation_log.list", skip_all)]
pub async fn log(conn: &mut PgConnection, store: StoreId, before: Option<i64>, limit: i64) -> pg::Result<Vec<Entry>> {
    let rows = sqlx::query!(
        r#"select version, cause, therapist_id, place_before, place_after, skipped, booking_id,
                  shift_start as "shift_start: jiff_sqlx::Timestamp", actor, reason,
                  create_time as "create_time: jiff_sqlx::Timestamp"
           from rotation_log where store_id = $1 and ($2::bigint is null or version < $2)
           order by version desc limit $3"#,
        store.uuid(),
        before,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let broken = |what| pg::Error::inconsistent("rotation_log", format!("{store}/{}", row.version), what);
            let place =
                |place: Option<i32>| place.map(usize::try_from).transpose().map_err(|_| broken("a place below 1"));
            Ok(Entry {
                version: row.version,
                change: Change {
                    cause: Cause::parse(&row.cause).ok_or_else(|| broken("unknown cause"))?,
                    therapist: TherapistId::from_uuid(row.therapist_id),
                    before: place(row.place_before)?,
                    after: place(row.place_after)?,
                    skipped: row.skipped,
                },
                booking: row.booking_id.map(BookingId::from_uuid),
                shift_start: row.shift_start.map(jiff_sqlx::Timestamp::to_jiff),
                actor: row.actor,
                reason: row.reason,
                create_time: row.create_time.to_jiff(),
            })
        })
        .collect()
}

/// Reads what counts as a turn at a store and what a refusal costs.
#[tracing::instrument(name = "db.rotation_rule.get", skip_all)]
pub async fn rules(conn: &mut PgConnection, store: StoreId) -> pg::Result<Rules> {
    let row = sqlx::query!(
        "select requested_counts, refusal, refusal_turns from rotation_rule where store_id = $1",
        store.uuid()
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(Rules::default()) };
    let refusal = match (row.refusal.as_str(), u16::try_from(row.refusal_turns)) {
        ("STAY", _) => Refusal::Stay,
        ("TO_END", _) => Refusal::ToEnd,
        ("TURNS", Ok(turns)) => Refusal::Turns(turns),
        _ => return Err(pg::Error::inconsistent("rotation_rule", store, "unknown rule of refusal")),
    };
    Ok(Rules { requested_counts: row.requested_counts, refusal })
}

/// Stores what counts as a turn at a store and what a refusal costs.
#[tracing::instrument(name = "db.rotation_rule.set", skip_all)]
pub async fn set_rules(conn: &mut PgConnection, store: StoreId, rules: Rules) -> pg::Result<()> {
    let (refusal, turns) = match rules.refusal {
        Refusal::Stay => ("STAY", 0),
        Refusal::ToEnd => ("TO_END", 0),
        Refusal::Turns(turns) => ("TURNS", i16::try_from(turns).unwrap_or(i16::MAX)),
    };
    sqlx::query!(
        "insert into rotation_rule (store_id, requested_counts, refusal, refusal_turns) values ($1, $2, $3, $4)
         on conflict (store_id) do update set requested_counts = $2, refusal = $3, refusal_turns = $4",
        store.uuid(),
        rules.requested_counts,
        refusal,
        turns,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The version of the list that last gave each therapist of a store a turn that he did not get back.
#[tracing::instrument(name = "db.assignment_credit.last_turns", skip_all)]
pub async fn last_turns(conn: &mut PgConnection, store: StoreId) -> pg::Result<HashMap<TherapistId, i64>> {
    let rows = sqlx::query!(
        r#"select therapist.id, last.turn as "turn!"
           from therapist, lateral (
               select turn from assignment_credit
               where store_id = $1 and therapist_id = therapist.id and turn is not null and not given_back
               order by turn desc limit 1
           ) last
           where therapist.store_id = $1"#,
        store.uuid(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (TherapistId::from_uuid(row.id), row.turn)).collect())
}

/// How a therapist's shifts and his place on the list are to each other.
#[derive(Debug, Clone, Copy)]
pub struct Duty {
    /// Who.
    pub therapist: TherapistId,
    /// When the shift began in which he is now.
    pub shift_start: Option<Timestamp>,
    /// When the last shift began that the list took account of.
    pub followed: Option<Timestamp>,
}

/// The therapists of a store who are on duty at `now` or on the list; in the order in which their shifts began, then by
/// name.
#[tracing::instrument(name = "db.rotation.duties", skip_all)]
pub async fn duties(
    conn: &mut PgConnection,
    store: StoreId,
    rotation: &Rotation,
    now: Timestamp,
) -> pg::Result<Vec<Duty>> {
    let listed: Vec<_> = rotation.turns.iter().map(|turn| turn.therapist.uuid()).collect();
    let rows = sqlx::query!(
        r#"select therapist.id, shift.start_time as "shift_start?: jiff_sqlx::Timestamp",
                  followed.shift_start as "followed?: jiff_sqlx::Timestamp"
           from therapist
           left join shift on shift.therapist_id = therapist.id and shift.store_id = $1 and shift.start_time <= $3
                and shift.start_time > $3::timestamptz - interval '1 day' and shift.end_time > $3
           left join lateral (
               select shift_start from rotation_log
               where store_id = $1 and therapist_id = therapist.id and cause in ('JOIN', 'LEAVE', 'SHIFT_START')
               order by version desc limit 1
           ) followed on true
           where (therapist.store_id = $1 and shift.id is not null) or therapist.id = any($2)
           order by shift.start_time, therapist.display_name, therapist.id"#,
        store.uuid(),
        &listed,
        sql(now) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Duty {
            therapist: TherapistId::from_uuid(row.id),
            shift_start: row.shift_start.map(jiff_sqlx::Timestamp::to_jiff),
            followed: row.followed.map(jiff_sqlx::Timestamp::to_jiff),
        })
        .collect())
}

/// When the shift began in which a therapist is at `now`; `None` if he is in none.
#[tracing::instrument(name = "db.shift.at", skip_all)]
pub async fn shift_at(
    conn: &mut PgConnection,
    store: StoreId,
    therapist: TherapistId,
    now: Timestamp,
) -> pg::Result<Option<Timestamp>> {
    let start = sqlx::query_scalar!(
        r#"select start_time as "start_time: jiff_sqlx::Timestamp" from shift
           where therapist_id = $1 and store_id = $2 and start_time <= $3 and end_time > $3"#,
        therapist.uuid(),
        store.uuid(),
        sql(now) as _,
    )
    .fetch_optional(conn)
    .await?;
    Ok(start.map(jiff_sqlx::Timestamp::to_jiff))
}

/// The stores whose therapists are found by the turn list; `by_default` says whether stores without a rule of their own
/// do so.
#[tracing::instrument(name = "db.rotation.stores", skip_all)]
pub async fn stores(conn: &mut PgConnection, by_default: bool) -> pg::Result<Vec<StoreId>> {
    let rows = sqlx::query_scalar!(
        "select store.id from store left join store_policy on store_policy.store_id = store.id
         where store_policy.assignment = 'ROTATION' or ($1 and store_policy.assignment is null) order by store.id",
        by_default,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(StoreId::from_uuid).collect())
}

/// Names of therapists, and until when those who are taken at `now` are so without a gap.
#[tracing::instrument(name = "db.rotation.present", skip_all)]
pub async fn present(
    conn: &mut PgConnection,
    rotation: &Rotation,
    now: Timestamp,
) -> pg::Result<HashMap<TherapistId, (String, Option<Timestamp>)>> {
    let ids: Vec<_> = rotation.turns.iter().map(|turn| turn.therapist.uuid()).collect();
    // A chain of allocations that follow each other without a gap: each starts no later than the one before it ends.
    let rows = sqlx::query!(
        r#"with recursive chain (resource_id, until) as (
               select resource_id, end_time from allocation
               where resource_id = any($1) and start_time <= $2 and end_time > $2
                 and start_time > $2::timestamptz - interval '1 day'
               union
               select next.resource_id, next.end_time from chain
               join allocation next on next.resource_id = chain.resource_id and next.start_time <= chain.until
                and next.start_time > $2 and next.end_time > chain.until
           )
           select id, display_name,
                  (select max(until) from chain where resource_id = therapist.id) as "until?: jiff_sqlx::Timestamp"
           from therapist where id = any($1)"#,
        &ids,
        sql(now) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (TherapistId::from_uuid(row.id), (row.display_name, row.until.map(jiff_sqlx::Timestamp::to_jiff))))
        .collect())
}
