//! Coupons and messages.

use kernel::ids::BookingId;
use pg::PgConnection;

use super::{sql, store_uuid};
use crate::domain::{
    Pseudonym,
    fact::{CouponChange, CouponFact, MessageFact},
};

/// Stores a change of a coupon.
#[tracing::instrument(name = "db.fact_coupon.insert", skip_all)]
pub async fn insert_coupon(conn: &mut PgConnection, fact: &CouponFact) -> pg::Result<()> {
    let (change, amount) = match fact.change {
        CouponChange::Redeemed(amount) => ("REDEEMED", Some(amount)),
        CouponChange::Released => ("RELEASED", None),
    };
    let currency = amount.map(|amount| amount.currency());
    sqlx::query!(
        "insert into fact_coupon (event_id, coupon_id, version, code, customer, store_id, booking_id, change, currency,
                                  amount_minor, change_time)
         values ($1, $2, $3, $4, $5::bytea, $6, $7, $8, $9, $10, $11)
         on conflict (event_id) do nothing",
        fact.event.uuid(),
        fact.coupon.uuid(),
        fact.version,
        fact.code,
        fact.customer.bytes(),
        store_uuid(fact.store),
        fact.booking.map(BookingId::uuid),
        change,
        currency.as_ref().map(|currency| currency.code()),
        amount.map(|amount| amount.minor()),
        sql(fact.change_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores a message that went out.
#[tracing::instrument(name = "db.fact_message.insert", skip_all)]
pub async fn insert_message(conn: &mut PgConnection, fact: &MessageFact) -> pg::Result<()> {
    sqlx::query!(
        "insert into fact_message (message_id, customer, kind, channel, send_time) values ($1, $2::bytea, $3, $4, $5)
         on conflict (message_id) do nothing",
        fact.id.uuid(),
        fact.customer.as_ref().map(Pseudonym::bytes),
        fact.kind,
        fact.channel,
        sql(fact.send_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
