//! Cash coupons and what they pay. All changes are made under the coupon's lock.

use kernel::{
    Money, Timestamp, Uuid,
    ids::{CouponId, CouponRedemptionId, MemberId, OrderId},
};
use pg::PgConnection;

use super::{currency, sql};
use crate::domain::cash_coupon::{CashCoupon, Fate, Redemption, State};

/// Stores a coupon that was just given.
#[tracing::instrument(name = "db.cash_coupon.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, coupon: &CashCoupon) -> pg::Result<()> {
    let currency = coupon.amount.currency();
    sqlx::query!(
        "insert into cash_coupon (id, customer_id, currency, amount_minor, min_spend_minor, reason, state, create_time,
                                  expire_time, version)
         values ($1, $2, $3, $4, $5, $6, 'AVAILABLE', $7, $8, $9)",
        coupon.id.uuid(),
        coupon.customer.uuid(),
        currency.code(),
        coupon.amount.minor(),
        coupon.min_spend.minor(),
        coupon.reason,
        sql(coupon.create_time) as _,
        sql(coupon.expire_time) as _,
        coupon.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads a coupon and keeps others from changing it until the transaction ends.
#[tracing::instrument(name = "db.cash_coupon.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, id: CouponId) -> pg::Result<Option<CashCoupon>> {
    let row = sqlx::query_as!(Row, "select * from cash_coupon where id = $1 for update", id.uuid())
        .fetch_optional(conn)
        .await?;
    row.map(Row::read).transpose()
}

/// Stores what a transition changed. The row must have been read by [`lock`] in this transaction.
#[tracing::instrument(name = "db.cash_coupon.save", skip_all)]
pub async fn save(conn: &mut PgConnection, coupon: &CashCoupon) -> pg::Result<()> {
    let (word, redemption) = match coupon.state {
        State::Available => ("AVAILABLE", None),
        State::Reserved(id) => ("RESERVED", Some(id)),
        State::Redeemed(id) => ("REDEEMED", Some(id)),
    };
    let saved = sqlx::query!(
        "update cash_coupon set state = $2, redemption_id = $3, expire_time = $4, version = $5
         where id = $1 and version = $5::bigint - 1",
        coupon.id.uuid(),
        word,
        redemption.map(CouponRedemptionId::uuid),
        sql(coupon.expire_time) as _,
        coupon.version,
    )
    .execute(conn)
    .await?;
    if saved.rows_affected() != 1 {
        return Err(pg::Error::inconsistent("cash_coupon", coupon.id, "changed although it was locked"));
    }
    Ok(())
}

/// A member's coupons, the newest first.
#[tracing::instrument(name = "db.cash_coupon.list", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    customer: MemberId,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> pg::Result<Vec<CashCoupon>> {
    let (time, id) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select * from cash_coupon
         where customer_id = $1 and ($2::timestamptz is null or (create_time, id) < ($2, $3::uuid))
         order by create_time desc, id desc limit $4",
        customer.uuid(),
        time.map(sql) as _,
        id,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Reads a redemption.
#[tracing::instrument(name = "db.coupon_redemption.get", skip_all)]
pub async fn redemption(conn: &mut PgConnection, id: CouponRedemptionId) -> pg::Result<Option<Redemption>> {
    let row = sqlx::query!(
        "select of.coupon_id, of.order_id, of.amount_minor, coupon.currency, of.state, of.create_time, of.expire_time
         from coupon_redemption as of join cash_coupon as coupon on coupon.id = of.coupon_id where of.id = $1",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let currency = currency("cash_coupon", row.coupon_id, &row.currency)?;
    Ok(Some(Redemption {
        id,
        coupon: CouponId::from_uuid(row.coupon_id),
        order: OrderId::from_uuid(row.order_id),
        amount: Money::new(row.amount_minor, currency),
        state: Fate::parse(&row.state)
            .ok_or_else(|| pg::Error::inconsistent("coupon_redemption", id, "unknown state"))?,
        create_time: row.create_time.to_jiff(),
        expire_time: row.expire_time.to_jiff(),
    }))
}

/// Stores a new redemption. False if there is one of that id, of another coupon then.
#[tracing::instrument(name = "db.coupon_redemption.insert", skip_all)]
pub async fn insert_redemption(conn: &mut PgConnection, of: &Redemption) -> pg::Result<bool> {
    let decided = (of.state != Fate::Reserved).then(|| sql(of.create_time));
    let done = sqlx::query!(
        "insert into coupon_redemption (id, coupon_id, order_id, amount_minor, state, create_time, expire_time, decide_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing",
        of.id.uuid(),
        of.coupon.uuid(),
        of.order.uuid(),
        of.amount.minor(),
        of.state.as_str(),
        sql(of.create_time) as _,
        sql(of.expire_time) as _,
        decided as _,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Stores what became of a redemption.
#[tracing::instrument(name = "db.coupon_redemption.decide", skip_all)]
pub async fn decide(conn: &mut PgConnection, of: &Redemption, now: Timestamp) -> pg::Result<()> {
    sqlx::query!(
        "update coupon_redemption set state = $2, decide_time = $3 where id = $1",
        of.id.uuid(),
        of.state.as_str(),
        sql(now) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Redemptions that nobody has decided by their time, the oldest first.
#[tracing::instrument(name = "db.coupon_redemption.due", skip_all)]
pub async fn due(conn: &mut PgConnection, now: Timestamp, limit: i64) -> pg::Result<Vec<CouponRedemptionId>> {
    let ids = sqlx::query_scalar!(
        "select id from coupon_redemption where state = 'RESERVED' and expire_time <= $1 order by expire_time limit $2",
        sql(now) as _,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(CouponRedemptionId::from_uuid).collect())
}

struct Row {
    id: Uuid,
    customer_id: Uuid,
    currency: String,
    amount_minor: i64,
    min_spend_minor: i64,
    reason: String,
    state: String,
    redemption_id: Option<Uuid>,
    create_time: jiff_sqlx::Timestamp,
    expire_time: jiff_sqlx::Timestamp,
    version: i64,
}

impl Row {
    fn read(self) -> pg::Result<CashCoupon> {
        let currency = currency("cash_coupon", self.id, &self.currency)?;
        let redemption = self.redemption_id.map(CouponRedemptionId::from_uuid);
        let state = match (self.state.as_str(), redemption) {
            ("AVAILABLE", None) => State::Available,
            ("RESERVED", Some(id)) => State::Reserved(id),
            ("REDEEMED", Some(id)) => State::Redeemed(id),
            _ => return Err(pg::Error::inconsistent("cash_coupon", self.id, "state and use do not fit")),
        };
        Ok(CashCoupon {
            id: CouponId::from_uuid(self.id),
            customer: MemberId::from_uuid(self.customer_id),
            amount: Money::new(self.amount_minor, currency),
            min_spend: Money::new(self.min_spend_minor, currency),
            reason: self.reason,
            state,
            create_time: self.create_time.to_jiff(),
            expire_time: self.expire_time.to_jiff(),
            version: self.version,
        })
    }
}
