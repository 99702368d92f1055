//! The ways of real providers, over the sandbox that plays them: orders, notices and refunds through the gateway.

use reqwest::Method;
use serde_json::json;
use testkit::eventually;

use crate::{
    client::{minor, text},
    story::{Guest, hold, reach, register},
    suite::{PATIENCE, Suite},
    world::World,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_is_paid_and_given_back_in_each_way() {
    let suite = Suite::start().await;
    let world = World::furnish(&suite).await;
    let ways = [
        ("TENDER_WECHAT_JSAPI", "wechatJsapi"),
        ("TENDER_WECHAT_NATIVE", "showCode"),
        ("TENDER_WECHAT_H5", "openUri"),
        ("TENDER_ALIPAY_PAGE", "openUri"),
        ("TENDER_ALIPAY_IN_STORE", "showCode"),
    ];
    for (number, (tender, action)) in ways.into_iter().enumerate() {
        let guest = register(&world, &format!("+861380000070{number}")).await;
        let booking = hold(&world, &guest).await;
        let pay = json!({
            "purpose": "PURPOSE_DEPOSIT",
            "tender": tender,
            "payer": { "id": "o-guest", "ip": "203.0.113.7" },
        });
        let payment = guest.client.post(&format!("/v1/{}:pay", text(&booking, "order")), pay).await;
        assert!(payment["action"].get(action).is_some(), "{tender}: {payment}");
        if tender == "TENDER_ALIPAY_PAGE" {
            let page = guest.client.signed_in("").send(Method::GET, text(&payment, "payUri"), None).await;
            assert!(page.is_some_and(|(status, _)| status.is_success()), "the page opens");
        }
        press_pay(&suite, &guest, tender, text(&payment, "name")).await;
        reach(&world, text(&booking, "name"), "STATE_CONFIRMED").await;

        guest.client.post(&format!("/v1/{}:cancel", text(&booking, "name")), json!({})).await;
        let order = eventually(PATIENCE, || async {
            let order = guest.client.get(&format!("/v1/{}", text(&booking, "order"))).await;
            (minor(&order["refunded"]) > 0).then_some(order)
        })
        .await;
        assert_eq!(
            (minor(&order["paid"]), minor(&order["refunded"])),
            (minor(&payment["amount"]), minor(&payment["amount"]))
        );
    }
}

/// The customer's part, at the provider's page.
async fn press_pay(suite: &Suite, guest: &Guest, tender: &str, payment: &str) {
    let provider = if tender.starts_with("TENDER_WECHAT") { "wechat" } else { "alipay" };
    let number = payment.trim_start_matches("payments/").replace('-', "");
    let uri = format!("{}/{provider}/sandbox/pay/{number}", suite.sandbox);
    let paid = guest.client.signed_in("").send(Method::POST, &uri, Some(&json!({}))).await;
    assert!(paid.is_some_and(|(status, _)| status.is_success()), "{tender}: {uri}");
}
