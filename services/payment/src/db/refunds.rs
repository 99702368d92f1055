//! Money going back.

use jiff_sqlx::ToSqlx;
use kernel::{
    Money, Timestamp, Uuid,
    ids::{OrderId, PaymentId, RefundId},
};
use pg::{Error, PgConnection, Result};

use super::{currency, money};
use crate::domain::{Refund, Tender, refund::State};

/// Stores a new refund, the one at `position` among those of its order. A pending one is due to be sent at once.
#[tracing::instrument(name = "db.refund.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, order: OrderId, position: i32, refund: &Refund) -> Result<()> {
    let (word, succeed_time) = stored(&refund.state);
    sqlx::query!(
        "insert into refund (id, order_id, payment_id, amount_minor, state, reason, create_time, succeed_time,
                             next_attempt_time, position)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $7, $9)",
        refund.id.uuid(),
        order.uuid(),
        refund.payment.uuid(),
        refund.amount.minor(),
        word,
        refund.reason,
        refund.create_time.to_sqlx() as _,
        succeed_time.map(|time| time.to_sqlx()) as _,
        position,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores a refund's state.
#[tracing::instrument(name = "db.refund.update", skip_all)]
pub async fn update(conn: &mut PgConnection, refund: &Refund) -> Result<()> {
    let (word, succeed_time) = stored(&refund.state);
    sqlx::query!(
        "update refund set state = $2, succeed_time = $3 where id = $1",
        refund.id.uuid(),
        word,
        succeed_time.map(|time| time.to_sqlx()) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A refund that the provider shall be told of.
#[derive(Debug, Clone)]
pub struct Task {
    /// Which.
    pub refund: RefundId,
    /// The order that it belongs to.
    pub order: OrderId,
    /// The payment that it gives back.
    pub payment: PaymentId,
    /// The way that was paid, which tells whom to ask.
    pub tender: Tender,
    /// What was captured of it.
    pub captured: Money,
    /// How much goes back.
    pub amount: Money,
    /// Why, in a word for programs.
    pub reason: String,
    /// How often it was tried, this time included.
    pub attempts: u32,
}

/// Takes refunds that are due to be sent. No other worker gets them before `lease_until`.
#[tracing::instrument(name = "db.refund.claim", skip_all)]
pub async fn claim(conn: &mut PgConnection, now: Timestamp, lease_until: Timestamp, limit: i64) -> Result<Vec<Task>> {
    let rows = sqlx::query!(
        "update refund
         set next_attempt_time = $2, attempt_count = attempt_count + 1
         from customer_order, payment
         where customer_order.id = refund.order_id and payment.id = refund.payment_id
           and refund.id in (select id from refund
                             where state = 'pending' and next_attempt_time <= $1
                             order by next_attempt_time limit $3 for update skip locked)
         returning refund.id, refund.order_id, refund.payment_id, refund.amount_minor, refund.reason,
                   refund.attempt_count, payment.tender, payment.amount_minor as captured_minor,
                   customer_order.currency",
        now.to_sqlx() as _,
        lease_until.to_sqlx() as _,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let money = money(currency("customer_order", row.order_id, &row.currency)?);
            let unfit = || Error::inconsistent("payment", row.payment_id, "has an unknown tender");
            Ok(Task {
                refund: RefundId::from_uuid(row.id),
                order: OrderId::from_uuid(row.order_id),
                payment: PaymentId::from_uuid(row.payment_id),
                tender: Tender::from_stored(&row.tender, None, None).ok_or_else(unfit)?,
                captured: money(row.captured_minor),
                amount: money(row.amount_minor),
                reason: row.reason,
                attempts: u32::try_from(row.attempt_count).unwrap_or(1),
            })
        })
        .collect()
}

/// The order and payment of a refund. `None` if there is no such refund.
#[tracing::instrument(name = "db.refund.order_of", skip_all)]
pub async fn order_of(conn: &mut PgConnection, id: RefundId) -> Result<Option<(OrderId, PaymentId)>> {
    let row = sqlx::query!("select order_id, payment_id from refund where id = $1", id.uuid());
    let row = row.fetch_optional(conn).await?;
    Ok(row.map(|row| (OrderId::from_uuid(row.order_id), PaymentId::from_uuid(row.payment_id))))
}

/// Puts off the next attempt of a refund.
#[tracing::instrument(name = "db.refund.try_again", skip_all)]
pub async fn try_again(conn: &mut PgConnection, id: RefundId, at: Timestamp) -> Result<()> {
    sqlx::query!(
        "update refund set next_attempt_time = $2 where id = $1 and state = 'pending'",
        id.uuid(),
        at.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) struct Row {
    id: Uuid,
    pub(super) order_id: Uuid,
    payment_id: Uuid,
    amount_minor: i64,
    reason: String,
    create_time: jiff_sqlx::Timestamp,
    succeed_time: Option<jiff_sqlx::Timestamp>,
}

/// The refunds of some orders, the oldest first.
pub(super) async fn of_orders(conn: &mut PgConnection, orders: &[Uuid]) -> Result<Vec<Row>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, order_id, payment_id, amount_minor, reason, create_time, succeed_time
         from refund where order_id = any($1) order by order_id, position",
        orders,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

impl Row {
    pub(super) fn read(self, money: impl Fn(i64) -> Money) -> Refund {
        Refund {
            id: RefundId::from_uuid(self.id),
            payment: PaymentId::from_uuid(self.payment_id),
            amount: money(self.amount_minor),
            reason: self.reason,
            state: match self.succeed_time {
                Some(time) => State::Succeeded { time: time.to_jiff() },
                None => State::Pending,
            },
            create_time: self.create_time.to_jiff(),
        }
    }
}

fn stored(state: &State) -> (&'static str, Option<Timestamp>) {
    match state {
        State::Pending => ("pending", None),
        State::Succeeded { time } => ("succeeded", Some(*time)),
    }
}
