//! Coupons.

use kernel::{
    Timestamp, Uuid,
    ids::{CouponId, MemberId, QuoteId},
};
use pg::PgConnection;

use super::sql;
use crate::domain::coupon::{Coupon, State};

/// Stores a coupon that was just given, unless the member has one of that sort. Two who give it at once give it the same id,
/// and which index notices first is chance: so no index is named.
#[tracing::instrument(name = "db.coupon.insert", skip_all)]
pub async fn insert_if_new(conn: &mut PgConnection, coupon: &Coupon) -> pg::Result<()> {
    sqlx::query!(
        "insert into coupon (id, customer_id, code, basis_points, state, create_time, expire_time, version)
         values ($1, $2, $3, $4, 'AVAILABLE', $5, $6, $7)
         on conflict do nothing",
        coupon.id.uuid(),
        coupon.customer.uuid(),
        coupon.code,
        i32::try_from(coupon.basis_points).unwrap_or(i32::MAX),
        sql(coupon.create_time) as _,
        sql(coupon.expire_time) as _,
        coupon.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads a coupon.
#[tracing::instrument(name = "db.coupon.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: CouponId) -> pg::Result<Option<Coupon>> {
    let row = sqlx::query_as!(Row, "select * from coupon where id = $1", id.uuid()).fetch_optional(conn).await?;
    row.map(Coupon::try_from).transpose()
}

/// Reads a coupon and keeps others from changing it until the transaction ends.
#[tracing::instrument(name = "db.coupon.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, id: CouponId) -> pg::Result<Option<Coupon>> {
    let row =
        sqlx::query_as!(Row, "select * from coupon where id = $1 for update", id.uuid()).fetch_optional(conn).await?;
    row.map(Coupon::try_from).transpose()
}

/// Stores what a transition changed. The row must have been read by [`lock`] in this transaction.
#[tracing::instrument(name = "db.coupon.save", skip_all)]
pub async fn save(conn: &mut PgConnection, coupon: &Coupon) -> pg::Result<()> {
    let (word, quote, time) = match coupon.state {
        State::Available => ("AVAILABLE", None, None),
        State::Reserved { quote, time } => ("RESERVED", Some(quote), Some(time)),
        State::Redeemed { quote, time } => ("REDEEMED", Some(quote), Some(time)),
    };
    let saved = sqlx::query!(
        "update coupon set state = $2, quote_id = $3, use_time = $4, version = $5
         where id = $1 and version = $5::bigint - 1",
        coupon.id.uuid(),
        word,
        quote.map(QuoteId::uuid),
        time.map(sql) as _,
        coupon.version,
    )
    .execute(conn)
    .await?;
    if saved.rows_affected() != 1 {
        return Err(pg::Error::inconsistent("coupon", coupon.id, "changed although it was locked"));
    }
    Ok(())
}

/// A member's coupons, the newest first.
#[tracing::instrument(name = "db.coupon.list", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    customer: MemberId,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> pg::Result<Vec<Coupon>> {
    let (time, id) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select * from coupon
         where customer_id = $1 and ($2::timestamptz is null or (create_time, id) < ($2, $3::uuid))
         order by create_time desc, id desc limit $4",
        customer.uuid(),
        time.map(sql) as _,
        id,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Coupon::try_from).collect()
}

/// Coupons kept since `until` or longer for quotes of which no booking was heard, the longest first.
#[tracing::instrument(name = "db.coupon.forgotten", skip_all)]
pub async fn forgotten(conn: &mut PgConnection, until: Timestamp, limit: i64) -> pg::Result<Vec<QuoteId>> {
    let ids = sqlx::query_scalar!(
        "select quote.id from coupon join quote on quote.id = coupon.quote_id
         where coupon.state = 'RESERVED' and coupon.use_time <= $1 and quote.booking_id is null
         order by coupon.use_time limit $2",
        sql(until) as _,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(QuoteId::from_uuid).collect())
}

struct Row {
    id: Uuid,
    customer_id: Uuid,
    code: String,
    basis_points: i32,
    state: String,
    quote_id: Option<Uuid>,
    use_time: Option<jiff_sqlx::Timestamp>,
    create_time: jiff_sqlx::Timestamp,
    expire_time: jiff_sqlx::Timestamp,
    version: i64,
}

impl TryFrom<Row> for Coupon {
    type Error = pg::Error;

    fn try_from(row: Row) -> pg::Result<Self> {
        let quote = row.quote_id.map(QuoteId::from_uuid);
        let time = row.use_time.map(jiff_sqlx::Timestamp::to_jiff);
        let state = match (row.state.as_str(), quote, time) {
            ("AVAILABLE", None, None) => State::Available,
            ("RESERVED", Some(quote), Some(time)) => State::Reserved { quote, time },
            ("REDEEMED", Some(quote), Some(time)) => State::Redeemed { quote, time },
            _ => return Err(pg::Error::inconsistent("coupon", row.id, "state and use do not fit")),
        };
        Ok(Self {
            id: CouponId::from_uuid(row.id),
            customer: MemberId::from_uuid(row.customer_id),
            code: row.code,
            basis_points: u32::try_from(row.basis_points)
                .map_err(|_| pg::Error::inconsistent("coupon", row.id, "takes off less than nothing"))?,
            state,
            create_time: row.create_time.to_jiff(),
            expire_time: row.expire_time.to_jiff(),
            version: row.version,
        })
    }
}
