//! Points that pay a part of an order. All changes are made under the member's lock.

use kernel::{
    Currency, Money, Timestamp, Uuid,
    ids::{MemberId, OrderId, PointsLotId, PointsRedemptionId},
};
use pg::PgConnection;

use super::sql;
use crate::domain::{
    points::Lot,
    redemption::{Redemption, Share, State},
};

/// Reads a redemption.
#[tracing::instrument(name = "db.points_redemption.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: PointsRedemptionId) -> pg::Result<Option<Redemption>> {
    let row = sqlx::query_as!(
        Row,
        "select id, member_id, order_id, points, currency, worth_minor, returned, returned_minor, state, create_time,
                expire_time
         from points_redemption where id = $1",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::read).transpose()
}

/// Stores a new redemption. False if there is one of that id, of another member then.
#[tracing::instrument(name = "db.points_redemption.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, of: &Redemption) -> pg::Result<bool> {
    let currency = of.worth.currency();
    let decided = (of.state != State::Reserved).then(|| sql(of.create_time));
    let done = sqlx::query!(
        "insert into points_redemption (id, member_id, order_id, points, currency, worth_minor, state, create_time,
                                        expire_time, decide_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (id) do nothing",
        of.id.uuid(),
        of.member.uuid(),
        of.order.uuid(),
        of.points,
        currency.code(),
        of.worth.minor(),
        of.state.as_str(),
        sql(of.create_time) as _,
        sql(of.expire_time) as _,
        decided as _,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Stores what was decided.
#[tracing::instrument(name = "db.points_redemption.decide", skip_all)]
pub async fn decide(conn: &mut PgConnection, of: &Redemption, now: Timestamp) -> pg::Result<()> {
    sqlx::query!(
        "update points_redemption set state = $2, decide_time = $3 where id = $1",
        of.id.uuid(),
        of.state.as_str(),
        sql(now) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What of an order is paid by points, or shall be, in `currency`; what was given back is not.
#[tracing::instrument(name = "db.points_redemption.paid_of", skip_all)]
pub async fn paid_of(conn: &mut PgConnection, order: OrderId, currency: Currency) -> pg::Result<Money> {
    let minor = sqlx::query_scalar!(
        r#"select coalesce(sum(worth_minor - returned_minor), 0)::bigint as "sum!" from points_redemption
           where order_id = $1 and currency = $2 and state in ('RESERVED', 'COMMITTED')"#,
        order.uuid(),
        currency.code(),
    )
    .fetch_one(conn)
    .await?;
    Ok(Money::new(minor, currency))
}

/// Sets points of lots aside for a redemption.
#[tracing::instrument(name = "db.points_redemption.reserve", skip_all)]
pub async fn reserve(conn: &mut PgConnection, id: PointsRedemptionId, taken: &[(PointsLotId, i64)]) -> pg::Result<()> {
    let (lots, points): (Vec<Uuid>, Vec<i64>) = taken.iter().map(|(lot, points)| (lot.uuid(), *points)).unzip();
    sqlx::query!(
        "with taken as (select * from unnest($2::uuid[], $3::bigint[]) as taken (lot_id, points)),
              lot as (
                  update points_lot set remaining = remaining - taken.points, reserved = reserved + taken.points
                  from taken where points_lot.id = taken.lot_id
              )
         insert into points_redemption_share (redemption_id, lot_id, points) select $1, lot_id, points from taken",
        id.uuid(),
        &lots,
        &points,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The lots of a member of which points can be spent at `now`, those that end first before others.
#[tracing::instrument(name = "db.points_lot.spendable", skip_all)]
pub async fn open_lots(conn: &mut PgConnection, member: MemberId, now: Timestamp) -> pg::Result<Vec<Lot>> {
    let rows = sqlx::query!(
        "select id, remaining, expired from points_lot where member_id = $1 and remaining > 0 and expire_time > $2
         order by expire_time, id",
        member.uuid(),
        sql(now) as _,
    )
    .fetch_all(conn)
    .await?;
    let lot = |id, remaining, expired| Lot { id: PointsLotId::from_uuid(id), remaining, expired };
    Ok(rows.into_iter().map(|row| lot(row.id, row.remaining, row.expired)).collect())
}

/// What was set aside for a redemption is spent.
#[tracing::instrument(name = "db.points_redemption.spend", skip_all)]
pub async fn spend(conn: &mut PgConnection, id: PointsRedemptionId) -> pg::Result<()> {
    sqlx::query!(
        "update points_lot set reserved = reserved - share.points, spent = spent + share.points
         from points_redemption_share as share where share.redemption_id = $1 and points_lot.id = share.lot_id",
        id.uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What was set aside for a redemption can be spent otherwise.
#[tracing::instrument(name = "db.points_redemption.free", skip_all)]
pub async fn free(conn: &mut PgConnection, id: PointsRedemptionId) -> pg::Result<()> {
    sqlx::query!(
        "update points_lot set reserved = reserved - share.points, remaining = remaining + share.points
         from points_redemption_share as share where share.redemption_id = $1 and points_lot.id = share.lot_id",
        id.uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// From which lots a redemption took its points, those that end first before others.
#[tracing::instrument(name = "db.points_redemption.shares", skip_all)]
pub async fn shares(conn: &mut PgConnection, id: PointsRedemptionId) -> pg::Result<Vec<Share>> {
    let rows = sqlx::query!(
        "select share.lot_id, share.points, share.returned, lot.order_id
         from points_redemption_share as share join points_lot as lot on lot.id = share.lot_id
         where share.redemption_id = $1 order by lot.expire_time, lot.id",
        id.uuid(),
    )
    .fetch_all(conn)
    .await?;
    let share = |lot, earned_by, points, returned| Share {
        lot: PointsLotId::from_uuid(lot),
        earned_by: OrderId::from_uuid(earned_by),
        points,
        returned,
    };
    Ok(rows.into_iter().map(|row| share(row.lot_id, row.order_id, row.points, row.returned)).collect())
}

/// A lot gets points back that a redemption took from it, and lives until `at_least`. Returns when it ends.
#[tracing::instrument(name = "db.points_redemption.give_back", skip_all)]
pub async fn give_back(
    conn: &mut PgConnection,
    id: PointsRedemptionId,
    lot: PointsLotId,
    points: i64,
    at_least: Timestamp,
) -> pg::Result<Timestamp> {
    let row = sqlx::query!(
        "with share as (
             update points_redemption_share set returned = returned + $3 where redemption_id = $1 and lot_id = $2
         )
         update points_lot set spent = spent - $3, remaining = remaining + $3, expire_time = greatest(expire_time, $4)
         where id = $2 returning expire_time",
        id.uuid(),
        lot.uuid(),
        points,
        sql(at_least) as _,
    )
    .fetch_one(conn)
    .await?;
    Ok(row.expire_time.to_jiff())
}

/// What was given back under an id: of which redemption, and how much of its worth.
#[tracing::instrument(name = "db.points_return.get", skip_all)]
pub async fn returned(conn: &mut PgConnection, id: Uuid) -> pg::Result<Option<(PointsRedemptionId, i64)>> {
    let row = sqlx::query!("select redemption_id, amount_minor from points_return where id = $1", id)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| (PointsRedemptionId::from_uuid(row.redemption_id), row.amount_minor)))
}

/// Notes that something was given back of a redemption. False if there is a return of that id, of another member then.
#[tracing::instrument(name = "db.points_return.insert", skip_all)]
pub async fn note_return(
    conn: &mut PgConnection,
    id: Uuid,
    of: &Redemption,
    amount: Money,
    points: i64,
    now: Timestamp,
) -> pg::Result<bool> {
    let done = sqlx::query!(
        "with redemption as (
             update points_redemption set returned = $6, returned_minor = $7 where id = $2
         )
         insert into points_return (id, redemption_id, amount_minor, points, create_time) values ($1, $2, $3, $4, $5)
         on conflict (id) do nothing",
        id,
        of.id.uuid(),
        amount.minor(),
        points,
        sql(now) as _,
        of.returned,
        of.returned_worth.minor(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Redemptions that nobody has decided by their time, the oldest first, each with its member.
#[tracing::instrument(name = "db.points_redemption.due", skip_all)]
pub async fn due(
    conn: &mut PgConnection,
    now: Timestamp,
    limit: i64,
) -> pg::Result<Vec<(PointsRedemptionId, MemberId)>> {
    let rows = sqlx::query!(
        "select id, member_id from points_redemption where state = 'RESERVED' and expire_time <= $1
         order by expire_time limit $2",
        sql(now) as _,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let ids = |id, member| (PointsRedemptionId::from_uuid(id), MemberId::from_uuid(member));
    Ok(rows.into_iter().map(|row| ids(row.id, row.member_id)).collect())
}

struct Row {
    id: Uuid,
    member_id: Uuid,
    order_id: Uuid,
    points: i64,
    currency: String,
    worth_minor: i64,
    returned: i64,
    returned_minor: i64,
    state: String,
    create_time: jiff_sqlx::Timestamp,
    expire_time: jiff_sqlx::Timestamp,
}

impl Row {
    fn read(self) -> pg::Result<Redemption> {
        let unfit = |what| pg::Error::inconsistent("points_redemption", self.id, what);
        let currency = Currency::parse("currency", &self.currency).map_err(|_| unfit("unknown currency"))?;
        Ok(Redemption {
            id: PointsRedemptionId::from_uuid(self.id),
            member: MemberId::from_uuid(self.member_id),
            order: OrderId::from_uuid(self.order_id),
            points: self.points,
            worth: Money::new(self.worth_minor, currency),
            returned: self.returned,
            returned_worth: Money::new(self.returned_minor, currency),
            state: State::parse(&self.state).ok_or_else(|| unfit("unknown state"))?,
            create_time: self.create_time.to_jiff(),
            expire_time: self.expire_time.to_jiff(),
        })
    }
}
