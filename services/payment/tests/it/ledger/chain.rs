//! Seals, and what they show.

use std::time::Duration;

use kernel::Clock;
use payment::{
    db::ledger,
    domain::ledger::{Account, Kind, Transaction},
};
use pg::seal::Verdict;
use sqlx::AssertSqlSafe;

use super::book::{Book, cny, source};

impl Book {
    /// Seals until so many transactions are sealed: they are when no transaction still running in the same Postgres could
    /// come before them.
    pub async fn seal(&self, transactions: i64) -> Verdict {
        testkit::eventually(Duration::from_secs(20), || async {
            let mut tx = self.pg.begin().await.expect("a transaction");
            ledger::seal(&mut tx, self.clock.now()).await.expect("sealed");
            tx.commit().await.expect("committed");
            self.count("select coalesce(sum(transactions), 0)::bigint from ledger_seal").await == transactions
        })
        .await;
        self.verdict().await
    }

    pub async fn verdict(&self) -> Verdict {
        ledger::verify(&mut self.pg.conn().await.expect("a connection")).await.expect("a verdict")
    }

    /// As the owner of the tables, who has given himself every right and has switched off what stands in his way.
    pub async fn tamper(&self, statement: &str) {
        let mut tx = self.pg.begin().await.expect("a transaction");
        for table in
            ["ledger_transaction", "ledger_entry", "ledger_seal", "ledger_transfer", "ledger_day", "ledger_sheet"]
        {
            let open = format!("grant all on {table} to current_user; alter table {table} disable trigger user");
            sqlx::raw_sql(AssertSqlSafe(open)).execute(&mut *tx).await.expect("an owner may");
        }
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut *tx).await.expect(statement);
        tx.commit().await.expect("committed");
    }
}

#[tokio::test]
async fn what_is_sealed_is_rolled_up_and_stays_right() {
    let book = Book::open().await;
    book.post(&[book.top_up(100), book.sale(7)]).await.expect("posted");
    let before = book.balances().await;
    let Verdict::Intact { seals: 1, entries: 2, head } = book.seal(2).await else { panic!("two are sealed") };
    assert_eq!(book.balances().await, before, "rolled up");
    assert_eq!(book.count("select sum(debits_minor)::bigint from ledger_rollup").await, 107);
    assert_eq!(book.count("select sum(credits_minor)::bigint from ledger_rollup").await, 107);
    book.post(&[book.spend(60)]).await.expect("posted");
    let balances = book.balances().await;
    assert_eq!((balances["takings"], balances["stored_value_principal"]), (-67, -40), "rolled up, and since");
    let Verdict::Intact { seals: 2, entries: 3, head: next } = book.seal(3).await else { panic!("three are sealed") };
    assert_ne!(head, next);
    assert_eq!(book.balances().await, balances);
}

#[tokio::test]
async fn whatever_is_changed_shows() {
    let changes = [
        ("update ledger_entry set amount_minor = amount_minor * 2", "changed"),
        ("update ledger_entry set account = 'breakage' where account = 'takings'", "changed"),
        ("update ledger_entry set party = 'cards/other' where party is not null", "changed"),
        ("update ledger_entry set store_id = gen_random_uuid()", "changed"),
        ("update ledger_transaction set source_id = gen_random_uuid()", "changed"),
        ("update ledger_transaction set kind = 'forfeit'", "changed"),
        ("update ledger_transaction set create_time = create_time + interval '1 microsecond'", "changed"),
        ("delete from ledger_entry where position = 1", "changed"),
        ("delete from ledger_transaction where position = 1", "removed"),
        ("delete from ledger_seal where number = 1", "missing"),
        ("update ledger_seal set hash = sha256(hash) where number = 1", "changed"),
        (
            "insert into ledger_transaction (id, kind, source_id, create_time, xid)
             select id, 'slipped_in', id, create_time, xid from
                 (select replace(id::text, '-7', '-6')::uuid as id, create_time, xid from ledger_transaction limit 1) one",
            "slipped in",
        ),
    ];
    for (change, found) in changes {
        let book = Book::open().await;
        book.post(&[book.top_up(100)]).await.expect("posted");
        book.seal(1).await;
        book.post(&[book.spend(60)]).await.expect("posted");
        assert!(matches!(book.seal(2).await, Verdict::Intact { seals: 2, .. }));
        book.tamper(change).await;
        let verdict = book.verdict().await;
        assert!(matches!(verdict, Verdict::Broken { what, .. } if what.contains(found)), "{change}: {verdict:?}");
    }
}

#[tokio::test]
async fn a_posting_under_way_is_not_sealed_and_holds_nobody_up() {
    let book = Book::open().await;
    let mut under_way = book.pg.begin().await.expect("a transaction");
    ledger::post(&mut under_way, book.now(), &book.sale(1)).await.expect("posted");
    book.post(&[book.sale(2)]).await.expect("nobody waits");
    let mut tx = book.pg.begin().await.expect("a transaction");
    assert_eq!(ledger::seal(&mut tx, book.now()).await.expect("sealed"), 0, "what comes later may yet be first");
    tx.commit().await.expect("committed");
    assert_eq!(book.balances().await["takings"], -2);
    under_way.commit().await.expect("committed");
    assert!(matches!(book.seal(2).await, Verdict::Intact { entries: 2, .. }));
    assert_eq!(book.balances().await["takings"], -3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sealers_and_many_posters_make_one_chain() {
    let book = std::sync::Arc::new(Book::open().await);
    let mut posters = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let book = std::sync::Arc::clone(&book);
        posters.spawn(async move {
            for minor in 1..=25 {
                book.post(&[book.sale(minor), book.top_up(minor)]).await.expect("posted");
            }
        });
    }
    let sealer = async || {
        for _ in 0..40 {
            let mut tx = book.pg.begin().await.expect("a transaction");
            ledger::seal(&mut tx, book.now()).await.expect("sealed");
            tx.commit().await.expect("committed");
        }
    };
    let ((), (), _) = tokio::join!(sealer(), sealer(), posters.join_all());
    assert!(matches!(book.seal(400).await, Verdict::Intact { entries: 400, .. }));
    assert_eq!(book.balances().await["cash_drawer"], 2 * 8 * 325);
    let rolled = book.count("select debits_minor from ledger_rollup where account = 'cash_drawer'").await;
    assert_eq!(rolled, 2 * 8 * 325);
}

#[tokio::test]
async fn an_export_has_all_that_is_sealed() {
    let book = Book::open().await;
    for minor in 1..=5 {
        book.post(&[book.sale(minor)]).await.expect("posted");
    }
    let (bank, takings) = (Account::Bank.at_head_office(), Account::Takings.at_head_office());
    let odd = Transaction::moving(Kind::Capture, source(), bank, takings, cny(i64::MAX)).expect("it balances");
    book.post(&[odd]).await.expect("posted");
    book.seal(6).await;
    let mut conn = book.pg.conn().await.expect("a connection");
    let (mut place, mut seen) = (pg::seal::Place::default(), Vec::new());
    loop {
        let page = ledger::records(&mut conn, &place, 2).await.expect("a page");
        let Some(last) = page.last() else { break };
        place = ledger::place_of(last);
        seen.extend(page.iter().map(|record| record.entries[0].amount_minor));
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, i64::MAX]);
    // as many as it took: what still ran in the same Postgres may have parted them
    let seals = ledger::seals_between(&mut conn, &pg::seal::Place::default(), &place).await.expect("seals");
    let count = i64::try_from(seals.len()).expect("a few");
    let numbers: Vec<i64> = seals.iter().map(|seal| seal.number).collect();
    assert_eq!(numbers, Vec::from_iter(1..=count));
    assert_eq!(seals.iter().map(|seal| seal.rows).sum::<i64>(), 6);
    assert_eq!(seals.last(), Some(&ledger::last_seal(&mut conn).await.expect("the last")));
    let whole = ledger::verify_after(&mut conn, 0, 10).await.expect("a verdict").expect("from the beginning");
    assert!(matches!(whole, Verdict::Intact { seals, entries: 6, .. } if seals == count));
    let rest = ledger::verify_after(&mut conn, count, 10).await.expect("a verdict").expect("there is such a seal");
    assert!(matches!(rest, Verdict::Intact { seals: 0, entries: 0, head } if head == seals[seals.len() - 1].hash));
    assert_eq!(ledger::verify_after(&mut conn, count + 1, 10).await.expect("a verdict"), None);
}
