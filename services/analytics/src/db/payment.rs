//! Money that came in and went back.

use pg::PgConnection;

use super::sql;
use crate::domain::fact::{PaymentFact, RefundFact};

/// Stores a payment.
#[tracing::instrument(name = "db.fact_payment.insert", skip_all)]
pub async fn insert_payment(conn: &mut PgConnection, fact: &PaymentFact) -> pg::Result<()> {
    let currency = fact.amount.currency();
    sqlx::query!(
        "insert into fact_payment (payment_id, order_id, booking_id, store_id, customer, purpose, tender, currency,
                                   amount_minor, capture_time)
         values ($1, $2, $3, $4, $5::bytea, $6, $7, $8, $9, $10)
         on conflict (payment_id) do nothing",
        fact.id.uuid(),
        fact.of.order.uuid(),
        fact.of.booking.uuid(),
        fact.of.store.uuid(),
        fact.of.customer.bytes(),
        fact.purpose,
        fact.tender,
        currency.code(),
        fact.amount.minor(),
        sql(fact.capture_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores a refund.
#[tracing::instrument(name = "db.fact_refund.insert", skip_all)]
pub async fn insert_refund(conn: &mut PgConnection, fact: &RefundFact) -> pg::Result<()> {
    let currency = fact.amount.currency();
    sqlx::query!(
        "insert into fact_refund (refund_id, payment_id, order_id, booking_id, store_id, customer, reason, currency,
                                  amount_minor, refund_time)
         values ($1, $2, $3, $4, $5, $6::bytea, $7, $8, $9, $10)
         on conflict (refund_id) do nothing",
        fact.id.uuid(),
        fact.payment.uuid(),
        fact.of.order.uuid(),
        fact.of.booking.uuid(),
        fact.of.store.uuid(),
        fact.of.customer.bytes(),
        fact.reason,
        currency.code(),
        fact.amount.minor(),
        sql(fact.refund_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
