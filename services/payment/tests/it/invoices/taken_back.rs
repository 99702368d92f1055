//! Invoices that stand for nothing any more.

use payment::worker;
use proto::payment::v1::invoice::State;

use super::{ask, number, paid, read, request, reverse, settle};
use crate::wire::{minor, refused};

#[tokio::test]
async fn an_invoice_is_red_lettered_and_what_it_stood_for_invoiced_anew() {
    let (shop, order) = paid().await;
    let first = ask(&shop, request(&order, None)).await.expect("asked for");
    settle(&shop).await;
    let reversing = reverse(&shop, &first.name).await.expect("taken back");
    assert_eq!((reversing.state(), reversing.reason.as_str()), (State::Reversing, "ISSUE_ERROR"));
    settle(&shop).await;
    let reversed = read(&shop, &first.name).await;
    assert_eq!((reversed.state(), reversed.red_number.len(), reversed.version), (State::Reversed, 20, 4));
    assert_ne!(reversed.number, reversed.red_number);
    let fapiao = shop.wechat.fapiao(&number(&first)).expect("known");
    assert_eq!((fapiao.status, fapiao.reason.as_str()), ("REVERSED", "ISSUE_ERROR"));
    assert_eq!(reverse(&shop, &first.name).await.expect("again").state(), State::Reversed, "changes nothing");

    let second = ask(&shop, request(&order, None)).await.expect("anew");
    settle(&shop).await;
    assert_eq!(read(&shop, &second.name).await.state(), State::Issued);
}

#[tokio::test]
async fn what_nobody_was_asked_for_is_gone_at_once() {
    let (shop, order) = paid().await;
    let asked = ask(&shop, request(&order, None)).await.expect("asked for");
    assert_eq!(reverse(&shop, &asked.name).await.expect("taken back").state(), State::Reversed);
    let before = shop.wechat.calls();
    assert_eq!(worker::settle_invoices(&shop.app).await.expect("seen to"), 0);
    assert_eq!((shop.wechat.calls(), shop.wechat.fapiao(&number(&asked))), (before, None));
    ask(&shop, request(&order, None)).await.expect("anew");
}

#[tokio::test]
async fn what_is_being_issued_is_issued_and_then_red_lettered() {
    let (shop, order) = paid().await;
    let asked = ask(&shop, request(&order, None)).await.expect("asked for");
    worker::settle_invoices(&shop.app).await.expect("seen to");
    assert_eq!(reverse(&shop, &asked.name).await.expect("taken back").state(), State::Reversing);
    settle(&shop).await;
    let read = read(&shop, &asked.name).await;
    assert_eq!((read.state(), read.red_number.is_empty()), (State::Reversed, false));
}

#[tokio::test]
async fn what_was_refused_cannot_be_taken_back() {
    let (shop, order) = paid().await;
    let mut wrong = request(&order, None);
    wrong.buyer.as_mut().expect("a buyer").title = "REFUSED".to_owned();
    let asked = ask(&shop, wrong).await.expect("asked for");
    settle(&shop).await;
    assert_eq!(refused(reverse(&shop, &asked.name).await).1, "INVOICE_ENDED");
}

#[tokio::test]
async fn money_that_goes_back_takes_its_invoices_with_it() {
    let (shop, order) = paid().await;
    let parts = [1_000, 5_000];
    let mut names = Vec::new();
    for fen in parts {
        names.push(ask(&shop, request(&order, Some(fen))).await.expect("a part").name);
        shop.clock.advance(std::time::Duration::from_secs(1));
    }
    settle(&shop).await;
    // 20 yuan stay: the smaller, older part still holds.
    shop.close(&order, Some(2_000)).await;
    let states = [read(&shop, &names[0]).await.state(), read(&shop, &names[1]).await.state()];
    assert_eq!(states, [State::Issued, State::Reversing], "in the transaction that gives the money back");
    settle(&shop).await;
    let reversed = read(&shop, &names[1]).await;
    assert_eq!((reversed.state(), reversed.reason.as_str()), (State::Reversed, "SERVICE_SUSPENDED"));
    assert_eq!(refused(ask(&shop, request(&order, Some(1_001))).await).1, "NOTHING_TO_INVOICE");
    let rest = ask(&shop, request(&order, None)).await.expect("for the rest");
    assert_eq!(minor(&rest.amount), 1_000);
}

#[tokio::test]
async fn the_database_refuses_what_the_code_would_not() {
    let (shop, order) = paid().await;
    ask(&shop, request(&order, None)).await.expect("asked for");
    let error = sqlx::query("update invoice set amount_minor = amount_minor + 1").execute(shop.db.pg.pool()).await;
    let error = error.expect_err("refused").into_database_error().expect("by the database");
    assert_eq!(error.constraint(), Some("invoice_within_paid"));
    // So is a refund that leaves an invoice standing.
    let refund = "insert into refund (id, order_id, position, payment_id, amount_minor, state, reason, create_time,
                                      next_attempt_time)
                  select gen_random_uuid(), order_id, 9, id, 1, 'pending', 'x', create_time, create_time from payment";
    let error = sqlx::query(refund).execute(shop.db.pg.pool()).await.expect_err("refused");
    assert_eq!(error.into_database_error().expect("by the database").constraint(), Some("invoice_within_paid"));
}
