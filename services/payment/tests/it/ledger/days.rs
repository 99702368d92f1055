//! Days of stores: cut off, closed once, and equal to the entries.

use std::time::Duration;

use jiff::civil::date;
use kernel::{Clock, ErrorKind, ids::StoreId};
use payment::{
    db,
    db::ledger::{self, SheetLine},
    domain::ledger::Day,
    worker,
};
use testkit::eventually;

use super::book::{Book, reason};
use crate::{house::House, wire::fresh};

const PATIENCE: Duration = Duration::from_secs(20);
const HOUR: Duration = Duration::from_secs(3_600);

/// 09:00 in Shanghai on 1 March 2027, as the test's clock begins.
const FIRST: jiff::civil::Date = date(2027, 3, 1);

/// A house whose ledger is posted to directly.
struct Desk {
    house: House,
    /// What is posted to.
    book: Book,
}

impl Desk {
    async fn open() -> Self {
        let house = House::open().await;
        let book = Book::of(&house);
        Self { house, book }
    }

    async fn sell(&self, minor: i64) {
        self.book.post(&[self.book.sale(minor)]).await.expect("posted");
    }

    /// Works until nothing is left to do, every store that is posted to is known, and so many days are closed: what else
    /// runs in the same Postgres may hold up the sealer.
    async fn close(&self, sheets: i64) {
        eventually(PATIENCE, || async {
            while worker::seal_ledger(&self.house.app).await.expect("sealed") > 0 {}
            while worker::close_days(&self.house.app).await.expect("closed") > 0 {}
            let unknown = "select count(distinct store_id) from ledger_entry as entry
                           where not exists (select from ledger_rollup as known where known.store_id = entry.store_id)";
            self.book.count(unknown).await == 0 && self.book.count("select count(*) from ledger_sheet").await == sheets
        })
        .await;
    }

    async fn sheet(&self, date: jiff::civil::Date) -> Vec<(&'static str, [i64; 4])> {
        let mut conn = self.house.db.pg.conn().await.expect("a connection");
        let lines = ledger::sheet(&mut conn, Some(self.book.store), date).await.expect("a sheet");
        lines.iter().map(figures).collect()
    }
}

fn figures(line: &SheetLine) -> (&'static str, [i64; 4]) {
    let amounts = [line.opening, line.debits, line.credits, line.closing];
    (line.account.code(), amounts.map(kernel::Money::minor))
}

#[tokio::test]
async fn a_day_is_closed_some_minutes_after_its_end() {
    let desk = Desk::open().await;
    desk.sell(100).await;
    desk.house.clock.advance(14 * HOUR + 59 * Duration::from_secs(60));
    desk.sell(7).await;
    desk.close(0).await;
    // Midnight has passed: what is sold now is the next day's.
    desk.house.clock.advance(Duration::from_secs(9 * 60));
    desk.sell(30).await;
    desk.close(0).await;
    desk.house.clock.advance(Duration::from_secs(2 * 60));
    desk.close(1).await;
    assert_eq!(
        desk.sheet(FIRST).await,
        [("cash_drawer", [0, 107, 0, 107]), ("takings", [0, 0, 107, -107])],
        "without what came after midnight"
    );
    desk.house.clock.advance(24 * HOUR);
    desk.sell(1).await;
    desk.close(2).await;
    assert_eq!(
        desk.sheet(date(2027, 3, 2)).await,
        [("cash_drawer", [107, 30, 0, 137]), ("takings", [-107, 0, 30, -137])]
    );
    desk.house.clock.advance(3 * 24 * HOUR);
    desk.close(5).await;
    assert_eq!(
        desk.sheet(date(2027, 3, 5)).await,
        [("cash_drawer", [138, 0, 0, 138]), ("takings", [-138, 0, 0, -138])],
        "a day without anything has its balances still"
    );
}

#[tokio::test]
async fn nothing_is_posted_into_a_closed_day() {
    let desk = Desk::open().await;
    desk.sell(100).await;
    desk.house.clock.advance(16 * HOUR);
    desk.close(1).await;
    let late = desk.book.sale(5);
    let before_midnight = testkit::START + 15 * HOUR - Duration::from_micros(1);
    let mut tx = desk.house.db.pg.begin().await.expect("a transaction");
    let error: kernel::Error =
        ledger::post(&mut tx, before_midnight, &late).await.expect_err("the day is closed").into();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Aborted, "DAY_CLOSED"));
    tx.rollback().await.expect("rolled back");
    let mut tx = desk.house.db.pg.begin().await.expect("a transaction");
    ledger::post(&mut tx, testkit::START + 15 * HOUR, &late).await.expect("the next day is open");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn what_is_under_way_at_the_cut_is_in_the_sheet() {
    let desk = Desk::open().await;
    desk.sell(100).await;
    desk.close(0).await;
    let mut under_way = desk.house.db.pg.begin().await.expect("a transaction");
    ledger::post(&mut under_way, desk.house.clock.now(), &desk.book.sale(23)).await.expect("posted");
    desk.house.clock.advance(16 * HOUR);
    for _ in 0..3 {
        worker::close_days(&desk.house.app).await.expect("cut off");
    }
    assert_eq!(desk.book.count("select count(*) from ledger_cutoff").await, 1);
    assert_eq!(desk.book.count("select count(*) from ledger_sheet").await, 0, "somebody is still writing");
    under_way.commit().await.expect("committed");
    desk.close(1).await;
    assert_eq!(desk.sheet(FIRST).await[0], ("cash_drawer", [0, 123, 0, 123]));
}

#[tokio::test]
async fn who_looks_while_the_cut_is_being_made_is_in_the_sheet_too() {
    let desk = Desk::open().await;
    desk.sell(100).await;
    desk.close(0).await;
    let last_moment = desk.house.clock.now();
    desk.house.clock.advance(16 * HOUR);
    // The cut has its transaction's id, and somebody who comes after it looks before it is committed.
    let mut cut = desk.house.db.pg.begin().await.expect("a transaction");
    let day = Day::of(last_moment, &jiff::tz::TimeZone::get("Asia/Shanghai").expect("known")).expect("in time");
    ledger::cut_off(&mut cut, desk.house.clock.now(), Some(desk.book.store), &day).await.expect("cut off");
    let mut late = desk.house.db.pg.begin().await.expect("a transaction");
    ledger::post(&mut late, last_moment, &desk.book.sale(23)).await.expect("it does not see the cut");
    cut.commit().await.expect("committed");
    for _ in 0..3 {
        worker::close_days(&desk.house.app).await.expect("a step");
    }
    assert_eq!(desk.book.count("select count(*) from ledger_sheet").await, 0, "somebody is still writing");
    late.commit().await.expect("committed");
    desk.close(1).await;
    assert_eq!(desk.sheet(FIRST).await[0], ("cash_drawer", [0, 123, 0, 123]));
}

#[tokio::test]
async fn every_store_has_its_own_days_and_balances_by_itself() {
    let desk = Desk::open().await;
    let tokyo = StoreId::from_uuid(fresh());
    let mut conn = desk.house.db.pg.conn().await.expect("a connection");
    db::stores::note_zone(&mut conn, tokyo, "Asia/Tokyo", 1).await.expect("noted");
    let mut other = Book::of(&desk.house);
    other.store = tokyo;
    desk.sell(100).await;
    other.post(&[other.sale(40), other.top_up(9)]).await.expect("posted");
    // 23:30 in Shanghai is half past midnight in Tokyo.
    desk.house.clock.advance(14 * HOUR + HOUR / 2);
    desk.close(1).await;
    let lines = ledger::sheet(&mut conn, Some(tokyo), FIRST).await.expect("a sheet");
    assert_eq!(lines.iter().map(|line| line.closing.minor()).sum::<i64>(), 0, "{lines:?}");
    assert_eq!(lines.len(), 3);
    assert_eq!(desk.sheet(FIRST).await, []);
    desk.house.clock.advance(HOUR);
    desk.close(2).await;
    assert_eq!(desk.sheet(FIRST).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_closers_and_many_posters_lose_nothing() {
    let desk = Desk::open().await;
    desk.sell(1).await;
    desk.close(0).await;
    let posting = async {
        let mut turned_away = 0;
        for step in 0..120_u32 {
            desk.house.clock.advance(HOUR);
            // Half of them have looked at the clock some time ago.
            let at = desk.house.clock.now() - HOUR * (step % 20);
            let mut tx = desk.house.db.pg.begin().await.expect("a transaction");
            match ledger::post(&mut tx, at, &desk.book.sale(1)).await {
                Ok(_) => tx.commit().await.expect("committed"),
                Err(error) => {
                    assert_eq!(reason::<()>(Err(error.into())), "DAY_CLOSED");
                    turned_away += 1;
                }
            }
        }
        turned_away
    };
    let closing = async || {
        for _ in 0..60 {
            worker::close_days(&desk.house.app).await.expect("closed");
        }
    };
    let (turned_away, (), ()) = tokio::join!(posting, closing(), closing());
    desk.house.clock.advance(24 * HOUR);
    desk.close(6).await;
    let last = desk.sheet(date(2027, 3, 6)).await;
    let posted = 1 + 120 - turned_away;
    let wrong = desk.book.count(
        "select count(*) from ledger_cutoff c
         cross join lateral (select coalesce(sum(debits_minor), 0) as sheet from ledger_day d
                             where (d.store_id, d.date) = (c.store_id, c.date)) day
         cross join lateral (select coalesce(sum(amount_minor), 0) as booked
                             from ledger_entry e join ledger_transaction t on t.id = e.transaction_id
                             where e.store_id = c.store_id and amount_minor > 0
                               and t.create_time >= c.start_time and t.create_time < c.end_time) entry
         where sheet <> booked",
    );
    assert_eq!(wrong.await, 0);
    let later =
        desk.book.count("select count(*) from ledger_transaction where create_time >= '2027-03-06 16:00Z'").await;
    assert_eq!(last[0].1[3], posted - later);
}
