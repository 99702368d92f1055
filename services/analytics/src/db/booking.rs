//! Visits.

use pg::PgConnection;

use super::sql;
use crate::domain::fact::{BookingChangeFact, BookingFact};

/// Stores how a visit stands, unless something newer is known.
#[tracing::instrument(name = "db.fact_booking.put", skip_all)]
pub async fn put(conn: &mut PgConnection, fact: &BookingFact) -> pg::Result<()> {
    let currency = fact.price.currency();
    sqlx::query!(
        "insert into fact_booking (booking_id, version, store_id, item_id, therapist_id, customer, state, channel,
                                   start_time, end_time, currency, price_minor, deposit_minor, change_time)
         values ($1, $2, $3, $4, $5, $6::bytea, $7, $8, $9, $10, $11, $12, $13, $14)
         on conflict (booking_id) do update
         set version = excluded.version, store_id = excluded.store_id, item_id = excluded.item_id,
             therapist_id = excluded.therapist_id, customer = excluded.customer, state = excluded.state,
             channel = excluded.channel, start_time = excluded.start_time, end_time = excluded.end_time,
             currency = excluded.currency, price_minor = excluded.price_minor, deposit_minor = excluded.deposit_minor,
             change_time = excluded.change_time
         where fact_booking.version < excluded.version",
        fact.id.uuid(),
        fact.version,
        fact.store.uuid(),
        fact.item.uuid(),
        fact.therapist.uuid(),
        fact.customer.bytes(),
        fact.state,
        fact.channel,
        sql(fact.start_time) as _,
        sql(fact.end_time) as _,
        currency.code(),
        fact.price.minor(),
        fact.deposit.minor(),
        sql(fact.change_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores a change of a visit.
#[tracing::instrument(name = "db.fact_booking_change.put", skip_all)]
pub async fn put_change(conn: &mut PgConnection, fact: &BookingChangeFact) -> pg::Result<()> {
    let booking = &fact.booking;
    sqlx::query!(
        "insert into fact_booking_change (event_id, booking_id, version, store_id, customer, change, start_before,
                                          start_time, change_time)
         values ($1, $2, $3, $4, $5::bytea, $6, $7, $8, $9)
         on conflict do nothing",
        fact.event.uuid(),
        booking.id.uuid(),
        booking.version,
        booking.store.uuid(),
        booking.customer.bytes(),
        fact.change.as_str(),
        fact.start_before.map(sql) as _,
        sql(booking.start_time) as _,
        sql(booking.change_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
