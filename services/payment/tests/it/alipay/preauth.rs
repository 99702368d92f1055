//! Money that is set aside, taken and let go.

use std::time::Duration;

use kernel::{Currency, Money};
use payment::{
    domain::Action,
    peers::alipay::{AuthState, FreezeWay, NewCapture, NewFreeze},
    sandbox::wire::Mishap,
};

use super::{MODES, order_of};
use crate::{shop::Shop, wire::fresh};

fn yuan(yuan: i64) -> Money {
    Money::new(yuan * 100, Currency::CNY)
}

fn freeze(shop: &Shop, way: FreezeWay) -> NewFreeze {
    NewFreeze {
        order: fresh().simple().to_string(),
        request: fresh().simple().to_string(),
        title: "押金".to_owned(),
        amount: yuan(300),
        expire_time: shop.clock_now() + Duration::from_secs(900),
        way,
    }
}

#[tokio::test]
async fn money_is_set_aside_taken_in_part_and_let_go() {
    for mode in MODES {
        let shop = Shop::open(mode).await;
        let client = &shop.alipay_client;
        for way in [FreezeWay::App, FreezeWay::Code, FreezeWay::Scanned { auth_code: "280000000000000001".to_owned() }]
        {
            let told = format!("{way:?}");
            let new = freeze(&shop, way.clone());
            let state = async || client.freeze_state(&new.order, &new.request).await.expect("asked");
            assert_eq!(state().await, None, "{told}");
            let action = client.freeze(&new).await.expect("asked for");
            match &action {
                Action::App { .. } => {
                    assert_eq!(state().await, None, "the customer has not opened it");
                    assert_eq!(shop.alipay.open(&order_of(&action)).expect("opened"), new.order);
                }
                Action::Show { code } => assert!(code.starts_with("https://qr.alipay.com/"), "{code}"),
                other => assert_eq!(*other, Action::Wait, "{told}"),
            }
            if action != Action::Wait {
                assert_eq!(state().await.expect("known").state, AuthState::Pending, "{told}");
                shop.alipay.agree(&new.order).expect("agreed");
            }
            let operation = state().await.expect("known");
            assert_eq!((operation.state, operation.rest), (AuthState::Done, Some(30_000)), "{told}");

            let capture = NewCapture {
                authorisation: operation.authorisation.clone(),
                way,
                number: fresh().simple().to_string(),
                subject: "肩颈按摩".to_owned(),
                amount: yuan(120),
                complete: false,
            };
            client.capture(&capture).await.expect("taken");
            let more = NewCapture { number: fresh().simple().to_string(), amount: yuan(181), ..capture };
            assert_eq!(client.capture(&more).await.expect_err("more than is left").reason(), "PROVIDER_REFUSED");
            assert_eq!(state().await.expect("known").rest, Some(18_000), "{told}");

            let request = fresh().simple().to_string();
            for _ in 0..2 {
                let let_go =
                    client.unfreeze(&operation.authorisation, &request, yuan(180), "done").await.expect("let go");
                assert_eq!((let_go.state, let_go.rest), (AuthState::Done, Some(0)), "once, however often it is asked");
            }
            let known = client.freeze_state(&new.order, &request).await.expect("asked").expect("known");
            assert_eq!(known.state, AuthState::Done);
            let error =
                client.unfreeze(&operation.authorisation, "other", yuan(1), "done").await.expect_err("nothing left");
            assert_eq!(error.reason(), "PROVIDER_REFUSED");
        }
    }
}

#[tokio::test]
async fn what_nobody_has_agreed_to_is_given_up() {
    let shop = Shop::open(true).await;
    let new = freeze(&shop, FreezeWay::Code);
    shop.alipay.mishaps.order([Mishap::LoseAnswer]);
    assert!(shop.alipay_client.freeze(&new).await.is_err());
    shop.alipay_client.freeze(&new).await.expect("the same again");
    shop.alipay_client.cancel_freeze(&new.order, &new.request, "left").await.expect("given up");
    let known = shop.alipay_client.freeze_state(&new.order, &new.request).await.expect("asked").expect("known");
    assert_eq!((known.state, known.rest), (AuthState::Closed, Some(0)));
    assert!(shop.alipay.agree(&new.order).is_err());
}
