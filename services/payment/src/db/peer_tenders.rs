//! What other services set aside for payments, and what they are still to be told.

use jiff_sqlx::ToSqlx;
use kernel::{
    Money, Timestamp, Uuid,
    ids::{CheckoutId, CouponId, MemberId, OrderId, PaymentId, RefundId},
};
use pg::{Error, PgConnection, Result};

use super::currency;
use crate::domain::{
    Payment, Tender,
    peer_tender::{GivenBack, Kept, PeerTender, State},
};

/// Notes what its keeper will be asked for. False if that was noted before.
#[tracing::instrument(name = "db.peer_tender.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, of: &PeerTender, now: Timestamp) -> Result<bool> {
    let currency = of.amount.currency();
    let done = sqlx::query!(
        "insert into peer_tender (payment_id, checkout_id, order_id, customer_id, tender, source_id, currency,
                                  amount_minor, state, create_time, hold_until)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (payment_id) do nothing",
        of.kept.payment.uuid(),
        of.checkout.uuid(),
        of.kept.order.uuid(),
        of.kept.customer.uuid(),
        of.tender.as_str(),
        of.tender.source(),
        currency.code(),
        of.amount.minor(),
        of.state.as_str(),
        now.to_sqlx() as _,
        of.hold_until.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Reads one.
#[tracing::instrument(name = "db.peer_tender.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: PaymentId) -> Result<Option<PeerTender>> {
    let row = sqlx::query_as!(
        Row,
        "select payment_id, checkout_id, order_id, customer_id, tender, source_id, currency, amount_minor, state,
                hold_until, tell_time
         from peer_tender where payment_id = $1",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::read).transpose()
}

/// What was asked for is set aside by its payment, if its keeper has it until `until` at least. False if it is not there
/// any more.
#[tracing::instrument(name = "db.peer_tender.reserve", skip_all)]
pub async fn reserve(conn: &mut PgConnection, of: &Payment, until: Timestamp) -> Result<bool> {
    let done = sqlx::query!(
        "update peer_tender set state = 'reserved'
         where payment_id = $1 and state = 'asked' and tender = $2 and amount_minor = $3
           and source_id is not distinct from $4 and hold_until >= $5",
        of.id.uuid(),
        of.tender.as_str(),
        of.amount.minor(),
        of.tender.source(),
        until.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What was set aside is spent, or free again.
#[tracing::instrument(name = "db.peer_tender.decide", skip_all)]
pub async fn decide(conn: &mut PgConnection, id: PaymentId, to: State, now: Timestamp) -> Result<()> {
    let done = sqlx::query!(
        "update peer_tender set state = $2, decide_time = $3 where payment_id = $1 and state = 'reserved'",
        id.uuid(),
        to.as_str(),
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(());
    }
    Err(Error::inconsistent("peer_tender", id, "is not set aside"))
}

/// What was asked for and is not set aside by a payment comes to nothing. False if it is set aside, or has come to nothing.
#[tracing::instrument(name = "db.peer_tender.give_up", skip_all)]
pub async fn give_up(conn: &mut PgConnection, id: PaymentId, now: Timestamp) -> Result<bool> {
    let done = sqlx::query!(
        "update peer_tender set state = 'voided', decide_time = $2 where payment_id = $1 and state = 'asked'",
        id.uuid(),
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Its keeper was told what was decided; `trouble` is why he will not have it.
#[tracing::instrument(name = "db.peer_tender.told", skip_all)]
pub async fn told(conn: &mut PgConnection, id: PaymentId, trouble: Option<&str>, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "update peer_tender set tell_time = $3, trouble = $2
         where payment_id = $1 and tell_time is null and decide_time is not null",
        id.uuid(),
        trouble,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that something goes back. `whole` says whether all of it is back by then.
#[tracing::instrument(name = "db.peer_tender_return.insert", skip_all)]
pub async fn insert_return(conn: &mut PgConnection, of: PaymentId, back: &GivenBack, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "insert into peer_tender_return (refund_id, payment_id, amount_minor, whole, create_time)
         values ($1, $2, $3, $4, $5)",
        back.refund.uuid(),
        of.uuid(),
        back.amount.minor(),
        back.whole,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What goes back of which its keeper was not told, the oldest first.
#[tracing::instrument(name = "db.peer_tender_return.untold", skip_all)]
pub async fn untold_returns(conn: &mut PgConnection, of: &PeerTender) -> Result<Vec<GivenBack>> {
    let rows = sqlx::query!(
        "select refund_id, amount_minor, whole from peer_tender_return
         where payment_id = $1 and tell_time is null order by create_time, whole, refund_id",
        of.kept.payment.uuid(),
    )
    .fetch_all(conn)
    .await?;
    let currency = of.amount.currency();
    let back = |refund, minor, whole| GivenBack {
        refund: RefundId::from_uuid(refund),
        amount: Money::new(minor, currency),
        whole,
    };
    Ok(rows.into_iter().map(|row| back(row.refund_id, row.amount_minor, row.whole)).collect())
}

/// Its keeper was told what goes back; `trouble` is why he will not have it.
#[tracing::instrument(name = "db.peer_tender_return.told", skip_all)]
pub async fn return_told(conn: &mut PgConnection, id: RefundId, trouble: Option<&str>, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "update peer_tender_return set tell_time = $3, trouble = $2 where refund_id = $1 and tell_time is null",
        id.uuid(),
        trouble,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct Row {
    payment_id: Uuid,
    checkout_id: Uuid,
    order_id: Uuid,
    customer_id: Uuid,
    tender: String,
    source_id: Option<Uuid>,
    currency: String,
    amount_minor: i64,
    state: String,
    hold_until: jiff_sqlx::Timestamp,
    tell_time: Option<jiff_sqlx::Timestamp>,
}

impl Row {
    fn read(self) -> Result<PeerTender> {
        let unfit = |what| Error::inconsistent("peer_tender", self.payment_id, what);
        let currency = currency("peer_tender", self.payment_id, &self.currency)?;
        Ok(PeerTender {
            kept: Kept {
                payment: PaymentId::from_uuid(self.payment_id),
                order: OrderId::from_uuid(self.order_id),
                customer: MemberId::from_uuid(self.customer_id),
                coupon: self.source_id.map(CouponId::from_uuid),
            },
            checkout: CheckoutId::from_uuid(self.checkout_id),
            tender: Tender::from_stored(&self.tender, self.source_id, None)
                .ok_or_else(|| unfit("has an unknown tender"))?,
            amount: Money::new(self.amount_minor, currency),
            state: State::from_stored(&self.state).ok_or_else(|| unfit("has an unknown state"))?,
            hold_until: self.hold_until.to_jiff(),
            told: self.tell_time.is_some(),
        })
    }
}
