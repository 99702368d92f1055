//! What is known of a customer's liking for therapists, and of therapists in general.

use std::collections::HashMap;

use jiff::SignedDuration;
use kernel::{
    Timestamp, Uuid,
    ids::{MemberId, StoreId, TherapistId},
};
use pg::PgConnection;

use super::sql;
use crate::domain::assignment::history::{Preference, Visits};

/// The customer's visits that took place, by therapist; at every store of the chain.
#[tracing::instrument(name = "db.booking.visits", skip_all)]
pub async fn visits(
    conn: &mut PgConnection,
    customer: MemberId,
    now: Timestamp,
) -> pg::Result<HashMap<TherapistId, Visits>> {
    let days = |days: i64| sql(now - SignedDuration::from_hours(days * 24));
    let rows = sqlx::query!(
        r#"select therapist_id as "therapist_id!",
                  count(*) filter (where start_time > $2) as "lately!",
                  count(*) filter (where start_time <= $2 and start_time > $3) as "this_year!",
                  count(*) filter (where start_time <= $3) as "before!",
                  max(start_time) as "last!: jiff_sqlx::Timestamp"
           from (
               select therapist_id, start_time from booking where customer_id = $1 and state = 'COMPLETED'
               union all
               select part.therapist_id, part.start_time from booking
               join booking_part part on part.booking_id = booking.id
               where customer_id = $1 and state = 'COMPLETED'
           ) visit group by therapist_id"#,
        customer.uuid(),
        days(90) as _,
        days(365) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let visits = Visits {
                lately: row.lately,
                this_year: row.this_year,
                before: row.before,
                last: Some(row.last.to_jiff()),
            };
            (TherapistId::from_uuid(row.therapist_id), visits)
        })
        .collect())
}

/// The therapists whom a customer likes best, and those whom he does not want.
#[tracing::instrument(name = "db.therapist_preference.list", skip_all)]
pub async fn of_customer(conn: &mut PgConnection, customer: MemberId) -> pg::Result<Vec<(TherapistId, Preference)>> {
    let rows = sqlx::query!(
        "select therapist_id, preference from therapist_preference where customer_id = $1 order by therapist_id",
        customer.uuid(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Ok((TherapistId::from_uuid(row.therapist_id), parse(&row.preference, row.therapist_id)?)))
        .collect()
}

pub(super) fn parse(preference: &str, therapist: Uuid) -> pg::Result<Preference> {
    let parsed = Preference::parse(preference);
    parsed.ok_or_else(|| pg::Error::inconsistent("therapist_preference", therapist, "unknown preference"))
}

/// Stores what a customer says of a therapist; `None` takes it back.
#[tracing::instrument(name = "db.therapist_preference.set", skip_all)]
pub async fn set(
    conn: &mut PgConnection,
    customer: MemberId,
    therapist: TherapistId,
    preference: Option<Preference>,
    now: Timestamp,
) -> pg::Result<()> {
    let query = match preference {
        Some(preference) => {
            sqlx::query!(
                "insert into therapist_preference (customer_id, therapist_id, preference, create_time)
             values ($1, $2, $3, $4) on conflict (customer_id, therapist_id) do update set preference = $3",
                customer.uuid(),
                therapist.uuid(),
                preference.as_str(),
                sql(now) as _,
            )
            .execute(conn)
            .await
        }
        None => {
            sqlx::query!(
                "delete from therapist_preference where customer_id = $1 and therapist_id = $2",
                customer.uuid(),
                therapist.uuid(),
            )
            .execute(conn)
            .await
        }
    };
    query?;
    Ok(())
}

/// The ratings of a store's therapists, in hundredths of a star.
#[tracing::instrument(name = "db.therapist.ratings", skip_all)]
pub async fn ratings(conn: &mut PgConnection, store: StoreId) -> pg::Result<HashMap<TherapistId, i64>> {
    let rows = sqlx::query!(
        r#"select id, rating as "rating!" from therapist where store_id = $1 and rating is not null"#,
        store.uuid()
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (TherapistId::from_uuid(row.id), i64::from(row.rating))).collect())
}

/// Minutes of the shortest item of the chain; 0 if it has none.
#[tracing::instrument(name = "db.item.shortest", skip_all)]
pub async fn shortest_item(conn: &mut PgConnection) -> pg::Result<i64> {
    let shortest = sqlx::query_scalar!("select min(duration_minutes) from item").fetch_one(conn).await?;
    Ok(shortest.map_or(0, i64::from))
}
