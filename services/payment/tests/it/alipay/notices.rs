//! Notices as an attacker would send them.

use kernel::{ErrorKind, ids::uuid_v7};
use payment::{
    flows::take_notice::{RawNotice, take_notice},
    peers::Headers,
};
use proto::payment::v1::{order::State, payment::Tender};

use crate::{
    dice::{Dice, cases, mutate},
    shop::Shop,
};

fn raw(body: &[u8]) -> RawNotice {
    RawNotice { provider: "alipay".to_owned(), headers: Headers::default(), body: body.to_vec() }
}

fn params(body: &[u8]) -> Vec<(String, String)> {
    let mut params: Vec<_> = form_urlencoded::parse(body).into_owned().collect();
    // What is empty isn't signed and says nothing; of a name that comes twice the last counts.
    params.retain(|(name, value)| !value.is_empty() && name != "sign_type");
    params.sort();
    params
}

#[tokio::test]
async fn of_ten_thousand_mutated_notices_none_is_accepted() {
    let seed = u64::try_from(uuid_v7(testkit::START).as_u128() & 0xFFFF_FFFF).expect("small");
    println!("seed {seed}");
    let mut dice = Dice::new(seed);
    let shop = Shop::open(true).await;
    let (order, payment) = shop.deposit(Tender::AlipayInStore).await;
    shop.alipay.pay(&Shop::number(&payment)).expect("paid");
    let body = shop.alipay.intercept().expect("a notice on its way");
    let sound = params(&body);
    let mut tried = 0;
    while tried < cases() {
        let mut sent = body.clone();
        for _ in 0..=dice.roll(2) {
            mutate(&mut dice, &mut sent);
        }
        // Some changes are only another spelling of the same form.
        if params(&sent) == sound {
            continue;
        }
        tried += 1;
        let answer = take_notice(&shop.app, raw(&sent)).await;
        let error = answer.expect_err(&format!("seed {seed}: accepted {:?}", String::from_utf8_lossy(&sent)));
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "seed {seed}: {error:?}");
    }
    assert_eq!(shop.get(&order).await.state(), State::Open, "none had an effect");
    for _ in 0..2 {
        take_notice(&shop.app, raw(&body)).await.expect("the sound one; it may come again");
    }
    assert_eq!(shop.get(&order).await.state(), State::DepositPaid);
    assert_eq!(shop.events(&order).await, ["OrderCreated", "PaymentCaptured"]);
    assert_eq!(shop.count("select count(*) from notice_break").await, 0);
}

#[tokio::test]
async fn an_old_notice_is_refused_and_a_foreign_one_too() {
    let shop = Shop::open(true).await;
    let (order, payment) = shop.deposit(Tender::AlipayInStore).await;
    shop.alipay.pay(&Shop::number(&payment)).expect("paid");
    let body = shop.alipay.intercept().expect("a notice on its way");
    shop.clock.advance(std::time::Duration::from_secs(26 * 3_600));
    let error = take_notice(&shop.app, raw(&body)).await.expect_err("refused");
    assert_eq!(error.reason(), "STALE_NOTICE");
    for body in [b"".as_slice(), b"sign=", b"sign=AAAA&sign_type=RSA2", b"%ff%fe=1&sign=x", b"sign_type=RSA"] {
        let error = take_notice(&shop.app, raw(body)).await.expect_err("refused");
        assert_eq!(error.reason(), "BAD_SIGNATURE");
    }
    assert_eq!(shop.get(&order).await.state(), State::Open);
}
