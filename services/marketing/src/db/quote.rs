//! Quotes and their adjustments.

use kernel::{
    Money, Uuid,
    ids::{BookingId, CouponId, ItemId, MemberId, QuoteId, StoreId},
};
use pg::PgConnection;

use super::{currency, sql};
use crate::domain::quote::{Adjustment, Priced, Quote, Wanted};

/// Stores a quote that was just made.
#[tracing::instrument(name = "db.quote.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, quote: &Quote) -> pg::Result<()> {
    let (wanted, priced) = (&quote.wanted, &quote.priced);
    let currency = wanted.list_price.currency();
    sqlx::query!(
        "insert into quote (id, customer_id, item_id, store_id, currency, list_price_minor, price_minor, coupon_id,
                            create_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        quote.id.uuid(),
        wanted.customer.uuid(),
        wanted.item.uuid(),
        wanted.store.uuid(),
        currency.code(),
        wanted.list_price.minor(),
        priced.price.minor(),
        priced.coupon.map(CouponId::uuid),
        sql(quote.create_time) as _,
    )
    .execute(&mut *conn)
    .await?;
    for (position, adjustment) in (0_i32..).zip(&priced.adjustments) {
        sqlx::query!(
            "insert into quote_adjustment (quote_id, position, code, applied, amount_minor, explanation, coupon_id)
             values ($1, $2, $3, $4, $5, $6, $7)",
            quote.id.uuid(),
            position,
            adjustment.code,
            adjustment.applied,
            adjustment.amount.minor(),
            adjustment.explanation,
            adjustment.coupon.map(CouponId::uuid),
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Reads a quote.
#[tracing::instrument(name = "db.quote.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: QuoteId) -> pg::Result<Option<Quote>> {
    let row = sqlx::query!("select * from quote where id = $1", id.uuid()).fetch_optional(&mut *conn).await?;
    let Some(row) = row else { return Ok(None) };
    let currency = currency("quote", id, &row.currency)?;
    let adjustments = sqlx::query!(
        "select code, applied, amount_minor, explanation, coupon_id from quote_adjustment
         where quote_id = $1 order by position",
        id.uuid(),
    )
    .fetch_all(conn)
    .await?;
    let adjustments = adjustments.into_iter().map(|row| Adjustment {
        code: row.code,
        applied: row.applied,
        amount: Money::new(row.amount_minor, currency),
        explanation: row.explanation,
        coupon: row.coupon_id.map(CouponId::from_uuid),
    });
    Ok(Some(Quote {
        id,
        wanted: Wanted {
            customer: MemberId::from_uuid(row.customer_id),
            item: ItemId::from_uuid(row.item_id),
            store: StoreId::from_uuid(row.store_id),
            list_price: Money::new(row.list_price_minor, currency),
        },
        priced: Priced {
            price: Money::new(row.price_minor, currency),
            adjustments: adjustments.collect(),
            coupon: row.coupon_id.map(CouponId::from_uuid),
        },
        booking: row.booking_id.map(BookingId::from_uuid),
        create_time: row.create_time.to_jiff(),
    }))
}

/// Reads a quote and keeps others from changing it until the transaction ends.
#[tracing::instrument(name = "db.quote.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, id: QuoteId) -> pg::Result<Option<Quote>> {
    // Read by a statement of its own after the lock: only that one sees what the holder before us has committed.
    sqlx::query!("select id from quote where id = $1 for update", id.uuid()).fetch_optional(&mut *conn).await?;
    get(conn, id).await
}

/// Notes which booking was made with a quote.
#[tracing::instrument(name = "db.quote.link", skip_all)]
pub async fn link(conn: &mut PgConnection, id: QuoteId, booking: BookingId) -> pg::Result<()> {
    let booking: Uuid = booking.uuid();
    sqlx::query!("update quote set booking_id = $2 where id = $1 and booking_id is null", id.uuid(), booking)
        .execute(conn)
        .await?;
    Ok(())
}
