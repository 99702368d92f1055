//! Many at once on the same money.

use std::sync::Arc;

use payment::{
    db::ledger,
    domain::ledger::{Account, Kind, Party, Transaction},
};
use tokio::task::JoinSet;

use super::book::{Book, PATIENCE, cny, source};
use crate::wire::fresh;

/// How many of them went well; all others must have been refused for `refusal`.
async fn settled(calls: JoinSet<kernel::Result<()>>, refusal: &[&str]) -> usize {
    let (good, bad): (Vec<_>, Vec<_>) = calls.join_all().await.into_iter().partition(Result::is_ok);
    for error in bad.into_iter().filter_map(Result::err) {
        assert!(refusal.contains(&error.reason()), "{}", error.chain());
    }
    good.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_take_60_of_100_one_gets_it() {
    let book = Arc::new(Book::open().await);
    for round in 1..=20 {
        book.post(&[book.top_up(100)]).await.expect("posted");
        let mut calls = JoinSet::new();
        for n in 0..2 {
            let book = Arc::clone(&book);
            calls.spawn(async move {
                if n == 0 {
                    book.post(&[book.spend(60)]).await
                } else {
                    book.reserve(&[book.transfer(book.spend(60))]).await
                }
            });
        }
        assert_eq!(settled(calls, &["INSUFFICIENT_BALANCE"]).await, 1, "round {round}");
        let (posted, reserved) = book.owed().await;
        assert_eq!(posted - reserved, 40);
        book.post(&[book.spend(40)]).await.expect("the rest");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_ends_of_a_transfer_are_one() {
    let book = Arc::new(Book::open().await);
    for round in 0..20 {
        book.post(&[book.top_up(100)]).await.expect("posted");
        let before = book.owed().await.0;
        let transfer = book.transfer(book.spend(100));
        book.reserve(std::slice::from_ref(&transfer)).await.expect("set aside");
        let (id, mut posts, mut voids) = (transfer.id, JoinSet::new(), JoinSet::new());
        for _ in 0..4 {
            let of = Arc::clone(&book);
            posts.spawn(async move { of.commit(&[id]).await.map(drop) });
            let of = Arc::clone(&book);
            voids.spawn(async move { of.void(&[id]).await });
        }
        let posted = settled(posts, &["TRANSFER_VOIDED"]).await;
        let voided = settled(voids, &["TRANSFER_POSTED"]).await;
        assert!((posted, voided) == (4, 0) || (posted, voided) == (0, 4), "round {round}: {posted}, {voided}");
        assert_eq!(book.owed().await, (if posted > 0 { before - 100 } else { before }, 0), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_that_expires_as_it_is_posted_ends_once() {
    let book = Arc::new(Book::open().await);
    for round in 0..10 {
        book.post(&[book.top_up(100)]).await.expect("posted");
        let before = book.owed().await.0;
        let transfer = book.transfer(book.spend(100));
        book.reserve(std::slice::from_ref(&transfer)).await.expect("set aside");
        let (in_time, late) = (book.now(), book.clock.advance(PATIENCE));
        let end = async {
            let mut tx = book.pg.begin().await.expect("a transaction");
            let expired = ledger::expire_due(&mut tx, late, 10).await.expect("expired");
            tx.commit().await.expect("committed");
            expired
        };
        let post = async {
            let mut tx = book.pg.begin().await?;
            ledger::commit(&mut tx, in_time, &[transfer.id]).await?;
            Ok(tx.commit().await?)
        };
        let (expired, posted): (usize, kernel::Result<()>) = tokio::join!(end, post);
        assert!(expired == usize::from(posted.is_err()), "round {round}: {expired} {posted:?}");
        assert_eq!(book.owed().await, (if posted.is_ok() { before - 100 } else { before }, 0), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twins_of_a_posting_are_one() {
    let book = Arc::new(Book::open().await);
    let twin =
        Transaction::moving(Kind::Capture, source(), book.cash(), book.principal(), cny(5)).expect("it balances");
    let mut calls = JoinSet::new();
    for _ in 0..32 {
        let (book, twin) = (Arc::clone(&book), twin.clone());
        calls.spawn(async move { book.post(&[twin]).await });
    }
    assert_eq!(settled(calls, &["ALREADY_POSTED"]).await, 1);
    assert_eq!(book.owed().await, (5, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_payers_on_one_account_leave_it_exact() {
    let book = Arc::new(Book::open().await);
    book.post(&[book.top_up(64 * 10)]).await.expect("posted");
    let mut calls = JoinSet::new();
    for payer in 0..64_i64 {
        let book = Arc::clone(&book);
        calls.spawn(async move {
            // Each takes 11 in parts and puts one back, so that at the end all of it is gone.
            book.post(&[book.spend(1 + payer % 5)]).await?;
            book.post(&[book.top_up(1), book.sale(3)]).await?;
            book.post(&[book.spend(10 - payer % 5)]).await
        });
    }
    // Whoever comes late may find less than he wants, for a moment.
    let done = settled(calls, &["INSUFFICIENT_BALANCE"]).await;
    let (posted, reserved) = book.owed().await;
    let taken = book.count(
        "select coalesce(sum(amount_minor), 0)::bigint from ledger_entry where account = 'stored_value_principal'",
    );
    assert_eq!((posted, reserved), (-taken.await, 0));
    assert!(posted >= 0 && (done < 64 || posted == 0), "{done} {posted}");
    assert_eq!(book.balances().await["stored_value_principal"], -posted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payers_of_several_cards_wait_for_each_other_in_one_order() {
    let book = Arc::new(Book::open().await);
    let other = Account::StoredValuePrincipal.at(book.store).of(Party::new("cards", fresh()));
    let one = book.principal();
    book.post(&[book.moving(book.cash(), one.clone(), 1_000), book.moving(book.cash(), other.clone(), 1_000)])
        .await
        .expect("posted");
    let mut calls = JoinSet::new();
    for n in 0..40 {
        let (book, one, other) = (Arc::clone(&book), one.clone(), other.clone());
        calls.spawn(async move {
            let (first, second) = if n % 2 == 0 { (one, other) } else { (other, one) };
            let spend = |from| book.moving(from, book.takings(), 25);
            book.post(&[spend(first), spend(second)]).await
        });
    }
    assert_eq!(settled(calls, &[]).await, 40, "nobody is turned away by a deadlock");
    assert_eq!(book.owed().await, (0, 0));
}
