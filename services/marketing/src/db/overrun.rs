//! Prices that were kept although their coupon had gone to another visit.

use kernel::{
    Timestamp,
    ids::{BookingId, CouponId, QuoteId},
};
use pg::PgConnection;

use super::sql;
use crate::domain::quote::Quote;

/// Notes that `booking` keeps the price of its quote without the coupon.
#[tracing::instrument(name = "db.coupon_overrun.record", skip_all)]
pub async fn record(
    conn: &mut PgConnection,
    quote: &Quote,
    coupon: CouponId,
    booking: BookingId,
    now: Timestamp,
) -> pg::Result<bool> {
    let amount = quote.priced.coupon_amount();
    let currency = amount.currency();
    let recorded = sqlx::query!(
        "insert into coupon_overrun (quote_id, coupon_id, customer_id, booking_id, currency, amount_minor, create_time)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (quote_id) do nothing",
        quote.id.uuid(),
        coupon.uuid(),
        quote.wanted.customer.uuid(),
        booking.uuid(),
        currency.code(),
        amount.minor(),
        sql(now) as _,
    )
    .execute(conn)
    .await?;
    Ok(recorded.rows_affected() == 1)
}

/// Notes that the booking was given up after all, or got the coupon after all.
#[tracing::instrument(name = "db.coupon_overrun.void", skip_all)]
pub async fn void(conn: &mut PgConnection, quote: QuoteId, now: Timestamp) -> pg::Result<()> {
    sqlx::query!(
        "update coupon_overrun set void_time = $2 where quote_id = $1 and void_time is null",
        quote.uuid(),
        sql(now) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
