//! Cards that are given back.

use jiff_sqlx::ToSqlx;
use kernel::{
    Currency, Money, Timestamp,
    ids::{CardId, CardLotId, CardRefundId, MemberId, OrderId},
};
use pg::{PgConnection, Result};

use super::super::money;
use crate::domain::stored_value::law::Ways;

/// Stores that a card was given back, and why.
#[tracing::instrument(name = "db.card_refund.insert", skip_all)]
pub async fn insert(
    conn: &mut PgConnection,
    now: Timestamp,
    id: CardRefundId,
    card: CardId,
    cause: &'static str,
) -> Result<()> {
    sqlx::query!(
        "insert into card_refund (id, card_id, cause, create_time) values ($1, $2, $3, $4)",
        id.uuid(),
        card.uuid(),
        cause,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores what a top-up has given back, with the quote as it was told, encoded.
#[tracing::instrument(name = "db.card_refund_part.insert", skip_all)]
pub async fn insert_part(
    conn: &mut PgConnection,
    id: CardRefundId,
    order: OrderId,
    ways: Ways,
    rules: &str,
    quote: &[u8],
) -> Result<()> {
    sqlx::query!(
        "insert into card_refund_part (refund_id, order_id, to_sources_minor, at_desk_minor, rules, quote)
         values ($1, $2, $3, $4, $5, $6)",
        id.uuid(),
        order.uuid(),
        ways.to_sources.minor(),
        ways.at_desk.minor(),
        rules,
        quote,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a top-up has given back before.
#[tracing::instrument(name = "db.card_refund_part.before", skip_all)]
pub async fn before(conn: &mut PgConnection, order: OrderId, currency: Currency) -> Result<Money> {
    let sum = sqlx::query_scalar!(
        r#"select coalesce(sum(to_sources_minor + at_desk_minor), 0)::bigint as "minor!" from card_refund_part
           where order_id = $1"#,
        order.uuid(),
    );
    Ok(Money::new(sum.fetch_one(conn).await?, currency))
}

/// Something that was paid from a lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// When.
    pub time: Timestamp,
    /// What was had.
    pub item: String,
    /// What the lot bore of it, and still does.
    pub price: Money,
    /// The same before the order's reductions.
    pub list_price: Money,
}

/// What was paid from a lot and has not come back, the oldest first.
#[tracing::instrument(name = "db.stored_value_share.paid", skip_all)]
pub async fn paid(conn: &mut PgConnection, lot: CardLotId, currency: Currency) -> Result<Vec<Paid>> {
    let rows = sqlx::query!(
        r#"select of.decide_time as "time!", share.principal_minor + share.bonus_minor - share.principal_returned_minor
                      - share.bonus_returned_minor as "minor!",
                  visit.total_minor, visit.discount_minor,
                  coalesce((select nullif(display_name, '') from order_line where order_id = visit.id
                            order by position limit 1), visit.subject_kind) as "item!"
           from stored_value_share as share
                join stored_value_spending as of on of.id = share.spending_id
                join customer_order as visit on visit.id = of.order_id
           where share.lot_id = $1 and of.state = 'spent'
             and share.principal_minor + share.bonus_minor > share.principal_returned_minor + share.bonus_returned_minor
           order by of.decide_time, of.id"#,
        lot.uuid(),
    );
    let money = money(currency);
    let rows = rows.fetch_all(conn).await?.into_iter().map(|row| {
        let total = i128::from(row.total_minor.max(1));
        let list = i128::from(row.minor) * (total + i128::from(row.discount_minor)) / total;
        // Rounded down, for the consumer; never below what was paid.
        let list = i64::try_from(list).unwrap_or(row.minor).max(row.minor);
        Paid { time: row.time.to_jiff(), item: row.item, price: money(row.minor), list_price: money(list) }
    });
    Ok(rows.collect())
}

/// Whether a customer had paid for a visit here before.
#[tracing::instrument(name = "db.customer_order.knew", skip_all)]
pub async fn knew(conn: &mut PgConnection, customer: MemberId, before: Timestamp) -> Result<bool> {
    let known = sqlx::query_scalar!(
        r#"select exists (select from payment join customer_order as visit on visit.id = payment.order_id
                          where visit.customer_id = $1 and visit.subject_kind = 'visit' and visit.state = 'paid'
                            and payment.state = 'captured' and payment.capture_time < $2) as "known!""#,
        customer.uuid(),
        before.to_sqlx() as _,
    );
    Ok(known.fetch_one(conn).await?)
}
