//! Posting, and transfers in two phases.

use kernel::{Error, ErrorKind, ids::LedgerTransferId};
use payment::{
    db::ledger,
    domain::ledger::{Kind, Transaction, TransferState},
};

use super::book::{Book, PATIENCE, cny, reason, source};
use crate::wire::fresh;

#[tokio::test]
async fn what_is_posted_is_owed_and_no_more_is_taken() {
    let book = Book::open().await;
    book.post(&[book.top_up(100)]).await.expect("posted");
    book.post(&[book.spend(60)]).await.expect("posted");
    let error: Error = book.post(&[book.spend(41)]).await.expect_err("too much");
    assert_eq!((error.kind(), error.reason()), (ErrorKind::FailedPrecondition, "INSUFFICIENT_BALANCE"));
    assert_eq!(book.owed().await, (40, 0));
    book.post(&[book.spend(40)]).await.expect("posted");
    assert_eq!(book.owed().await, (0, 0));
    let balances = book.balances().await;
    assert_eq!((balances["cash_drawer"], balances["takings"], balances["stored_value_principal"]), (100, -100, 0));
}

#[tokio::test]
async fn taken_from_a_card_that_never_was_is_refused() {
    let book = Book::open().await;
    assert_eq!(reason(book.post(&[book.spend(1)]).await), "INSUFFICIENT_BALANCE");
    assert_eq!(book.count("select count(*) from ledger_transaction").await, 0);
}

#[tokio::test]
async fn nothing_is_posted_twice() {
    let book = Book::open().await;
    let source = source();
    let make = |minor| {
        Transaction::moving(Kind::Capture, source, book.cash(), book.principal(), cny(minor)).expect("it balances")
    };
    book.post(&[make(100)]).await.expect("posted");
    for again in [make(100), make(7)] {
        assert_eq!(reason(book.post(&[book.top_up(1), again]).await), "ALREADY_POSTED");
    }
    assert_eq!(book.owed().await, (100, 0));
    let twice = Transaction::moving(Kind::Forfeit, source, book.cash(), book.principal(), cny(1)).expect("it balances");
    assert_eq!(reason(book.post(&[twice.clone(), twice]).await), "ALREADY_POSTED");
    assert_eq!(book.owed().await, (100, 0));
}

#[tokio::test]
async fn what_is_set_aside_can_be_taken_by_its_transfer_only() {
    let book = Book::open().await;
    book.post(&[book.top_up(100)]).await.expect("posted");
    let transfer = book.transfer(book.spend(70));
    book.reserve(std::slice::from_ref(&transfer)).await.expect("set aside");
    assert_eq!(book.owed().await, (100, 70));
    assert_eq!(reason(book.post(&[book.spend(31)]).await), "INSUFFICIENT_BALANCE");
    assert_eq!(reason(book.reserve(&[book.transfer(book.spend(31))]).await), "INSUFFICIENT_BALANCE");
    book.post(&[book.spend(30)]).await.expect("the rest is free");
    assert_eq!(book.commit(&[transfer.id]).await.expect("posted"), 1);
    assert_eq!(book.owed().await, (0, 0));
    assert_eq!(book.balances().await["takings"], -100);
    let mut conn = book.pg.conn().await.expect("a connection");
    let stored = ledger::get_transfer(&mut conn, transfer.id).await.expect("read").expect("it is there");
    assert_eq!(stored.state, TransferState::Posted(book.now()));
    assert_eq!(stored.transaction, transfer.transaction);
}

#[tokio::test]
async fn a_transfer_is_decided_once() {
    let book = Book::open().await;
    book.post(&[book.top_up(100)]).await.expect("posted");
    let (posted, voided) = (book.transfer(book.spend(10)), book.transfer(book.spend(20)));
    book.reserve(&[posted.clone(), voided.clone()]).await.expect("set aside");
    assert_eq!(book.owed().await, (100, 30));
    assert_eq!(book.commit(&[posted.id]).await.expect("posted"), 1);
    book.void(&[voided.id]).await.expect("voided");
    for _ in 0..2 {
        assert_eq!(book.commit(&[posted.id, posted.id]).await.expect("it is posted"), 0);
        book.void(&[voided.id]).await.expect("it is voided");
        assert_eq!(reason(book.void(&[posted.id]).await), "TRANSFER_POSTED");
        assert_eq!(reason(book.commit(&[voided.id]).await), "TRANSFER_VOIDED");
    }
    assert_eq!(book.owed().await, (90, 0));
    let nobody = LedgerTransferId::from_uuid(fresh());
    assert_eq!(reason(book.commit(&[nobody]).await), "NOT_FOUND");
    assert_eq!(reason(book.reserve(&[posted]).await), "ALREADY_RESERVED");
}

#[tokio::test]
async fn one_that_can_not_be_decided_holds_back_all_of_its_call() {
    let book = Book::open().await;
    book.post(&[book.top_up(100)]).await.expect("posted");
    let (one, other) = (book.transfer(book.spend(10)), book.transfer(book.spend(20)));
    book.reserve(&[one.clone(), other.clone()]).await.expect("set aside");
    book.void(&[other.id]).await.expect("voided");
    assert_eq!(reason(book.commit(&[one.id, other.id]).await), "TRANSFER_VOIDED");
    assert_eq!(book.owed().await, (100, 10), "nothing half done");
}

#[tokio::test]
async fn nobody_waits_longer_than_its_time() {
    let book = Book::open().await;
    book.post(&[book.top_up(100)]).await.expect("posted");
    let transfers = [book.transfer(book.spend(10)), book.transfer(book.spend(20)), book.transfer(book.spend(30))];
    book.reserve(&transfers).await.expect("set aside");
    let expire = async || {
        let mut tx = book.pg.begin().await.expect("a transaction");
        let expired = ledger::expire_due(&mut tx, book.now(), 2).await.expect("expired");
        tx.commit().await.expect("committed");
        expired
    };
    book.clock.advance(PATIENCE - std::time::Duration::from_micros(1));
    assert_eq!(expire().await, 0);
    assert_eq!(book.commit(&[transfers[0].id]).await.expect("just in time"), 1);
    book.clock.advance(std::time::Duration::from_micros(1));
    assert_eq!(reason(book.commit(&[transfers[1].id]).await), "TRANSFER_EXPIRED", "though nobody has noted so");
    assert_eq!((expire().await, expire().await), (2, 0));
    assert_eq!(book.owed().await, (90, 0));
    assert_eq!(reason(book.commit(&[transfers[1].id]).await), "TRANSFER_EXPIRED");
    book.void(&[transfers[1].id]).await.expect("it has come to nothing already");
}

#[tokio::test]
async fn what_comes_in_is_nobodys_before_it_is_posted() {
    let book = Book::open().await;
    let transfer = book.transfer(book.top_up(100));
    book.reserve(std::slice::from_ref(&transfer)).await.expect("noted");
    assert_eq!(book.owed().await, (0, 0));
    assert_eq!(reason(book.post(&[book.spend(1)]).await), "INSUFFICIENT_BALANCE");
    assert_eq!(book.commit(&[transfer.id]).await.expect("posted"), 1);
    assert_eq!(book.owed().await, (100, 0));
}
