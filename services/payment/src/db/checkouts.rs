//! Payments that come to pass together.

use jiff_sqlx::ToSqlx;
use kernel::{
    Error as Refusal, ErrorKind, Timestamp,
    ids::{CheckoutId, OrderId},
};
use pg::{PgConnection, Result};

use crate::domain::{Checkout, CheckoutState, Order};

/// Stores the checkouts that an order has more than before, ahead of their payments.
///
/// # Errors
/// `CHECKOUT_EXISTS` (`AlreadyExists`) if another order has one of that id; then nothing must be committed.
pub(super) async fn insert_new(conn: &mut PgConnection, before: &Order, after: &Order) -> Result<()> {
    for (checkout, state) in of(after) {
        if before.checkout_state(checkout.id).is_none() {
            insert(conn, after, checkout, state).await?;
        }
    }
    Ok(())
}

/// Stores what became of those that the order had before.
pub(super) async fn update(conn: &mut PgConnection, before: &Order, after: &Order) -> Result<()> {
    for (checkout, state) in of(after) {
        if before.checkout_state(checkout.id).is_some_and(|known| known != state) {
            sqlx::query!("update checkout set state = $2 where id = $1", checkout.id.uuid(), state.as_str())
                .execute(&mut *conn)
                .await?;
        }
    }
    Ok(())
}

#[tracing::instrument(name = "db.checkout.insert", skip_all)]
async fn insert(conn: &mut PgConnection, order: &Order, checkout: Checkout, state: CheckoutState) -> Result<()> {
    let started = order.together(checkout.id).next().map_or(order.create_time, |payment| payment.create_time);
    let inserted = sqlx::query!(
        "insert into checkout (id, order_id, state, create_time, expire_time) values ($1, $2, $3, $4, $5)
         on conflict (id) do nothing",
        checkout.id.uuid(),
        order.id.uuid(),
        state.as_str(),
        started.to_sqlx() as _,
        checkout.expire_time.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    if inserted.rows_affected() == 0 {
        return Err(Refusal::new(ErrorKind::AlreadyExists, "CHECKOUT_EXISTS", "another order has this checkout").into());
    }
    Ok(())
}

/// The checkouts of an order, each once.
fn of(order: &Order) -> Vec<(Checkout, CheckoutState)> {
    let mut checkouts: Vec<Checkout> = order.payments.iter().filter_map(|payment| payment.checkout).collect();
    checkouts.dedup();
    let state = |checkout: Checkout| order.checkout_state(checkout.id).map(|state| (checkout, state));
    checkouts.into_iter().filter_map(state).collect()
}

/// The order of a checkout. `None` if there is no such checkout.
#[tracing::instrument(name = "db.checkout.order_of", skip_all)]
pub async fn order_of(conn: &mut PgConnection, id: CheckoutId) -> Result<Option<OrderId>> {
    let order =
        sqlx::query_scalar!("select order_id from checkout where id = $1", id.uuid()).fetch_optional(conn).await?;
    Ok(order.map(OrderId::from_uuid))
}

/// Open checkouts whose time is over, the oldest first, `limit` at most.
#[tracing::instrument(name = "db.checkout.due", skip_all)]
pub async fn due(conn: &mut PgConnection, now: Timestamp, limit: i64) -> Result<Vec<(CheckoutId, OrderId)>> {
    let rows = sqlx::query!(
        "select id, order_id from checkout where state = 'open' and expire_time <= $1
         order by expire_time, id limit $2",
        now.to_sqlx() as _,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (CheckoutId::from_uuid(row.id), OrderId::from_uuid(row.order_id))).collect())
}
