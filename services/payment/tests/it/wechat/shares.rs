//! Profit sharing with partners.

use kernel::{Currency, Money};
use payment::{
    peers::{
        Wechat, WechatConfig,
        wechat::{Part, PartState, Receiver, Relation},
    },
    sandbox::wire::Mishap,
};

use super::MODES;
use crate::{shop::Shop, wire::fresh};

fn fen(fen: i64) -> Money {
    Money::new(fen, Currency::CNY)
}

fn number() -> String {
    fresh().simple().to_string()
}

fn part(account: &str, amount: i64) -> Part {
    let receiver = Receiver::Merchant { id: account.to_owned() };
    Part { receiver, amount: fen(amount), description: "分成".to_owned() }
}

/// A client whose payments wait to be shared, and one such payment of 60 yuan, by the provider's id.
async fn paid(shop: &Shop, public_key: bool) -> (Wechat, String) {
    let config = shop.wechat.merchant(&shop.wechat_notify_url, public_key);
    let config = WechatConfig { profit_sharing: true, ..config };
    let client = Wechat::try_new(config, shop.house.clock.clone()).expect("a client");
    let payment = shop.deposit_by(&client, payment::domain::Tender::WechatNative).await;
    shop.wechat.pay(&payment).expect("paid");
    let transaction = shop.wechat.book().trades[&payment].id.clone();
    (client, transaction)
}

#[tokio::test]
async fn what_was_paid_is_shared_called_back_and_let_go() {
    for mode in MODES {
        let shop = Shop::open(mode).await;
        let (client, transaction) = paid(&shop, mode).await;
        let store = Receiver::Merchant { id: "1900000109".to_owned() };
        client.add_receiver(&store, Some("静安店"), Relation::Store).await.expect("known");
        assert_eq!(shop.wechat.receiver("1900000109").as_deref(), Some("静安店"), "it came encrypted");
        let person = Receiver::Person { openid: "o-therapist".to_owned() };
        client.add_receiver(&person, None, Relation::Staff).await.expect("known");

        assert_eq!(client.unshared(&transaction).await.expect("asked"), 6_000);
        let (first, stranger) = (number(), number());
        let parts = [part("1900000109", 3_000), Part { receiver: person.clone(), ..part("", 500) }];
        assert_eq!(client.shared(&transaction, &first).await.expect("asked"), None);
        for _ in 0..2 {
            let shared = client.share(&transaction, &first, &parts, false).await.expect("shared");
            assert!(
                shared.finished && shared.parts.iter().all(|part| part.state == PartState::Succeeded),
                "{shared:?}"
            );
        }
        assert_eq!(client.unshared(&transaction).await.expect("asked"), 2_500, "once, however often it is sent");
        let known = client.shared(&transaction, &first).await.expect("asked").expect("known");
        assert_eq!(known.parts.iter().map(|part| part.amount).sum::<i64>(), 3_500);
        for wrong in [part("1900000777", 100), part("1900000109", 2_501)] {
            let error = client.share(&transaction, &stranger, &[wrong], false).await.expect_err("refused");
            assert_eq!(error.reason(), "PROVIDER_REFUSED");
        }

        let back = number();
        for _ in 0..2 {
            let state = client.call_back(&first, &back, "1900000109", fen(1_000), "退款").await.expect("called back");
            assert_eq!(state, PartState::Succeeded);
        }
        assert_eq!(client.called_back(&first, &back).await.expect("asked"), Some(PartState::Succeeded));
        let error = client.call_back(&first, &number(), "1900000109", fen(2_001), "退款").await.expect_err("too much");
        assert_eq!(error.reason(), "PROVIDER_REFUSED");

        let shared = client.finish_sharing(&transaction, &number(), "完结").await.expect("let go");
        assert_eq!(shared.parts.iter().map(|part| part.amount).collect::<Vec<_>>(), [2_500]);
        assert_eq!(client.unshared(&transaction).await.expect("asked"), 0);
        client.remove_receiver(&person).await.expect("forgotten");
        assert_eq!(shop.wechat.receiver("o-therapist"), None);
    }
}

#[tokio::test]
async fn a_sharing_whose_answer_is_lost_is_asked_about() {
    let shop = Shop::open(true).await;
    let (client, transaction) = paid(&shop, true).await;
    let store = Receiver::Merchant { id: "1900000109".to_owned() };
    client.add_receiver(&store, Some("静安店"), Relation::Partner).await.expect("known");
    let once = number();
    shop.wechat.mishaps.order([Mishap::LoseAnswer]);
    let parts = [part("1900000109", 3_000)];
    assert!(client.share(&transaction, &once, &parts, true).await.is_err());
    let known = client.shared(&transaction, &once).await.expect("asked").expect("it was done");
    assert_eq!((known.finished, known.parts[0].amount), (true, 3_000));
    client.share(&transaction, &once, &parts, true).await.expect("and is found by its number");
    assert_eq!(client.unshared(&transaction).await.expect("asked"), 0);
}
