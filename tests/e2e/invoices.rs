//! Invoices through the gateway, while payment dies on the way.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    client::text,
    story::{Guest, hold, reach, register},
    suite::{PATIENCE, Suite},
    world::World,
};

/// What the sandbox has issued dies with payment, so these are the points before that; those behind it are tried within the
/// process (`services/payment/tests/it/invoices`).
const POINTS: [&str; 3] = ["payment.invoice.requested", "payment.invoice.claimed", "payment.invoice.sent"];

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_is_issued_given_and_taken_back_though_payment_dies() {
    let suite = Suite::start().await;
    let world = World::furnish(&suite).await;
    for (number, point) in POINTS.into_iter().enumerate() {
        println!("payment dies at {point}");
        let guest = register(&world, &format!("+861380000080{number}")).await;
        let booking = hold(&world, &guest).await;
        // Cash: what the sandbox knows of its own payments dies with payment.
        let cash = json!({ "purpose": "PURPOSE_DEPOSIT", "tender": "TENDER_CASH" });
        world.desk.post(&format!("/v1/{}:pay", text(&booking, "order")), cash).await;
        reach(&world, text(&booking, "name"), "STATE_CONFIRMED").await;
        suite.restart("payment", Some(point)).await;
        tokio::join!(suite.revive("payment"), through(&world, &guest, text(&booking, "order")));
    }
    let told = suite.count("payment", "select count(*) from outbox where type like '%.InvoiceChanged'").await;
    assert_eq!(told, 4 * 3, "asked for, issued, taken back, red-lettered: each once");
}

async fn through(world: &World, guest: &Guest, order: &str) {
    let buyer = json!({ "title": "王芳", "email": "fang@example.com" });
    let asked = guest.client.post(&format!("/v1/{order}/invoices"), json!({ "buyer": buyer })).await;
    let invoice = text(&asked, "name");
    let issued = until(guest, invoice, "STATE_ISSUED").await;
    assert_eq!(issued["buyer"], buyer);
    let file = eventually(PATIENCE, || async {
        let answer = guest.client.send(Method::GET, &format!("/v1/{invoice}:download"), None).await;
        answer.filter(|(status, _)| status.is_success()).map(|(_, file)| file)
    })
    .await;
    assert!(file.as_str().is_some_and(|file| file.starts_with("%PDF-")), "{file}");

    world.admin.post(&format!("/v1/{invoice}:reverse"), json!({ "reason": "REASON_ISSUE_ERROR" })).await;
    let reversed = until(guest, invoice, "STATE_REVERSED").await;
    assert!(!text(&reversed, "redNumber").is_empty(), "{reversed}");
}

async fn until(guest: &Guest, invoice: &str, state: &str) -> Value {
    eventually(PATIENCE, || async {
        let now = guest.client.get(&format!("/v1/{invoice}")).await;
        (text(&now, "state") == state).then_some(now)
    })
    .await
}
