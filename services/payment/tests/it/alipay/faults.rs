//! Calls and notices that go wrong: in the end everything is as if nothing had.

use std::time::Duration;

use kernel::Clock;
use payment::{
    sandbox::wire::{Mishap, Spoilt, Stage},
    worker::query_pending,
};
use proto::payment::v1::{order::State, payment::Tender};
use tonic::Code;

use super::MODES;
use crate::{shop::Shop, wire::refused};

const MINUTE: Duration = Duration::from_secs(60);

/// Paid once, and all books agree.
async fn assert_paid_once(shop: &Shop, order: &str, told: &str) {
    assert_eq!(shop.get(order).await.state(), State::DepositPaid, "{told}");
    let books = [("customer_deposits".to_owned(), -6_000), ("provider_receivable".to_owned(), 6_000)];
    assert_eq!(shop.books().await, books, "{told}");
    assert_eq!(shop.events(order).await, ["OrderCreated", "PaymentCaptured"], "{told}");
    let paid = shop.alipay.book().trades.values().filter(|trade| trade.stage == Stage::Paid).count();
    assert_eq!(paid, 1, "{told}");
}

#[tokio::test]
async fn a_call_that_goes_wrong_is_made_again_with_the_same_end() {
    for mode in MODES {
        for mishap in [Mishap::Down, Mishap::LoseAnswer, Mishap::Unsigned, Mishap::Forged, Mishap::Slow(5_500)] {
            // That one takes its time, and is the same in both modes.
            if matches!(mishap, Mishap::Slow(_)) && !mode {
                continue;
            }
            let told = format!("{mishap:?}, public key: {mode}");
            let shop = Shop::open(mode).await;
            let order = shop.order().await;
            let request = shop.request(&order, Tender::AlipayInStore);
            shop.alipay.mishaps.order([mishap]);
            let answer = refused(shop.try_pay(request.clone()).await);
            assert_eq!(answer.0, Code::Unavailable, "{told}");
            let payment = shop.try_pay(request).await.expect("the same request, again");
            assert_eq!(shop.alipay.book().trades.len(), 1, "{told}");
            shop.alipay.pay(&Shop::number(&payment)).expect("paid");
            assert_eq!(shop.alipay.deliver_due().await, [200], "{told}");
            assert_paid_once(&shop, &order, &told).await;
        }
    }
}

#[tokio::test]
async fn a_scan_whose_answer_is_lost_is_asked_about() {
    for mishap in [Mishap::LoseAnswer, Mishap::Forged] {
        let shop = Shop::open(true).await;
        let order = shop.order().await;
        let payer = proto::payment::v1::Payer { auth_code: "280000000000000001".to_owned(), ..Default::default() };
        let request =
            proto::payment::v1::PayOrderRequest { payer: Some(payer), ..shop.request(&order, Tender::AlipayInStore) };
        shop.alipay.mishaps.order([mishap]);
        for _ in 0..2 {
            // The second time the provider says that it is paid already, which is no refusal.
            let answer = shop.client.clone().pay_order(shop.as_desk(request.clone())).await;
            assert_eq!(refused(answer).0, Code::Unavailable);
        }
        shop.clock.advance(MINUTE + Duration::from_secs(1));
        query_pending(&shop.app).await.expect("asked");
        assert_paid_once(&shop, &order, "asked about").await;
    }
}

#[tokio::test]
async fn a_notice_that_goes_wrong_is_made_good() {
    for (spoilt, answers) in [
        (Spoilt::Twice, vec![200, 200]),
        (Spoilt::Reordered, vec![200, 200]),
        (Spoilt::Lost, vec![]),
        (Spoilt::Late, vec![]),
        (Spoilt::Forged, vec![401]),
        (Spoilt::Stale, vec![401]),
        (Spoilt::WrongAmount, vec![200]),
    ] {
        let told = format!("{spoilt:?}");
        let shop = Shop::open(true).await;
        let (order, payment) = shop.deposit(Tender::AlipayInStore).await;
        shop.alipay.pay_spoilt(&Shop::number(&payment), spoilt).expect("paid");
        assert_eq!(shop.alipay.deliver_due().await, answers, "{told}");
        let breaks = if spoilt == Spoilt::WrongAmount { vec!["AMOUNT_MISMATCH".to_owned()] } else { vec![] };
        assert_eq!(shop.breaks().await, breaks, "{told}");
        shop.clock.advance(MINUTE + Duration::from_secs(1));
        query_pending(&shop.app).await.expect("asked");
        shop.alipay.deliver_due().await;
        assert_paid_once(&shop, &order, &told).await;
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_believed_settles_nothing() {
    let shop = Shop::open(true).await;
    let (order, payment) = shop.deposit(Tender::AlipayInStore).await;
    shop.alipay.pay_spoilt(&Shop::number(&payment), Spoilt::Lost).expect("paid");
    for mishap in [Mishap::UnknownState, Mishap::WrongAmount, Mishap::Forged, Mishap::Unsigned, Mishap::Down] {
        shop.clock.advance(Duration::from_secs(601));
        shop.alipay.mishaps.order([mishap]);
        // Whether it is an error depends on the mishap; that nothing is settled does not.
        let _ = query_pending(&shop.app).await;
        assert_eq!(shop.get(&order).await.state(), State::Open, "{mishap:?}");
    }
    shop.clock.advance(Duration::from_secs(601));
    query_pending(&shop.app).await.expect("asked");
    assert_paid_once(&shop, &order, "at last").await;
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_is_asked_for_and_not_sent_twice() {
    for mishap in [Mishap::LoseAnswer, Mishap::Down, Mishap::Forged, Mishap::Unsigned] {
        let shop = Shop::open(true).await;
        let (order, payment) = shop.deposit(Tender::AlipayInStore).await;
        shop.alipay.pay(&Shop::number(&payment)).expect("paid");
        shop.alipay.deliver_due().await;
        shop.close(&order, None).await;
        shop.alipay.mishaps.order([mishap]);
        shop.send_refunds().await;
        shop.clock.advance(MINUTE);
        shop.send_refunds().await;
        let refunds: Vec<i64> = shop.alipay.book().refunds.values().map(|refund| refund.amount).collect();
        assert_eq!((refunds, shop.books().await), (vec![6_000], vec![]), "{mishap:?}");
    }
}

#[tokio::test]
async fn a_merchant_that_is_away_gets_the_notice_within_25_hours() {
    let shop = Shop::open(true).await;
    let (order, payment) = shop.deposit(Tender::AlipayInStore).await;
    shop.alipay.pay(&Shop::number(&payment)).expect("paid");
    sqlx::query("alter table notice rename to notice_away").execute(shop.db.pg.pool()).await.expect("broken");
    let start = shop.clock.now();
    for attempt in 0..7 {
        shop.clock.set(shop.alipay.next_due().expect("it is sent again"));
        assert_eq!(shop.alipay.deliver_due().await, [500], "attempt {attempt}");
    }
    sqlx::query("alter table notice_away rename to notice").execute(shop.db.pg.pool()).await.expect("mended");
    shop.clock.set(shop.alipay.next_due().expect("the last one"));
    let hours = shop.clock.now().duration_since(start).as_hours();
    assert_eq!((hours, shop.alipay.deliver_due().await), (24, vec![200]), "unchanged, and a day old");
    assert_eq!(shop.alipay.next_due(), None);
    assert_paid_once(&shop, &order, "late").await;
}
