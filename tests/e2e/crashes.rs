//! Each service dies between any two steps of the saga; the end is the same.

use serde_json::json;
use testkit::eventually;

use crate::{
    books,
    client::text,
    story::{self, hold, pay_deposit, reach, register},
    suite::{PATIENCE, Suite},
    world::World,
};

/// A whole visit while `service` dies once at `point`.
async fn visit_through(suite: &Suite, world: &World, service: &'static str, point: &str, phone: &str) {
    println!("{service} dies at {point}");
    suite.restart(service, Some(point)).await;
    tokio::join!(suite.revive(service), story::visit(suite, world, phone));
}

/// A visit that is cancelled while `service` dies once at `point`.
async fn cancel_through(suite: &Suite, world: &World, service: &'static str, point: &str, phone: &str) {
    println!("{service} dies at {point}");
    let guest = register(world, phone).await;
    let booking = hold(world, &guest).await;
    pay_deposit(&guest, &booking, "").await;
    reach(world, text(&booking, "name"), "STATE_CONFIRMED").await;
    suite.restart(service, Some(point)).await;
    let cancel = async {
        guest.client.post(&format!("/v1/{}:cancel", text(&booking, "name")), json!({})).await;
        books::all_refunded(world, &booking).await;
    };
    tokio::join!(suite.revive(service), cancel);
    books::balance(suite, world).await;
}

async fn all(service: &'static str, visits: &[&str], cancellations: &[&str], prefix: u32) {
    let suite = Suite::start().await;
    let world = World::furnish(&suite).await;
    let mut phone = prefix * 100;
    for point in visits {
        phone += 1;
        visit_through(&suite, &world, service, point, &format!("+86139{phone:08}")).await;
    }
    for point in cancellations {
        phone += 1;
        cancel_through(&suite, &world, service, point, &format!("+86139{phone:08}")).await;
    }
    books::every_event_counted_once(&suite, &world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn booking() {
    let visits = [
        "booking.hold.quoted",
        "booking.hold.committed",
        "booking.order.created",
        "booking.order.recorded",
        "booking.confirm.applied",
    ];
    let cancellations = ["booking.cancel.committed", "booking.close.given_up", "booking.close.called"];
    all("booking", &visits, &cancellations, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payment() {
    let visits = [
        "payment.create.committed",
        "payment.pay.pending_stored",
        "payment.pay.charge_made",
        "payment.pay.committed",
        "payment.notice.committed",
        "payment.cash.committed",
    ];
    let cancellations =
        ["payment.close.committed", "payment.refund.claimed", "payment.refund.sent", "payment.refund.committed"];
    all("payment", &visits, &cancellations, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ledger() {
    let suite = Suite::start().await;
    suite.restart("payment", Some("payment.store.noted")).await;
    let (world, ()) = tokio::join!(World::furnish(&suite), suite.revive("payment"));
    suite.ready("payment").await;
    let noted = "select count(*) from store_zone where time_zone = 'Asia/Shanghai'";
    eventually(PATIENCE, || async { suite.count("payment", noted).await == 1 }).await;

    visit_through(&suite, &world, "payment", "payment.ledger.sealed", "+8613900000601").await;
    let unsealed = "select count(*) - (select coalesce(sum(transactions), 0) from ledger_seal)::bigint
                    from ledger_transaction";
    eventually(PATIENCE, || async { suite.count("payment", unsealed).await == 0 }).await;
    visit_through(&suite, &world, "payment", "payment.commission.accrued", "+8613900000602").await;
    let accrued = "select count(*) from commission_visit";
    eventually(PATIENCE, || async { suite.count("payment", accrued).await == 2 }).await;
    books::balance(&suite, &world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn marketing() {
    let visits = [
        "marketing.code.recorded",
        "marketing.code.sent",
        "marketing.quote.committed",
        "marketing.visit.applied",
        "marketing.message.ready",
        "marketing.message.sent",
        "marketing.message.recorded",
    ];
    all("marketing", &visits, &[], 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn membership() {
    let visits = ["membership.send_code.committed", "membership.send_code.called", "membership.points.applied"];
    all("membership", &visits, &[], 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn analytics() {
    all("analytics", &["analytics.record_event.applied"], &[], 5).await;
}
