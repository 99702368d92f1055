//! Calls and notices that go wrong: in the end everything is as if nothing had.

use std::time::Duration;

use kernel::Clock;
use payment::{
    sandbox::wire::{Mishap, Spoilt, Stage},
    worker::query_pending,
};
use proto::payment::v1::{order::State, payment::Tender};
use tonic::Code;

use super::{MODES, delivered};
use crate::{shop::Shop, wire::refused};

const MINUTE: Duration = Duration::from_secs(60);

/// Paid once, and all books agree.
async fn assert_paid_once(shop: &Shop, order: &str, told: &str) {
    assert_eq!(shop.get(order).await.state(), State::DepositPaid, "{told}");
    let books = [("customer_deposits".to_owned(), -6_000), ("provider_receivable".to_owned(), 6_000)];
    assert_eq!(shop.books().await, books, "{told}");
    assert_eq!(shop.events(order).await, ["OrderCreated", "PaymentCaptured"], "{told}");
    let paid = shop.wechat.book().trades.values().filter(|trade| trade.stage == Stage::Paid).count();
    assert_eq!(paid, 1, "{told}");
}

#[tokio::test]
async fn a_call_that_goes_wrong_is_made_again_with_the_same_end() {
    for mode in MODES {
        for mishap in [
            Mishap::Down,
            Mishap::LoseAnswer,
            Mishap::Unsigned,
            Mishap::Forged,
            Mishap::Probe,
            Mishap::Stale,
            Mishap::Slow(5_500),
        ] {
            // That one takes its time, and is the same in both modes.
            if matches!(mishap, Mishap::Slow(_)) && !mode {
                continue;
            }
            let told = format!("{mishap:?}, public key: {mode}");
            let shop = Shop::open(mode).await;
            let order = shop.order().await;
            let request = shop.request(&order, Tender::WechatNative);
            if !mode {
                // The first call of all fetches the certificates.
                shop.wechat.mishaps.order([Mishap::None, Mishap::None]);
                let probe = shop.wechat_client.clone();
                payment::peers::Provider::charge(&*probe, kernel::ids::PaymentId::from_uuid(crate::wire::fresh()))
                    .await
                    .expect("asked");
            }
            shop.wechat.mishaps.order([mishap]);
            let answer = refused(shop.try_pay(request.clone()).await);
            assert_eq!(answer.0, Code::Unavailable, "{told}");
            let payment = shop.try_pay(request).await.expect("the same request, again");
            assert_eq!(shop.wechat.book().trades.len(), 1, "{told}");
            shop.wechat.pay(&Shop::number(&payment)).expect("paid");
            assert_eq!(delivered(&shop).await, [200], "{told}");
            assert_paid_once(&shop, &order, &told).await;
        }
    }
}

#[tokio::test]
async fn a_notice_that_goes_wrong_is_made_good() {
    for (spoilt, answers) in [
        (Spoilt::Twice, vec![200, 200]),
        (Spoilt::Replayed, vec![200, 401]),
        (Spoilt::Reordered, vec![200, 200]),
        (Spoilt::Lost, vec![]),
        (Spoilt::Late, vec![]),
        (Spoilt::Forged, vec![401]),
        (Spoilt::Stale, vec![401]),
        (Spoilt::Probe, vec![401]),
        (Spoilt::WrongAmount, vec![200]),
    ] {
        let told = format!("{spoilt:?}");
        let shop = Shop::open(true).await;
        let (order, payment) = shop.deposit(Tender::WechatNative).await;
        shop.wechat.pay_spoilt(&Shop::number(&payment), spoilt).expect("paid");
        assert_eq!(delivered(&shop).await, answers, "{told}");
        let breaks = if spoilt == Spoilt::WrongAmount { vec!["AMOUNT_MISMATCH".to_owned()] } else { vec![] };
        assert_eq!(shop.breaks().await, breaks, "{told}");
        shop.clock.advance(MINUTE + Duration::from_secs(1));
        query_pending(&shop.app).await.expect("asked");
        delivered(&shop).await;
        assert_paid_once(&shop, &order, &told).await;
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_believed_settles_nothing() {
    let shop = Shop::open(true).await;
    let (order, payment) = shop.deposit(Tender::WechatNative).await;
    shop.wechat.pay_spoilt(&Shop::number(&payment), Spoilt::Lost).expect("paid");
    let mishaps = [Mishap::UnknownState, Mishap::WrongAmount, Mishap::Forged, Mishap::Probe, Mishap::Down];
    for mishap in mishaps {
        shop.clock.advance(Duration::from_secs(601));
        shop.wechat.mishaps.order([mishap]);
        // Whether it is an error depends on the mishap; that nothing is settled does not.
        let _ = query_pending(&shop.app).await;
        assert_eq!(shop.get(&order).await.state(), State::Open, "{mishap:?}");
    }
    shop.clock.advance(Duration::from_secs(601));
    query_pending(&shop.app).await.expect("asked");
    assert_paid_once(&shop, &order, "at last").await;
    assert_eq!(shop.breaks().await, ["AMOUNT_MISMATCH"]);
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_is_asked_for_and_not_sent_twice() {
    for mishap in [Mishap::LoseAnswer, Mishap::Down, Mishap::Forged, Mishap::Probe, Mishap::Unsigned] {
        let shop = Shop::open(true).await;
        let (order, payment) = shop.deposit(Tender::WechatNative).await;
        shop.wechat.pay(&Shop::number(&payment)).expect("paid");
        delivered(&shop).await;
        shop.close(&order, None).await;
        shop.wechat.mishaps.order([mishap]);
        shop.send_refunds().await;
        shop.clock.advance(MINUTE);
        shop.send_refunds().await;
        let refunds: Vec<i64> = shop.wechat.book().refunds.values().map(|refund| refund.amount).collect();
        assert_eq!(refunds, [6_000], "{mishap:?}");
        shop.wechat.finish_refunds().expect("done");
        delivered(&shop).await;
        assert_eq!(shop.books().await, [], "{mishap:?}");
    }
}

#[tokio::test]
async fn whoever_tries_it_out_orders_faults_over_http() {
    let shop = Shop::open(true).await;
    let order = shop.order().await;
    let mishaps = serde_json::json!(["none", "down", { "slow": 1 }]);
    let put = shop.http.put(format!("{}/sandbox/mishaps", shop.wechat_url)).json(&mishaps).send().await;
    assert!(put.expect("an answer").status().is_success());
    let payment = shop.try_pay(shop.request(&order, Tender::WechatH5)).await.expect("nothing went wrong");
    let page = async || {
        let answer = shop.http.get(&payment.pay_uri).send().await.expect("an answer");
        String::from_utf8(answer.bytes().await.expect("a body").to_vec()).expect("text")
    };
    assert!(page().await.contains("60.00 CNY"));
    let pressed = shop.http.post(format!("{}?fault=lost", payment.pay_uri)).send().await.expect("an answer");
    assert!(pressed.status().is_success());
    assert!(page().await.contains("Paid."));
    let again = shop.http.post(&payment.pay_uri).send().await.expect("an answer");
    assert_eq!(again.status(), reqwest::StatusCode::CONFLICT);
    let nothing = shop.http.get(format!("{}/sandbox/pay/none", shop.wechat_url)).send().await.expect("an answer");
    assert_eq!(nothing.status(), reqwest::StatusCode::NOT_FOUND);

    assert_eq!(shop.wechat.undelivered(), 0, "it is lost");
    shop.clock.advance(MINUTE + Duration::from_secs(1));
    assert!(query_pending(&shop.app).await.is_err(), "it is down, as was ordered");
    shop.clock.advance(MINUTE * 10);
    query_pending(&shop.app).await.expect("asked, a millisecond late");
    assert_paid_once(&shop, &order, "in the end").await;
}

#[tokio::test]
async fn a_merchant_that_is_away_gets_the_notice_within_a_day() {
    let shop = Shop::open(true).await;
    let (order, payment) = shop.deposit(Tender::WechatNative).await;
    // Notices are believed for 300 s only, so each is signed anew.
    shop.wechat.pay(&Shop::number(&payment)).expect("paid");
    sqlx::query("alter table notice rename to notice_away").execute(shop.db.pg.pool()).await.expect("broken");
    let start = shop.clock.now();
    for attempt in 0..15 {
        shop.clock.set(shop.wechat.next_due().expect("it is sent again"));
        assert_eq!(delivered(&shop).await, [500], "attempt {attempt}");
        assert_eq!(shop.get(&order).await.state(), State::Open);
    }
    sqlx::query("alter table notice_away rename to notice").execute(shop.db.pg.pool()).await.expect("mended");
    shop.clock.set(shop.wechat.next_due().expect("the last one"));
    let hours = shop.clock.now().duration_since(start).as_hours();
    assert_eq!((hours, delivered(&shop).await), (24, vec![200]));
    assert_eq!(shop.wechat.undelivered(), 0);
    assert_paid_once(&shop, &order, "late").await;
}
