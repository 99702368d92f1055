//! Cash drawers, what came and went in them, and what holds at the desks.

mod desk;
mod movements;

pub use desk::{DeskPolicy, lock_desk, policy, set_policy};
pub use movements::{Counted, Total, counts, insert_count, insert_movements, moved, totals};

use jiff_sqlx::ToSqlx;
use kernel::{
    Currency, Error as Refusal, Money, Timestamp, Uuid,
    ids::{DrawerId, StoreId},
};
use pg::{Error, PgConnection, Result};

use super::{currency, ledger, money};
use crate::domain::{
    drawer::{Closing, Drawer, State},
    ledger::Account,
};

/// Stores a drawer that was opened.
///
/// # Errors
/// `DRAWER_OPEN` if the till has an open one.
#[tracing::instrument(name = "db.drawer.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, drawer: &Drawer) -> Result<()> {
    let currency = drawer.currency();
    let inserted = sqlx::query!(
        "insert into drawer (id, store_id, till, currency, state, opened_by, open_time, carried_in_minor, loose_in_minor,
                             float_minor, number)
         values ($1, $2, $3, $4, 'open', $5, $6, $7, $8, $9, $10)",
        drawer.id.uuid(),
        drawer.store.uuid(),
        drawer.till,
        currency.code(),
        drawer.opened_by,
        drawer.open_time.to_sqlx() as _,
        drawer.carried_in.minor(),
        drawer.loose_in.minor(),
        drawer.float.minor(),
        drawer.number,
    )
    .execute(conn)
    .await;
    match inserted.map_err(Error::from) {
        Err(error) if error.is_constraint("drawer_one_open") => {
            Err(Refusal::precondition("DRAWER_OPEN", "the till has an open drawer; close it first").into())
        }
        inserted => inserted.map(|_| ()),
    }
}

/// Stores the end of a drawer that the caller has locked.
#[tracing::instrument(name = "db.drawer.close", skip_all)]
pub async fn close(conn: &mut PgConnection, id: DrawerId, closing: &Closing) -> Result<()> {
    sqlx::query!(
        "update drawer
         set state = 'closed', closed_by = $2, close_time = $3, expected_minor = $4, counted_minor = $5, carried_minor = $6,
             reason = $7
         where id = $1",
        id.uuid(),
        closing.by,
        closing.time.to_sqlx() as _,
        closing.expected.minor(),
        closing.counted.minor(),
        closing.carried.minor(),
        closing.reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The open drawer of a store that takes what `actor` takes: their own, else the one that was opened first. It can't be
/// closed before the caller's transaction ends. `None` if none is open in that currency.
#[tracing::instrument(name = "db.drawer.hold_open", skip_all)]
pub async fn hold_open(
    conn: &mut PgConnection,
    store: StoreId,
    currency: Currency,
    actor: &str,
) -> Result<Option<DrawerId>> {
    let id = sqlx::query_scalar!(
        "select id from drawer where store_id = $1 and currency = $2 and state = 'open'
         order by (opened_by = $3) desc, open_time, id limit 1 for share",
        store.uuid(),
        currency.code(),
        actor,
    );
    Ok(id.fetch_optional(conn).await?.map(DrawerId::from_uuid))
}

/// Waits until nothing is on its way into the open drawers of a store, and lets nothing more in.
#[tracing::instrument(name = "db.drawer.hold_still", skip_all)]
pub async fn hold_still(conn: &mut PgConnection, store: StoreId) -> Result<()> {
    sqlx::query!("select id from drawer where store_id = $1 and state = 'open' order by id for update", store.uuid())
        .fetch_all(conn)
        .await?;
    Ok(())
}

/// Locks a drawer, waiting until nothing is on its way into it; then reads it. `None` if there is none of that id.
#[tracing::instrument(name = "db.drawer.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, id: DrawerId) -> Result<Option<Drawer>> {
    sqlx::query!("select id from drawer where id = $1 for update", id.uuid()).fetch_optional(&mut *conn).await?;
    get(conn, id).await
}

/// Reads a drawer. `None` if there is none of that id.
#[tracing::instrument(name = "db.drawer.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: DrawerId) -> Result<Option<Drawer>> {
    let row = sqlx::query_as!(
        Row,
        "select id, store_id, till, number, currency, opened_by, open_time, carried_in_minor, loose_in_minor, float_minor,
                closed_by, close_time, expected_minor, counted_minor, carried_minor, reason
         from drawer where id = $1",
        id.uuid(),
    );
    row.fetch_optional(conn).await?.map(Row::read).transpose()
}

/// Which drawers to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only of this store.
    pub store: Option<StoreId>,
    /// Only open ones, or only closed ones.
    pub open: Option<bool>,
    /// Only those opened before the one of that time and id.
    pub after: Option<(Timestamp, Uuid)>,
}

/// Drawers, the one opened last first; `limit` at most.
#[tracing::instrument(name = "db.drawer.list", skip_all)]
pub async fn list(conn: &mut PgConnection, filter: Filter, limit: i64) -> Result<Vec<Drawer>> {
    let (time, id) = filter.after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select id, store_id, till, number, currency, opened_by, open_time, carried_in_minor, loose_in_minor, float_minor,
                closed_by, close_time, expected_minor, counted_minor, carried_minor, reason
         from drawer
         where ($1::uuid is null or store_id = $1) and ($2::boolean is null or (state = 'open') = $2)
           and ($3::timestamptz is null or (open_time, id) < ($3, $4))
         order by open_time desc, id desc limit $5",
        filter.store.map(StoreId::uuid),
        filter.open,
        time.map(|time| time.to_sqlx()) as _,
        id,
        limit,
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::read).collect()
}

/// The number of the till's last drawer, and what that has left in it; `None` if it had none. None of them is open.
#[tracing::instrument(name = "db.drawer.last_of", skip_all)]
pub async fn last_of(
    conn: &mut PgConnection,
    store: StoreId,
    till: &str,
    currency: Currency,
) -> Result<Option<(i32, Money)>> {
    let last = sqlx::query!(
        r#"select number, coalesce(carried_minor, 0) as "carried!" from drawer
           where store_id = $1 and till = $2 and currency = $3 order by number desc limit 1"#,
        store.uuid(),
        till,
        currency.code(),
    );
    Ok(last.fetch_optional(conn).await?.map(|last| (last.number, Money::new(last.carried, currency))))
}

/// What was taken at a store, less what was handed back, that is in no till: the ledger's cash less what tills hold. The
/// caller has locked the desk and holds its open drawers still.
#[tracing::instrument(name = "db.drawer.loose", skip_all)]
pub async fn loose(conn: &mut PgConnection, store: StoreId, of: Currency) -> Result<Money> {
    let held = sqlx::query_scalar!(
        r#"select coalesce(sum(coalesce(carried_minor,
                      float_minor + (select coalesce(sum(amount_minor), 0) from drawer_movement as moved
                                      where moved.drawer_id = last.id and account = 'cash_drawer'
                                        and kind in ('sale', 'refund', 'paid_in', 'paid_out')))), 0)::bigint as "sum!"
           from (select distinct on (till) id, float_minor, carried_minor from drawer
                  where store_id = $1 and currency = $2 order by till, number desc) as last"#,
        store.uuid(),
        of.code(),
    );
    let held = Money::new(held.fetch_one(&mut *conn).await?, of);
    let balances = ledger::balances_at(conn, Some(store)).await?;
    let cash = balances.into_iter().find(|(account, sum)| *account == Account::CashDrawer && sum.currency() == of);
    Ok(cash.map_or(Money::zero(of), |(_, sum)| sum).try_sub(held)?)
}

struct Row {
    id: Uuid,
    store_id: Uuid,
    till: String,
    number: i32,
    currency: String,
    opened_by: String,
    open_time: jiff_sqlx::Timestamp,
    carried_in_minor: i64,
    loose_in_minor: i64,
    float_minor: i64,
    closed_by: Option<String>,
    close_time: Option<jiff_sqlx::Timestamp>,
    expected_minor: Option<i64>,
    counted_minor: Option<i64>,
    carried_minor: Option<i64>,
    reason: Option<String>,
}

impl Row {
    fn read(self) -> Result<Drawer> {
        let money = money(currency("drawer", self.id, &self.currency)?);
        let amounts = (self.expected_minor, self.counted_minor, self.carried_minor);
        let state = match (self.closed_by, self.close_time, amounts, self.reason) {
            (None, None, (None, None, None), None) => State::Open,
            (Some(by), Some(time), (Some(expected), Some(counted), Some(carried)), Some(reason)) => {
                State::Closed(Closing {
                    by,
                    time: time.to_jiff(),
                    expected: money(expected),
                    counted: money(counted),
                    carried: money(carried),
                    reason,
                })
            }
            _ => return Err(Error::inconsistent("drawer", self.id, "is half closed")),
        };
        Ok(Drawer {
            id: DrawerId::from_uuid(self.id),
            store: StoreId::from_uuid(self.store_id),
            till: self.till,
            number: self.number,
            opened_by: self.opened_by,
            open_time: self.open_time.to_jiff(),
            carried_in: money(self.carried_in_minor),
            loose_in: money(self.loose_in_minor),
            float: money(self.float_minor),
            state,
        })
    }
}
