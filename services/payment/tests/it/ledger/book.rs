//! A ledger, and short words for what is posted to it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use kernel::{
    Clock, Currency, Error, Money, Result, Timestamp, Uuid,
    ids::{LedgerTransferId, StoreId},
};
use payment::{
    db::ledger,
    domain::ledger::{Account, Kind, OwedKey, Party, SubAccount, Transaction, Transfer},
};
use pg::Pg;
use testkit::{ManualClock, TestDb};

use crate::{house::House, wire::fresh};

/// How long a transfer has.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// A ledger of one store, with a card that can be charged.
pub struct Book {
    pub pg: Pg,
    /// Goes with the book, unless it is another's.
    _db: Option<TestDb>,
    pub clock: Arc<ManualClock>,
    pub store: StoreId,
    pub card: Party,
}

pub fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

impl Book {
    pub async fn open() -> Self {
        let db = testkit::database(&payment::MIGRATOR).await;
        let (store, card) = (StoreId::from_uuid(fresh()), Party::new("cards", fresh()));
        Self { pg: db.pg.clone(), _db: Some(db), clock: testkit::clock(), store, card }
    }

    /// The ledger of a house, at its store and by its clock.
    pub fn of(house: &House) -> Self {
        let card = Party::new("cards", fresh());
        Self { pg: house.db.pg.clone(), _db: None, clock: house.clock.clone(), store: house.store, card }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn cash(&self) -> SubAccount {
        Account::CashDrawer.at(self.store)
    }

    pub fn takings(&self) -> SubAccount {
        Account::Takings.at(self.store)
    }

    pub fn principal(&self) -> SubAccount {
        Account::StoredValuePrincipal.at(self.store).of(self.card.clone())
    }

    /// Money in the drawer for something that was delivered.
    pub fn sale(&self, minor: i64) -> Transaction {
        self.moving(self.cash(), self.takings(), minor)
    }

    /// Money in the drawer for money on the card.
    pub fn top_up(&self, minor: i64) -> Transaction {
        self.moving(self.cash(), self.principal(), minor)
    }

    /// Something that was delivered for money on the card.
    pub fn spend(&self, minor: i64) -> Transaction {
        self.moving(self.principal(), self.takings(), minor)
    }

    pub fn moving(&self, debit: SubAccount, credit: SubAccount, minor: i64) -> Transaction {
        Transaction::moving(Kind::Recognise, fresh(), debit, credit, cny(minor)).expect("it balances")
    }

    pub fn transfer(&self, transaction: Transaction) -> Transfer {
        let id = LedgerTransferId::from_uuid(fresh());
        Transfer::try_new(id, transaction, self.now(), self.now() + PATIENCE).expect("there is time")
    }

    /// Posts in a transaction of its own.
    pub async fn post(&self, transactions: &[Transaction]) -> Result<()> {
        let mut tx = self.pg.begin().await?;
        ledger::post_all(&mut tx, self.now(), transactions).await?;
        Ok(tx.commit().await?)
    }

    pub async fn reserve(&self, transfers: &[Transfer]) -> Result<()> {
        let mut tx = self.pg.begin().await?;
        ledger::reserve(&mut tx, transfers).await?;
        Ok(tx.commit().await?)
    }

    /// How many were booked now.
    pub async fn commit(&self, ids: &[LedgerTransferId]) -> Result<usize> {
        let mut tx = self.pg.begin().await?;
        let booked = ledger::commit(&mut tx, self.now(), ids).await?;
        tx.commit().await?;
        Ok(booked.len())
    }

    pub async fn void(&self, ids: &[LedgerTransferId]) -> Result<()> {
        let mut tx = self.pg.begin().await?;
        ledger::void(&mut tx, self.now(), ids).await?;
        Ok(tx.commit().await?)
    }

    /// What the card is owed: in all, and what of it is set aside.
    pub async fn owed(&self) -> (i64, i64) {
        let key = OwedKey { account: Account::StoredValuePrincipal, party: self.card.clone(), currency: Currency::CNY };
        let mut conn = self.pg.conn().await.expect("a connection");
        let owed = ledger::owed(&mut conn, &key).await.expect("a balance");
        assert_eq!(owed.available().expect("in range").minor(), owed.posted.minor() - owed.reserved.minor());
        (owed.posted.minor(), owed.reserved.minor())
    }

    /// The balances, which must add up to nothing.
    pub async fn balances(&self) -> BTreeMap<String, i64> {
        let mut conn = self.pg.conn().await.expect("a connection");
        let balances = ledger::balances(&mut conn, None, 1_000).await.expect("balances");
        let balances: BTreeMap<_, _> = balances.into_iter().map(|b| (b.account, b.amount.minor())).collect();
        assert_eq!(balances.values().sum::<i64>(), 0, "{balances:?}");
        balances
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.pg.pool()).await.expect("a count")
    }
}

/// The reason of a refusal.
pub fn reason<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    result.map_err(|error: Error| error.reason()).expect_err("a refusal")
}

/// A source like no other.
pub fn source() -> Uuid {
    fresh()
}
