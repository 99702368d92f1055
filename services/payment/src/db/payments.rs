//! Attempts to pay.

use jiff_sqlx::ToSqlx;
use kernel::{
    Money, Timestamp, Uuid,
    ids::{CheckoutId, ItemId, OrderId, PaymentId},
};
use pg::{Error, PgConnection, Result};

use super::action;
use crate::domain::{Charge, Checkout, Payment, Purpose, Tender, payment::State};

/// Stores a new attempt, the one at `position` among those of its order. The worker asks about it when it is due: see [`claim_queries`].
#[tracing::instrument(name = "db.payment.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, order: OrderId, position: i32, payment: &Payment) -> Result<()> {
    let stored = StoredState::of(&payment.state);
    sqlx::query!(
        "insert into payment (id, order_id, purpose, tender, amount_minor, state, failure_reason, capture_time, surplus,
                              create_time, next_query_time, position, checkout_id, source_id, item_id, reference)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $13, $14, $15)",
        payment.id.uuid(),
        order.uuid(),
        payment.purpose.as_str(),
        payment.tender.as_str(),
        payment.amount.minor(),
        stored.word,
        stored.failure_reason,
        stored.capture_time.map(|time| time.to_sqlx()) as _,
        stored.surplus,
        payment.create_time.to_sqlx() as _,
        position,
        payment.checkout.map(|checkout| checkout.id.uuid()),
        payment.tender.source(),
        payment.tender.item().map(ItemId::uuid),
        payment.reference,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores an attempt's charge and state.
#[tracing::instrument(name = "db.payment.update", skip_all)]
pub async fn update(conn: &mut PgConnection, payment: &Payment) -> Result<()> {
    let stored = StoredState::of(&payment.state);
    let charge = payment.charge.as_ref();
    sqlx::query!(
        "update payment
         set state = $2, failure_reason = $3, capture_time = $4, surplus = $5, charge_id = $6, pay_action = $7,
             pay_uri = $8
         where id = $1",
        payment.id.uuid(),
        stored.word,
        stored.failure_reason,
        stored.capture_time.map(|time| time.to_sqlx()) as _,
        stored.surplus,
        charge.map(|charge| charge.id.as_str()),
        charge.map(|charge| action::word(&charge.action)),
        charge.map(|charge| action::text(&charge.action)),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The order of a payment. `None` if there is no such payment.
#[tracing::instrument(name = "db.payment.order_of", skip_all)]
pub async fn order_of(conn: &mut PgConnection, id: PaymentId) -> Result<Option<OrderId>> {
    let order =
        sqlx::query_scalar!("select order_id from payment where id = $1", id.uuid()).fetch_optional(conn).await?;
    Ok(order.map(OrderId::from_uuid))
}

/// Notes the provider's own id of the money's way. What is known stays.
#[tracing::instrument(name = "db.payment.note_transaction", skip_all)]
pub async fn note_transaction(conn: &mut PgConnection, id: PaymentId, transaction: &str) -> Result<()> {
    sqlx::query!(
        "update payment set transaction_id = $2 where id = $1 and transaction_id is null",
        id.uuid(),
        transaction,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A pending payment that the provider shall be asked about.
#[derive(Debug, Clone)]
pub struct Query {
    /// Which.
    pub payment: PaymentId,
    /// The order that it pays.
    pub order: OrderId,
    /// The way it is paid, which tells whom to ask.
    pub tender: Tender,
    /// When it was started.
    pub create_time: Timestamp,
    /// How often the provider was asked before.
    pub asked: u32,
}

/// Takes pending payments that are due to be asked about and were started at `started_before` or earlier. No other
/// worker gets them before `lease_until`.
#[tracing::instrument(name = "db.payment.claim_queries", skip_all)]
pub async fn claim_queries(
    conn: &mut PgConnection,
    now: Timestamp,
    started_before: Timestamp,
    lease_until: Timestamp,
    limit: i64,
) -> Result<Vec<Query>> {
    let rows = sqlx::query!(
        "update payment
         set next_query_time = $3, query_count = query_count + 1
         where id in (select id from payment
                      where state = 'pending' and next_query_time <= $1 and create_time <= $2
                      order by next_query_time limit $4 for update skip locked)
         returning id, order_id, tender, create_time, query_count",
        now.to_sqlx() as _,
        started_before.to_sqlx() as _,
        lease_until.to_sqlx() as _,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let unfit = || Error::inconsistent("payment", row.id, "has an unknown tender");
            Ok(Query {
                payment: PaymentId::from_uuid(row.id),
                order: OrderId::from_uuid(row.order_id),
                tender: Tender::from_stored(&row.tender, None, None).ok_or_else(unfit)?,
                create_time: row.create_time.to_jiff(),
                asked: u32::try_from(row.query_count).unwrap_or(0).saturating_sub(1),
            })
        })
        .collect()
}

/// Puts off the next question about a payment.
#[tracing::instrument(name = "db.payment.query_again", skip_all)]
pub async fn query_again(conn: &mut PgConnection, id: PaymentId, at: Timestamp) -> Result<()> {
    sqlx::query!(
        "update payment set next_query_time = $2 where id = $1 and state = 'pending'",
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
    purpose: String,
    tender: String,
    amount_minor: i64,
    state: String,
    failure_reason: Option<String>,
    capture_time: Option<jiff_sqlx::Timestamp>,
    surplus: bool,
    charge_id: Option<String>,
    pay_action: Option<String>,
    pay_uri: Option<String>,
    create_time: jiff_sqlx::Timestamp,
    checkout_id: Option<Uuid>,
    expire_time: Option<jiff_sqlx::Timestamp>,
    source_id: Option<Uuid>,
    item_id: Option<Uuid>,
    reference: String,
}

/// The payments of some orders, the oldest first.
pub(super) async fn of_orders(conn: &mut PgConnection, orders: &[Uuid]) -> Result<Vec<Row>> {
    let rows = sqlx::query_as!(
        Row,
        "select payment.id, payment.order_id, purpose, tender, amount_minor, payment.state, failure_reason, capture_time,
                surplus, charge_id, pay_action, pay_uri, payment.create_time, checkout_id,
                checkout.expire_time as \"expire_time?\", source_id, item_id, reference
         from payment left join checkout on checkout.id = payment.checkout_id
         where payment.order_id = any($1) order by payment.order_id, position",
        orders,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

impl Row {
    pub(super) fn read(self, money: impl Fn(i64) -> Money) -> Result<Payment> {
        let unfit = |what| Error::inconsistent("payment", self.id, what);
        let state = match (self.state.as_str(), self.failure_reason, self.capture_time) {
            ("pending", None, None) => State::Pending,
            ("reserved", None, None) => State::Reserved,
            ("captured", None, Some(time)) => State::Captured { time: time.to_jiff(), surplus: self.surplus },
            ("failed", Some(reason), None) => State::Failed { reason },
            _ => return Err(unfit("has an impossible state")),
        };
        let charge = match (self.charge_id, self.pay_action, self.pay_uri) {
            (Some(id), Some(word), Some(text)) => {
                let action = action::read(&word, text).ok_or_else(|| unfit("has an unreadable action"))?;
                Some(Charge { id, action })
            }
            _ => None,
        };
        let checkout = self
            .checkout_id
            .zip(self.expire_time)
            .map(|(id, expire_time)| Checkout { id: CheckoutId::from_uuid(id), expire_time: expire_time.to_jiff() });
        Ok(Payment {
            id: PaymentId::from_uuid(self.id),
            purpose: Purpose::from_stored(&self.purpose).ok_or_else(|| unfit("has an unknown purpose"))?,
            tender: Tender::from_stored(&self.tender, self.source_id, self.item_id)
                .ok_or_else(|| unfit("has an unknown tender"))?,
            amount: money(self.amount_minor),
            state,
            charge,
            create_time: self.create_time.to_jiff(),
            checkout,
            reference: self.reference,
        })
    }
}

/// A state as its columns.
struct StoredState<'a> {
    word: &'static str,
    failure_reason: Option<&'a str>,
    capture_time: Option<Timestamp>,
    surplus: bool,
}

impl<'a> StoredState<'a> {
    fn of(state: &'a State) -> Self {
        let pending = Self { word: "pending", failure_reason: None, capture_time: None, surplus: false };
        match state {
            State::Pending => pending,
            State::Reserved => Self { word: "reserved", ..pending },
            State::Captured { time, surplus } => {
                Self { word: "captured", capture_time: Some(*time), surplus: *surplus, ..pending }
            }
            State::Failed { reason } => Self { word: "failed", failure_reason: Some(reason), ..pending },
        }
    }
}
