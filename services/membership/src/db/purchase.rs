//! What a member's orders count for.

use kernel::{
    Currency, Money, Timestamp, Uuid,
    ids::{MemberId, OrderId, StoreId},
};
use pg::PgConnection;

use super::{jiff, sql};
use crate::domain::points::Purchase;

/// Reads what an order counts for. The caller holds the member's lock.
#[tracing::instrument(name = "db.purchase.get", skip_all)]
pub async fn get(conn: &mut PgConnection, order: OrderId) -> pg::Result<Option<Purchase>> {
    let row = sqlx::query!(
        "select order_id, member_id, store_id, currency, total_minor, net_minor, order_version, points_rate,
                points_earned, points_revoked, pay_time
         from purchase where order_id = $1",
        order.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let currency = Currency::parse("currency", &row.currency)
        .map_err(|_| pg::Error::inconsistent("purchase", order, "unknown currency"))?;
    Ok(Some(Purchase {
        order,
        member: MemberId::from_uuid(row.member_id),
        store: StoreId::from_uuid(row.store_id),
        total: Money::new(row.total_minor, currency),
        net: Money::new(row.net_minor, currency),
        order_version: row.order_version,
        points_rate: row.points_rate,
        points_earned: row.points_earned,
        points_revoked: row.points_revoked,
        pay_time: jiff(row.pay_time),
    }))
}

/// Stores what an order counts for, new or changed.
#[tracing::instrument(name = "db.purchase.save", skip_all)]
pub async fn save(conn: &mut PgConnection, purchase: &Purchase) -> pg::Result<()> {
    let currency = purchase.total.currency();
    sqlx::query!(
        "insert into purchase (order_id, member_id, store_id, currency, total_minor, net_minor, order_version,
                               points_rate, points_earned, points_revoked, pay_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (order_id) do update
         set net_minor = excluded.net_minor, order_version = excluded.order_version,
             points_rate = excluded.points_rate, points_earned = excluded.points_earned,
             points_revoked = excluded.points_revoked, pay_time = excluded.pay_time",
        purchase.order.uuid(),
        purchase.member.uuid(),
        purchase.store.uuid(),
        currency.code(),
        purchase.total.minor(),
        purchase.net.minor(),
        purchase.order_version,
        purchase.points_rate,
        purchase.points_earned,
        purchase.points_revoked,
        purchase.pay_time.map(sql) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What each of these members spent in `currency` after `since`, refunds taken off at the time of the purchase. Members
/// who spent nothing are left out.
#[tracing::instrument(name = "db.purchase.spend", skip_all)]
pub async fn spend(
    conn: &mut PgConnection,
    members: &[Uuid],
    currency: Currency,
    since: Timestamp,
) -> pg::Result<Vec<(MemberId, i64)>> {
    let rows = sqlx::query!(
        r#"select member_id, sum(net_minor)::bigint as "spend!" from purchase
           where member_id = any($1) and currency = $2 and pay_time > $3 group by member_id"#,
        members,
        currency.code(),
        sql(since) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (MemberId::from_uuid(row.member_id), row.spend)).collect())
}
