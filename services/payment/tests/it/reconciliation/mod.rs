//! Providers' bills against our books.

mod by_chance;
mod kinds;
mod morning;
mod work_off;

use jiff::civil::{Date, date};
use kernel::{Clock, Timestamp, Uuid, ids::PaymentId};
use payment::{
    db::reconciliation::{Filter, Spool},
    domain::reconciliation::{Break, DayName},
    flows::reconciliation::book_bill::{WholeBill, book_bill},
    peers::{BillKind, BillLine, china_time},
};
use proto::{access::Role, payment::v1::reconciliation_service_client::ReconciliationServiceClient};
use tonic::{Request, transport::Channel};

use crate::{house::House, wire::fresh};

/// The day of most bills.
const DAY: Date = date(2027, 2, 26);

/// What was agreed: 0.6 %.
const RATE: u32 = 600;

/// Finance with what was captured and given back by WeChat Pay, stored as such; nothing of it is booked.
pub struct Office {
    pub house: House,
}

impl Office {
    pub async fn open() -> Self {
        Self { house: House::open().await }
    }

    /// A sale that was captured at an hour of a day; or is pending, without a day.
    pub async fn sale(&self, minor: i64, captured: Option<Timestamp>) -> Uuid {
        let id = fresh();
        sqlx::query(
            "insert into customer_order (id, booking_id, customer_id, store_id, currency, total_minor, deposit_minor,
                                         paid_minor, refunded_minor, state, create_time, version)
             values ($1, $1, $2, $3, 'CNY', 0, 0, 0, 0, 'open', now(), 1)",
        )
        .bind(id)
        .bind(self.house.member.uuid())
        .bind(self.house.store.uuid())
        .execute(self.house.db.pg.pool())
        .await
        .expect("an order");
        sqlx::query(
            "insert into payment (id, order_id, position, purpose, tender, amount_minor, state, capture_time, create_time)
             values ($1, $1, 0, 'balance', 'wechat_native', $2, $3, $4, now())",
        )
        .bind(id)
        .bind(minor)
        .bind(if captured.is_some() { "captured" } else { "pending" })
        .bind(captured.map(jiff_sqlx::ToSqlx::to_sqlx))
        .execute(self.house.db.pg.pool())
        .await
        .expect("a payment");
        id
    }

    /// A part of a sale that went back; or is on its way, without a day.
    pub async fn refund(&self, sale: Uuid, minor: i64, done: Option<Timestamp>) -> Uuid {
        let id = fresh();
        sqlx::query(
            "insert into refund (id, order_id, position, payment_id, amount_minor, state, reason, create_time,
                                 succeed_time, next_attempt_time)
             values ($1, $2, (select count(*) from refund where order_id = $2), $2, $3, $4, 'X', now(), $5, now())",
        )
        .bind(id)
        .bind(sale)
        .bind(minor)
        .bind(if done.is_some() { "succeeded" } else { "pending" })
        .bind(done.map(jiff_sqlx::ToSqlx::to_sqlx))
        .execute(self.house.db.pg.pool())
        .await
        .expect("a refund");
        id
    }

    /// Matches a bill of these lines; whether it was the first of its day.
    pub async fn book(&self, day: Date, lines: &[BillLine]) -> bool {
        let mut spool = Spool::try_new().expect("a file");
        lines.iter().for_each(|line| spool.push(line).expect("room"));
        let bill = WholeBill { lines: spool, sha256: Some([7; 32]) };
        let mut tx = self.house.db.pg.begin().await.expect("a transaction");
        let booked = book_bill(&mut tx, self.house.clock.now(), &name(day), bill, RATE).await.expect("booked");
        tx.commit().await.expect("committed");
        booked
    }

    /// The breaks of a day, in the order of their numbers.
    pub async fn breaks(&self, day: Date) -> Vec<Break> {
        let filter = Filter { day: Some(name(day)), ..Filter::default() };
        let mut conn = self.house.db.pg.conn().await.expect("a connection");
        let mut breaks = payment::db::reconciliation::list(&mut conn, &filter, None, 1_000).await.expect("breaks");
        breaks.reverse();
        breaks
    }

    /// Their kinds and differences, sorted.
    pub async fn kinds(&self, day: Date) -> Vec<(&'static str, i64)> {
        let breaks = self.breaks(day).await;
        let mut kinds: Vec<_> = breaks.iter().map(|of| (of.kind.as_str(), of.difference.minor())).collect();
        kinds.sort_unstable();
        kinds
    }

    /// The balance of an account.
    pub async fn balance(&self, account: &str) -> i64 {
        self.house.balances().await.get(account).copied().unwrap_or(0)
    }

    pub fn client(&self) -> ReconciliationServiceClient<Channel> {
        client(&self.house)
    }
}

pub fn client(house: &House) -> ReconciliationServiceClient<Channel> {
    ReconciliationServiceClient::new(house.channel.clone())
}

pub fn as_finance<T>(house: &House, message: T) -> Request<T> {
    house.as_staff(message, Role::Finance, None)
}

pub fn name(day: Date) -> DayName {
    DayName { provider: "wechat".to_owned(), date: day }
}

/// Noon of a day in China.
pub fn noon(day: Date) -> Timestamp {
    china_time::start_of(day).expect("in time") + jiff::SignedDuration::from_hours(12)
}

/// A line of a bill for a sale of ours, as it should be.
pub fn sold(sale: Uuid, minor: i64) -> BillLine {
    BillLine {
        time: noon(DAY),
        kind: BillKind::Sale,
        payment: sale.simple().to_string(),
        refund: String::new(),
        transaction: format!("4200{}", PaymentId::from_uuid(sale).uuid().as_u128() % 1_000_000),
        amount_minor: minor,
        currency: "CNY".to_owned(),
        fee_fine: fee(minor),
        state: "SUCCESS".to_owned(),
    }
}

/// A line of a bill for a refund of ours, as it should be.
pub fn gone(sale: Uuid, refund: Uuid, minor: i64) -> BillLine {
    let refund = refund.simple().to_string();
    BillLine { kind: BillKind::Refund, refund, fee_fine: -fee(minor), ..sold(sale, minor) }
}

/// The agreed fee, rounded to a fen.
pub fn fee(minor: i64) -> i64 {
    (minor * 6 + 500) / 1_000 * 1_000
}
