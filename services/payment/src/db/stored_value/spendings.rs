//! What is paid with cards.

use jiff_sqlx::ToSqlx;
use kernel::{
    Currency, Uuid,
    ids::{CardId, CardLotId, OrderId, StoreId},
};
use pg::{Error, PgConnection, Result};

use super::super::money;
use crate::domain::stored_value::{Share, Spending, SpendingState, Value};

/// Stores a payment that was begun. `false` if there is one of that id; then nothing is stored.
#[tracing::instrument(name = "db.stored_value_spending.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, spending: &Spending) -> Result<bool> {
    let inserted = sqlx::query!(
        "insert into stored_value_spending (id, order_id, store_id, state, create_time, decide_time)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (id) do nothing",
        spending.id,
        spending.order.uuid(),
        spending.store.uuid(),
        spending.state.as_str(),
        spending.create_time.to_sqlx() as _,
        spending.state.decide_time().map(|time| time.to_sqlx()) as _,
    )
    .execute(&mut *conn)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    let (mut lots, mut principals, mut bonuses) = (Vec::new(), Vec::new(), Vec::new());
    for share in &spending.shares {
        lots.push(share.lot.uuid());
        principals.push(share.value.principal.minor());
        bonuses.push(share.value.bonus.minor());
    }
    sqlx::query!(
        "insert into stored_value_share (spending_id, position, lot_id, principal_minor, bonus_minor,
                                         principal_returned_minor, bonus_returned_minor)
         select $1, of.position - 1, of.lot, of.principal, of.bonus, 0, 0
         from unnest($2::uuid[], $3::bigint[], $4::bigint[]) with ordinality as of (lot, principal, bonus, position)",
        spending.id,
        &lots,
        &principals,
        &bonuses,
    )
    .execute(conn)
    .await?;
    Ok(true)
}

/// On which card the lots of a payment are now. `None` if there is no such payment.
pub(super) async fn card_of(conn: &mut PgConnection, id: Uuid) -> Result<Option<CardId>> {
    let card = sqlx::query_scalar!(
        "select lot.card_id from stored_value_share as share join stored_value_lot as lot on lot.id = share.lot_id
         where share.spending_id = $1 and share.position = 0",
        id,
    );
    Ok(card.fetch_optional(conn).await?.map(CardId::from_uuid))
}

/// Reads a payment; `currency` is its card's. `None` if there is none of that id.
pub(super) async fn get(conn: &mut PgConnection, id: Uuid, currency: Currency) -> Result<Option<Spending>> {
    let row = sqlx::query!(
        "select order_id, store_id, state, create_time, decide_time
         from stored_value_spending where id = $1",
        id,
    );
    let Some(row) = row.fetch_optional(&mut *conn).await? else { return Ok(None) };
    let rows = sqlx::query!(
        "select lot_id, principal_minor, bonus_minor, principal_returned_minor, bonus_returned_minor
         from stored_value_share where spending_id = $1 order by position",
        id,
    );
    let money = money(currency);
    let shares = rows.fetch_all(conn).await?.into_iter().map(|row| Share {
        lot: CardLotId::from_uuid(row.lot_id),
        value: Value { principal: money(row.principal_minor), bonus: money(row.bonus_minor) },
        returned: Value { principal: money(row.principal_returned_minor), bonus: money(row.bonus_returned_minor) },
    });
    let decide_time = row.decide_time.map(jiff_sqlx::Timestamp::to_jiff);
    let state = SpendingState::from_stored(&row.state, decide_time);
    let unknown = || Error::inconsistent("stored_value_spending", id, format!("is {}", row.state));
    Ok(Some(Spending {
        id,
        order: OrderId::from_uuid(row.order_id),
        store: StoreId::from_uuid(row.store_id),
        shares: shares.collect(),
        state: state.ok_or_else(unknown)?,
        create_time: row.create_time.to_jiff(),
    }))
}

/// Stores how a payment was decided.
#[tracing::instrument(name = "db.stored_value_spending.decide", skip_all)]
pub async fn decide(conn: &mut PgConnection, spending: &Spending) -> Result<()> {
    sqlx::query!(
        "update stored_value_spending set state = $2, decide_time = $3 where id = $1",
        spending.id,
        spending.state.as_str(),
        spending.state.decide_time().map(|time| time.to_sqlx()) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores what has come back of a payment.
#[tracing::instrument(name = "db.stored_value_share.note_returned", skip_all)]
pub async fn note_returned(conn: &mut PgConnection, spending: &Spending) -> Result<()> {
    for share in &spending.shares {
        sqlx::query!(
            "update stored_value_share set principal_returned_minor = $3, bonus_returned_minor = $4
             where spending_id = $1 and lot_id = $2 and (principal_returned_minor, bonus_returned_minor) <> ($3, $4)",
            spending.id,
            share.lot.uuid(),
            share.returned.principal.minor(),
            share.returned.bonus.minor(),
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}
