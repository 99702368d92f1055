//! Notices as an attacker would send them.

use kernel::{ErrorKind, ids::uuid_v7};
use payment::{
    flows::take_notice::{RawNotice, take_notice},
    peers::Wechat,
};
use proto::payment::v1::{order::State, payment::Tender};
use tonic::Code;

use super::MODES;
use crate::{
    dice::{Dice, cases, mutate},
    shop::Shop,
    wire::{refusal, refused},
};

#[tokio::test]
async fn of_ten_thousand_mutated_notices_none_is_accepted() {
    let seed = u64::try_from(uuid_v7(testkit::START).as_u128() & 0xFFFF_FFFF).expect("small");
    println!("seed {seed}");
    let mut dice = Dice::new(seed);
    let shop = Shop::open(true).await;
    let (order, payment) = shop.deposit(Tender::WechatNative).await;
    shop.wechat.pay(&Shop::number(&payment)).expect("paid");
    let (headers, body) = shop.wechat.intercept().expect("a notice on its way");
    let text = |name: &str| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
    let names = ["wechatpay-signature", "wechatpay-timestamp", "wechatpay-nonce", "wechatpay-serial"];
    for round in 0..cases() {
        let mut parts: Vec<Vec<u8>> = names.iter().map(|name| text(name).expect("sent").into_bytes()).collect();
        parts.push(body.clone());
        let sound = parts.clone();
        for _ in 0..=dice.roll(2) {
            // Most of what is sent is the body.
            let part = if dice.roll(2) == 0 { 4 } else { dice.roll(4) };
            mutate(&mut dice, &mut parts[part]);
        }
        if parts == sound {
            continue;
        }
        // What is no text can't be in a header.
        let texts = parts[..4].iter().map(|part| String::from_utf8(part.clone()).ok());
        let headers = names.iter().zip(texts).filter_map(|(name, text)| Some(((*name).to_owned(), text?)));
        let raw = RawNotice { provider: "wechat".to_owned(), headers: headers.collect(), body: parts[4].clone() };
        let answer = take_notice(&shop.app, raw.clone()).await;
        let error = answer.expect_err(&format!("seed {seed}, round {round}: accepted {raw:?}"));
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "seed {seed}, round {round}: {error:?}");
    }
    assert_eq!(shop.get(&order).await.state(), State::Open, "none had an effect");
    let sent: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    shop.send_notice("wechat", &sent, &body).await.expect("the sound one");
    assert_eq!(shop.get(&order).await.state(), State::DepositPaid);
    assert_eq!(shop.count("select count(*) from notice_break").await, 0);
}

#[tokio::test]
async fn a_sending_counts_once_and_an_old_one_never() {
    for mode in MODES {
        let shop = Shop::open(mode).await;
        let (order, payment) = shop.deposit(Tender::WechatNative).await;
        shop.wechat.pay(&Shop::number(&payment)).expect("paid");
        let (headers, body) = shop.wechat.intercept().expect("a notice on its way");
        let sent: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        shop.send_notice("wechat", &sent, &body).await.expect("taken in");
        for _ in 0..2 {
            let answer = refused(shop.send_notice("wechat", &sent, &body).await);
            assert_eq!(answer, (Code::Unauthenticated, "REPLAYED_NOTICE".to_owned()));
        }
        shop.clock.advance(std::time::Duration::from_secs(301));
        let answer = refused(shop.send_notice("wechat", &sent, &body).await);
        assert_eq!(answer, (Code::Unauthenticated, "STALE_NOTICE".to_owned()));
        assert_eq!(shop.events(&order).await, ["OrderCreated", "PaymentCaptured"]);
        // What can't be replayed any more is forgotten.
        shop.clock.advance(std::time::Duration::from_secs(600));
        assert_eq!(payment::worker::forget_nonces(&shop.app).await.expect("forgotten"), 1);
        assert_eq!(shop.count("select count(*) from notice_nonce").await, 0);
    }
}

#[tokio::test]
async fn a_probe_is_refused_like_any_forgery_and_does_no_harm() {
    let shop = Shop::open(true).await;
    let (order, payment) = shop.deposit(Tender::WechatNative).await;
    shop.wechat.pay(&Shop::number(&payment)).expect("paid");
    let (mut headers, body) = shop.wechat.intercept().expect("a notice on its way");
    let sound = headers.clone();
    let signature = headers.iter_mut().find(|(name, _)| *name == "wechatpay-signature").expect("signed");
    signature.1.insert_str(0, "WECHATPAY/SIGNTEST/");
    let sent: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let status = shop.send_notice("wechat", &sent, &body).await.expect_err("refused");
    assert_eq!(refusal(&status), (Code::Unauthenticated, "SIGNATURE_PROBE".to_owned()));
    assert_eq!(shop.count("select (select count(*) from notice) + (select count(*) from notice_break)").await, 0);
    // The sound sending with the same nonce still counts.
    let sent: Vec<(&str, &str)> = sound.iter().map(|(name, value)| (*name, value.as_str())).collect();
    shop.send_notice("wechat", &sent, &body).await.expect("taken in");
    assert_eq!(shop.get(&order).await.state(), State::DepositPaid);
}

#[tokio::test]
async fn a_notice_about_an_order_that_is_not_ours_is_recorded_and_acknowledged() {
    let shop = Shop::open(true).await;
    shop.deposit(Tender::WechatNative).await;
    // Another system of the same merchant has made it.
    shop.wechat.stray("till-7-receipt-12", 4_200, &shop.wechat_notify_url).expect("paid elsewhere");
    assert_eq!(super::delivered(&shop).await, [200]);
    assert_eq!(shop.breaks().await, ["UNKNOWN_PAYMENT"]);
    let known =
        shop.count("select count(*) from notice_break where reference = 'till-7-receipt-12' and amount_minor = 4200");
    assert_eq!(known.await, 1);
    assert_eq!(shop.books().await, []);
}

#[tokio::test]
async fn a_merchant_that_moves_to_the_public_key_still_believes_the_certificate() {
    let shop = Shop::open(true).await;
    let (order, payment) = shop.deposit(Tender::WechatNative).await;
    // Another of the merchant's systems has not moved yet, and the provider goes by that.
    let config = shop.wechat.merchant(&shop.wechat_notify_url, false);
    let other = Wechat::try_new(config, shop.house.clock.clone()).expect("a client");
    shop.deposit_by(&other, payment::domain::Tender::WechatNative).await;
    shop.wechat.pay(&Shop::number(&payment)).expect("paid");
    assert_eq!(super::delivered(&shop).await, [200]);
    assert_eq!(shop.get(&order).await.state(), State::DepositPaid);
}

#[tokio::test]
async fn a_forged_serial_makes_nobody_hammer_the_provider() {
    let shop = Shop::open(false).await;
    let (_, payment) = shop.deposit(Tender::WechatNative).await;
    shop.wechat.pay(&Shop::number(&payment)).expect("paid");
    let (headers, body) = shop.wechat.intercept().expect("a notice on its way");
    let before = shop.wechat.calls();
    for n in 0..50 {
        let serial = format!("FFFF{n:04}");
        let swap = |(name, value)| if name == "wechatpay-serial" { (name, serial.as_str()) } else { (name, value) };
        let sent: Vec<(&str, &str)> = headers.iter().map(|(name, value)| swap((*name, value.as_str()))).collect();
        let answer = refused(shop.send_notice("wechat", &sent, &body).await);
        assert_eq!(answer, (Code::Unauthenticated, "BAD_SIGNATURE".to_owned()));
    }
    assert!(shop.wechat.calls() - before <= 1, "{}", shop.wechat.calls() - before);
}
