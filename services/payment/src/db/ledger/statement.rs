//! What was booked on an account, as of any moment.

use jiff_sqlx::ToSqlx;
use kernel::{
    Currency, Money, Timestamp, Uuid,
    ids::{LedgerTransactionId, OrderId, StoreId},
};
use pg::{PgConnection, Result};

use super::{read_store, store_id};
use crate::domain::ledger::{Account, Party};

/// Which entries of an account.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The account.
    pub account: Account,
    /// In what currency.
    pub currency: Currency,
    /// Whom they are about, and where it happened.
    pub of: Of,
}

/// Whom entries are about, or where they happened: by either they can be found quickly.
#[derive(Debug, Clone)]
pub enum Of {
    /// This party, at one store if one is given.
    Party(Party, Option<StoreId>),
    /// Everybody at this store; `None` is the head office.
    Store(Option<StoreId>),
}

impl Selection {
    fn columns(&self) -> (Option<&str>, Option<Uuid>) {
        match &self.of {
            Of::Party(party, store) => (Some(party.name()), store.map(StoreId::uuid)),
            Of::Store(store) => (None, Some(store_id(*store))),
        }
    }
}

/// An entry's place: statements are in the order of places, which is that of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its transaction.
    pub transaction: Uuid,
    /// Among the entries of its transaction.
    pub position: i32,
}

impl Place {
    /// Before every entry of a transaction, and after all of those before it.
    pub const fn before(transaction: Uuid) -> Self {
        Self { transaction, position: -1 }
    }
}

/// The sum of the entries after one place up to and including another.
#[tracing::instrument(name = "db.ledger_entry.sum", skip_all)]
pub async fn sum(conn: &mut PgConnection, selection: &Selection, after: Place, until: Place) -> Result<Money> {
    let (party, store) = selection.columns();
    let minor = match party {
        Some(party) => {
            sqlx::query_scalar!(
                r#"select coalesce(sum(amount_minor), 0)::bigint as "sum!" from ledger_entry
                   where party = $1 and account = $2 and currency = $3 and ($4::uuid is null or store_id = $4)
                     and (transaction_id, position) > ($5, $6) and (transaction_id, position) <= ($7, $8)"#,
                party,
                selection.account.code(),
                selection.currency.code(),
                store,
                after.transaction,
                after.position,
                until.transaction,
                until.position,
            )
            .fetch_one(conn)
            .await?
        }
        None => {
            sqlx::query_scalar!(
                r#"select coalesce(sum(amount_minor), 0)::bigint as "sum!" from ledger_entry
                   where store_id = $1 and account = $2 and currency = $3
                     and (transaction_id, position) > ($4, $5) and (transaction_id, position) <= ($6, $7)"#,
                store,
                selection.account.code(),
                selection.currency.code(),
                after.transaction,
                after.position,
                until.transaction,
                until.position,
            )
            .fetch_one(conn)
            .await?
        }
    };
    Ok(Money::new(minor, selection.currency))
}

/// The balance of an account at a store by the sheet of the last day that has ended at `at` and is closed, and the end of
/// that day.
#[tracing::instrument(name = "db.ledger_day.closing", skip_all)]
pub async fn closing_before(
    conn: &mut PgConnection,
    store: Option<StoreId>,
    selection: &Selection,
    at: Timestamp,
) -> Result<Option<(Money, Timestamp)>> {
    let row = sqlx::query!(
        r#"select cutoff.end_time, coalesce(day.closing_minor, 0) as "closing_minor!"
           from ledger_cutoff as cutoff
                join ledger_sheet as sheet using (store_id, date)
                left join ledger_day as day on day.store_id = cutoff.store_id and day.date = cutoff.date
                                           and day.account = $3 and day.currency = $4
           where cutoff.store_id = $1 and cutoff.end_time <= $2
           order by cutoff.end_time desc limit 1"#,
        store_id(store),
        at.to_sqlx() as _,
        selection.account.code(),
        selection.currency.code(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (Money::new(row.closing_minor, selection.currency), row.end_time.to_jiff())))
}

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// Where it stands.
    pub place: Place,
    /// When it was booked.
    pub time: Timestamp,
    /// Why.
    pub kind: String,
    /// What it is about.
    pub source: Uuid,
    /// The order that it is of.
    pub order: Option<OrderId>,
    /// Where it happened; `None` is the head office.
    pub store: Option<StoreId>,
    /// Whom it is about.
    pub party: Option<Party>,
    /// A debit is above zero, a credit below.
    pub amount: Money,
}

impl StatementLine {
    /// Its transaction.
    pub fn transaction(&self) -> LedgerTransactionId {
        LedgerTransactionId::from_uuid(self.place.transaction)
    }
}

/// The entries after one place up to and including another, the oldest first, `limit` at most.
#[tracing::instrument(name = "db.ledger_entry.lines", skip_all)]
pub async fn lines(
    conn: &mut PgConnection,
    selection: &Selection,
    after: Place,
    until: Place,
    limit: i64,
) -> Result<Vec<StatementLine>> {
    let (party, store) = selection.columns();
    let rows = match party {
        Some(party) => {
            sqlx::query_as!(
                Row,
                "select entry.transaction_id, entry.position, entry.store_id, entry.party, entry.amount_minor,
                        booked.create_time, booked.kind, booked.source_id, booked.order_id
                 from ledger_entry as entry join ledger_transaction as booked on booked.id = entry.transaction_id
                 where entry.party = $1 and entry.account = $2 and entry.currency = $3
                   and ($4::uuid is null or entry.store_id = $4)
                   and (entry.transaction_id, entry.position) > ($5, $6)
                   and (entry.transaction_id, entry.position) <= ($7, $8)
                 order by entry.transaction_id, entry.position limit $9",
                party,
                selection.account.code(),
                selection.currency.code(),
                store,
                after.transaction,
                after.position,
                until.transaction,
                until.position,
                limit,
            )
            .fetch_all(conn)
            .await?
        }
        None => {
            sqlx::query_as!(
                Row,
                "select entry.transaction_id, entry.position, entry.store_id, entry.party, entry.amount_minor,
                        booked.create_time, booked.kind, booked.source_id, booked.order_id
                 from ledger_entry as entry join ledger_transaction as booked on booked.id = entry.transaction_id
                 where entry.store_id = $1 and entry.account = $2 and entry.currency = $3
                   and (entry.transaction_id, entry.position) > ($4, $5)
                   and (entry.transaction_id, entry.position) <= ($6, $7)
                 order by entry.transaction_id, entry.position limit $8",
                store,
                selection.account.code(),
                selection.currency.code(),
                after.transaction,
                after.position,
                until.transaction,
                until.position,
                limit,
            )
            .fetch_all(conn)
            .await?
        }
    };
    Ok(rows.into_iter().map(|row| row.read(selection.currency)).collect())
}

struct Row {
    transaction_id: Uuid,
    position: i32,
    store_id: Uuid,
    party: Option<String>,
    amount_minor: i64,
    create_time: jiff_sqlx::Timestamp,
    kind: String,
    source_id: Uuid,
    order_id: Option<Uuid>,
}

impl Row {
    fn read(self, currency: Currency) -> StatementLine {
        StatementLine {
            place: Place { transaction: self.transaction_id, position: self.position },
            time: self.create_time.to_jiff(),
            kind: self.kind,
            source: self.source_id,
            order: self.order_id.map(OrderId::from_uuid),
            store: read_store(self.store_id),
            party: self.party.map(Party::from_stored),
            amount: Money::new(self.amount_minor, currency),
        }
    }
}
