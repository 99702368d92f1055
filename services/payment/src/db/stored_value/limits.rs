//! How much may be owed to all cards together.

use jiff_sqlx::ToSqlx;
use kernel::{Currency, Money, Uuid, ids::StoreId};
use pg::{PgConnection, Result};

use super::super::{currency, ledger};
use crate::domain::{ledger::Account, stored_value::Limit};

/// How the chain is stored where a store would be.
const CHAIN: Uuid = Uuid::nil();

/// Locks the limits of a store and of the chain, so that whoever sells next sees what we sell; then reads them.
#[tracing::instrument(name = "db.stored_value_limit.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, store: Option<StoreId>, of: Currency) -> Result<Vec<Limit>> {
    let rows = sqlx::query_as!(
        Row,
        "select store_id, currency, limit_minor, update_time, version from stored_value_limit
         where store_id in ($1, $2) and currency = $3 order by store_id for update",
        CHAIN,
        store.map_or(CHAIN, StoreId::uuid),
        of.code(),
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::read).collect()
}

/// All limits, or those of a store and of the chain, after the store and currency `after`; `limit` at most.
#[tracing::instrument(name = "db.stored_value_limit.list", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    store: Option<StoreId>,
    after: Option<(Uuid, String)>,
    limit: i64,
) -> Result<Vec<Limit>> {
    let (after_store, after_currency) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select store_id, currency, limit_minor, update_time, version from stored_value_limit
         where ($1::uuid is null or store_id in ($1, $2)) and ($3::uuid is null or (store_id, currency) > ($3, $4))
         order by store_id, currency limit $5",
        store.map(StoreId::uuid),
        CHAIN,
        after_store,
        after_currency,
        limit,
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::read).collect()
}

/// Stores a limit in the place of the one before.
#[tracing::instrument(name = "db.stored_value_limit.set", skip_all)]
pub async fn set(conn: &mut PgConnection, limit: &Limit) -> Result<()> {
    let currency = limit.amount.currency();
    sqlx::query!(
        "insert into stored_value_limit (store_id, currency, limit_minor, update_time, version)
         values ($1, $2, $3, $4, $5)
         on conflict (store_id, currency) do update set limit_minor = $3, update_time = $4, version = $5",
        limit.store.map_or(CHAIN, StoreId::uuid),
        currency.code(),
        limit.amount.minor(),
        limit.update_time.to_sqlx() as _,
        limit.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What is owed to all cards at a store, or of the chain, and what will be once the top-ups under way are paid. A top-up
/// that is paid just now may count twice, never not at all.
#[tracing::instrument(name = "db.stored_value_limit.owed", skip_all)]
pub async fn owed(conn: &mut PgConnection, store: Option<StoreId>, of: Currency) -> Result<Money> {
    let under_way = sqlx::query_scalar!(
        r#"select coalesce(sum(amount_minor), 0)::bigint as "sum!" from top_up
           where state = 'open' and currency = $1 and ($2::uuid is null or store_id = $2)"#,
        of.code(),
        store.map(StoreId::uuid),
    );
    let under_way = Money::new(under_way.fetch_one(&mut *conn).await?, of);
    let mut owed = under_way;
    for (account, balance) in ledger::balances_at(conn, store).await? {
        if account == Account::StoredValuePrincipal && balance.currency() == of {
            // A liability is below zero.
            owed = owed.try_sub(balance)?;
        }
    }
    Ok(owed)
}

struct Row {
    store_id: Uuid,
    currency: String,
    limit_minor: i64,
    update_time: jiff_sqlx::Timestamp,
    version: i64,
}

impl Row {
    fn read(self) -> Result<Limit> {
        let currency = currency("stored_value_limit", self.store_id, &self.currency)?;
        Ok(Limit {
            store: (self.store_id != CHAIN).then(|| StoreId::from_uuid(self.store_id)),
            amount: Money::new(self.limit_minor, currency),
            update_time: self.update_time.to_jiff(),
            version: self.version,
        })
    }
}
