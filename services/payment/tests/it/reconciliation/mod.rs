//! Providers' bills against our books.

mod by_chance;
mod files;
pub mod formats;
mod imports;
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
use proto::{
    access::Role,
    payment::v1::{self as pb, reconciliation_service_client::ReconciliationServiceClient},
};
use tonic::{Request, transport::Channel};

use crate::{
    house::House,
    wire::{fresh, minor},
};

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
        sale(&self.house, "wechat_native", minor, captured).await
    }

    /// A part of a sale that went back; or is on its way, without a day.
    pub async fn refund(&self, of: Uuid, minor: i64, done: Option<Timestamp>) -> Uuid {
        refund(&self.house, of, minor, done).await
    }

    /// Matches a bill of these lines; whether it was the first of its day.
    pub async fn book(&self, day: Date, lines: &[BillLine]) -> bool {
        book(&self.house, &name(day), lines).await
    }

    /// The breaks of a day, in the order of their numbers.
    pub async fn breaks(&self, day: Date) -> Vec<Break> {
        breaks(&self.house, &name(day)).await
    }

    /// Their kinds and differences, sorted.
    pub async fn kinds(&self, day: Date) -> Vec<(&'static str, i64)> {
        kinds_of(&self.house, &name(day)).await
    }

    /// The balance of an account.
    pub async fn balance(&self, account: &str) -> i64 {
        self.house.balances().await.get(account).copied().unwrap_or(0)
    }

    pub fn client(&self) -> ReconciliationServiceClient<Channel> {
        client(&self.house)
    }
}

/// Stores a sale in one of a provider's ways that was captured at an hour of a day; or is pending, without a day. Nothing
/// of it is booked.
pub async fn sale(house: &House, tender: &str, minor: i64, captured: Option<Timestamp>) -> Uuid {
    let id = fresh();
    sqlx::query(
        "insert into customer_order (id, booking_id, customer_id, store_id, currency, total_minor, deposit_minor,
                                     paid_minor, refunded_minor, state, create_time, version)
         values ($1, $1, $2, $3, 'CNY', 0, 0, 0, 0, 'open', now(), 1)",
    )
    .bind(id)
    .bind(house.member.uuid())
    .bind(house.store.uuid())
    .execute(house.db.pg.pool())
    .await
    .expect("an order");
    sqlx::query(
        "insert into payment (id, order_id, position, purpose, tender, amount_minor, state, capture_time, create_time)
         values ($1, $1, 0, 'balance', $5, $2, $3, $4, now())",
    )
    .bind(id)
    .bind(minor)
    .bind(if captured.is_some() { "captured" } else { "pending" })
    .bind(captured.map(jiff_sqlx::ToSqlx::to_sqlx))
    .bind(tender)
    .execute(house.db.pg.pool())
    .await
    .expect("a payment");
    id
}

/// Stores a part of a sale that went back; or is on its way, without a day.
pub async fn refund(house: &House, sale: Uuid, minor: i64, done: Option<Timestamp>) -> Uuid {
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
    .execute(house.db.pg.pool())
    .await
    .expect("a refund");
    id
}

/// Matches a bill of these lines; whether it was the first of its day.
pub async fn book(house: &House, name: &DayName, lines: &[BillLine]) -> bool {
    let mut spool = Spool::try_new().expect("a file");
    lines.iter().for_each(|line| spool.push(line).expect("room"));
    let bill = WholeBill { lines: spool, sha256: Some([7; 32]) };
    let mut tx = house.db.pg.begin().await.expect("a transaction");
    let booked = book_bill(&mut tx, house.clock.now(), name, bill, RATE).await.expect("booked");
    tx.commit().await.expect("committed");
    booked
}

async fn breaks(house: &House, name: &DayName) -> Vec<Break> {
    let filter = Filter { day: Some(name.clone()), ..Filter::default() };
    let mut conn = house.db.pg.conn().await.expect("a connection");
    let mut breaks = payment::db::reconciliation::list(&mut conn, &filter, None, 1_000).await.expect("breaks");
    breaks.reverse();
    breaks
}

async fn kinds_of(house: &House, name: &DayName) -> Vec<(&'static str, i64)> {
    let breaks = breaks(house, name).await;
    let mut kinds: Vec<_> = breaks.iter().map(|of| (of.kind.as_str(), of.difference.minor())).collect();
    kinds.sort_unstable();
    kinds
}

/// Matches a bill of the sandbox that has a payment of a day with another amount and a sale of nobody; one of these
/// breaks is written off.
pub async fn bill_with_breaks(house: &House, day: Date, payment: &pb::Payment) {
    let name = DayName { provider: "sandbox".to_owned(), date: day };
    let id = payment.name.trim_start_matches("payments/").parse().expect("an id");
    let ours = minor(&payment.amount);
    let lines = [sold(id, ours + 3), sold(fresh(), 40)].map(|line| BillLine { time: noon(day), ..line });
    assert!(book(house, &name, &lines).await);
    assert!(kinds_of(house, &name).await.starts_with(&[("amount", 3), ("missing_here", 40)]));
    let request = pb::ResolveBreakRequest {
        name: format!("{name}/breaks/1"),
        resolution: pb::reconciliation_break::Resolution::WrittenOff.into(),
        note: "too little to ask about".to_owned(),
        request_id: fresh().to_string(),
    };
    client(house).resolve_break(as_finance(house, request)).await.expect("worked off");
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
