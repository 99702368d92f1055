//! Credited work: how far each therapist of a store has come, and what each visit counted.

use kernel::{
    Timestamp,
    ids::{BookingId, StoreId, TherapistId},
};
use pg::PgConnection;

use super::sql;
use crate::domain::{assignment::fairness::Ledger, policy::AssignmentPolicy};

/// Reads the credited work of a store, with the weights of its therapists.
#[tracing::instrument(name = "db.fairness.get", skip_all)]
pub async fn get(conn: &mut PgConnection, store: StoreId) -> pg::Result<Ledger> {
    let rows = sqlx::query!(
        r#"select therapist.id, weight, virtual_time as "virtual_time?"
           from therapist
           left join fairness on fairness.store_id = $1 and fairness.therapist_id = therapist.id
           where therapist.store_id = $1"#,
        store.uuid(),
    )
    .fetch_all(&mut *conn)
    .await?;
    let clock =
        sqlx::query!("select version, virtual_time, starts from fairness_clock where store_id = $1", store.uuid())
            .fetch_optional(conn)
            .await?;
    let mut ledger = clock.map_or_else(Ledger::default, |row| Ledger {
        version: row.version,
        clock: row.virtual_time,
        starts: row.starts,
        ..Ledger::default()
    });
    for row in rows {
        let therapist = TherapistId::from_uuid(row.id);
        ledger.weights.insert(therapist, i64::from(row.weight));
        if let Some(time) = row.virtual_time {
            ledger.virtual_times.insert(therapist, time);
        }
    }
    Ok(ledger)
}

/// The number of the last change of a store's credited work; 0 before the first.
#[tracing::instrument(name = "db.fairness.version", skip_all)]
pub async fn version(conn: &mut PgConnection, store: StoreId) -> pg::Result<i64> {
    let version = sqlx::query_scalar!("select version from fairness_clock where store_id = $1", store.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(version.unwrap_or(0))
}

/// Stores what a change of the ledger made of one therapist. The store must be locked.
#[tracing::instrument(name = "db.fairness.save", skip_all)]
pub async fn save(conn: &mut PgConnection, store: StoreId, ledger: &Ledger, therapist: TherapistId) -> pg::Result<()> {
    sqlx::query!(
        "with clock as (
             insert into fairness_clock (store_id, version, virtual_time, starts) values ($1, $2, $3, $6)
             on conflict (store_id) do update set version = $2, virtual_time = $3, starts = $6
         )
         insert into fairness (store_id, therapist_id, virtual_time) values ($1, $4, $5)
         on conflict (store_id, therapist_id) do update set virtual_time = $5",
        store.uuid(),
        ledger.version,
        ledger.clock,
        therapist.uuid(),
        ledger.standing(therapist),
        &ledger.starts,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a visit counted for one of its therapists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// The visit.
    pub booking: BookingId,
    /// Who gives it.
    pub therapist: TherapistId,
    /// Where.
    pub store: StoreId,
    /// The customer asked for him.
    pub requested: bool,
    /// How long he works.
    pub minutes: i32,
    /// What it changed.
    pub counted: Counted,
}

/// What a visit changed in the state of its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// It used up a turn; the version of the list after it.
    Turn(i64),
    /// It was credited as work; what that added to the therapist's virtual time.
    Work(i64),
}

/// Stores what a visit counted.
#[tracing::instrument(name = "db.assignment_credit.insert", skip_all)]
pub async fn insert_credit(conn: &mut PgConnection, credit: &Credit, now: Timestamp) -> pg::Result<()> {
    let (policy, turn, virtual_time) = match credit.counted {
        Counted::Turn(version) => (AssignmentPolicy::Rotation, Some(version), None),
        Counted::Work(added) => (AssignmentPolicy::WeightedFairness, None, Some(added)),
    };
    // A visit that was taken from a therapist and given to him again counts again.
    let stored = sqlx::query!(
        "insert into assignment_credit as credit (booking_id, therapist_id, store_id, policy, requested, minutes, turn,
                                                  virtual_time, create_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (booking_id, therapist_id) do update
         set policy = $4, requested = $5, minutes = $6, turn = $7, virtual_time = $8, create_time = $9,
             given_back = false
         where credit.given_back",
        credit.booking.uuid(),
        credit.therapist.uuid(),
        credit.store.uuid(),
        policy.as_str(),
        credit.requested,
        credit.minutes,
        turn,
        virtual_time,
        sql(now) as _,
    )
    .execute(conn)
    .await?;
    if stored.rows_affected() == 1 {
        return Ok(());
    }
    Err(pg::Error::inconsistent("assignment_credit", credit.booking, "counted twice for one therapist"))
}

/// Reads what a visit counts now, by therapist.
#[tracing::instrument(name = "db.assignment_credit.of_booking", skip_all)]
pub async fn credits(conn: &mut PgConnection, booking: BookingId) -> pg::Result<Vec<Credit>> {
    let rows = sqlx::query!(
        "select therapist_id, store_id, requested, minutes, turn, virtual_time from assignment_credit
         where booking_id = $1 and not given_back order by therapist_id",
        booking.uuid(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let counted = match (row.turn, row.virtual_time) {
                (Some(version), None) => Counted::Turn(version),
                (None, Some(added)) => Counted::Work(added),
                _ => return Err(pg::Error::inconsistent("assignment_credit", booking, "counts as neither or both")),
            };
            Ok(Credit {
                booking,
                therapist: TherapistId::from_uuid(row.therapist_id),
                store: StoreId::from_uuid(row.store_id),
                requested: row.requested,
                minutes: row.minutes,
                counted,
            })
        })
        .collect()
}

/// Stores that a visit counts otherwise for a therapist by now.
#[tracing::instrument(name = "db.assignment_credit.update", skip_all)]
pub async fn update_credit(conn: &mut PgConnection, credit: &Credit) -> pg::Result<()> {
    let added = match credit.counted {
        Counted::Turn(_) => None,
        Counted::Work(added) => Some(added),
    };
    sqlx::query!(
        "update assignment_credit set minutes = $3, virtual_time = $4
         where booking_id = $1 and therapist_id = $2 and not given_back",
        credit.booking.uuid(),
        credit.therapist.uuid(),
        credit.minutes,
        added,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks what a visit counted for a therapist as given back.
#[tracing::instrument(name = "db.assignment_credit.give_back", skip_all)]
pub async fn give_back(conn: &mut PgConnection, booking: BookingId, therapist: TherapistId) -> pg::Result<()> {
    sqlx::query!(
        "update assignment_credit set given_back = true where booking_id = $1 and therapist_id = $2",
        booking.uuid(),
        therapist.uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}
