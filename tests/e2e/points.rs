//! Points and a coupon that pay a part of a visit and come back, through the gateway, while payment or who keeps them dies
//! on the way.

use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    client::{minor, text},
    story::{Guest, hold, reach, register},
    suite::{PATIENCE, Suite},
    world::World,
};

/// Where somebody dies, and who.
const POINTS: [(&str, &str); 10] = [
    ("payment", "payment.peer_tender.asked"),
    ("payment", "payment.peer_tender.set_aside"),
    ("payment", "payment.peer_tender.told"),
    ("payment", "payment.peer_tender.return_told"),
    ("membership", "membership.points.reserved"),
    ("membership", "membership.points.committed"),
    ("membership", "membership.points.returned"),
    ("marketing", "marketing.coupon.reserved"),
    ("marketing", "marketing.coupon.committed"),
    ("marketing", "marketing.coupon.returned"),
];

/// A year ago everybody without points has bought something for 1,000 yuan, let us say.
const EARNED: &str = "
    with bought as (
        insert into purchase (order_id, member_id, store_id, currency, total_minor, net_minor, order_version,
                              points_rate, points_earned, pay_time)
        select gen_random_uuid(), id, gen_random_uuid(), 'CNY', 100000, 100000, 3, 10, 100, now() from member
        where not exists (select from purchase where member_id = member.id)
        returning order_id, member_id
    )
    insert into points_lot (id, member_id, order_id, earned, remaining, create_time, expire_time)
    select gen_random_uuid(), member_id, order_id, 100, 100, now(), now() + interval '10 days' from bought";

#[tokio::test(flavor = "multi_thread")]
async fn points_and_coupons_pay_and_come_back_whoever_dies_on_the_way() {
    let suite = Suite::start().await;
    let world = World::furnish(&suite).await;
    for (number, (service, point)) in POINTS.into_iter().enumerate() {
        println!("{service} dies at {point}");
        let guest = register(&world, &format!("+861380000090{number}")).await;
        suite.execute("membership", EARNED).await;
        let booking = hold(&world, &guest).await;
        // Cash: what the sandbox knows of its own payments dies with payment.
        let cash = json!({ "purpose": "PURPOSE_DEPOSIT", "tender": "TENDER_CASH" });
        world.desk.post(&format!("/v1/{}:pay", text(&booking, "order")), cash).await;
        reach(&world, text(&booking, "name"), "STATE_CONFIRMED").await;
        suite.restart(service, Some(point)).await;
        tokio::join!(suite.revive(service), through(&world, &guest, text(&booking, "order")));
    }
    let untold = "select count(*) from task where done_time is null or failure is not null and failure <> 'called off'";
    eventually(PATIENCE, || async { suite.count("payment", untold).await == 0 }).await;
    let kept = "select count(*) from points_redemption where state <> 'COMMITTED' or returned <> points";
    assert_eq!(suite.count("membership", kept).await, 0);
    let kept = "select count(*) from coupon_redemption where state <> 'RETURNED'";
    eventually(PATIENCE, || async { suite.count("marketing", kept).await == 0 }).await;
    let (sound, said) = suite.audit();
    assert!(sound, "{said}");
}

async fn through(world: &World, guest: &Guest, order: &str) {
    let now = world.admin.get(&format!("/v1/{order}")).await;
    let rest = minor(&now["total"]) - minor(&now["paid"]) - 3_000;
    let yuan = |minor: i64| json!({ "currency_code": "CNY", "units": minor / 100, "nanos": minor % 100 * 10_000_000 });
    let member = guest.client.get("/v1/members/me").await;
    let gift = json!({ "amount": yuan(2_000), "valid_days": 30, "reason": "GIFT" });
    let coupon = world.admin.post(&format!("/v1/{}/cashCoupons", text(&member, "name")), gift).await;
    let tenders = json!([
        { "tender": "TENDER_COUPON", "amount": yuan(2_000), "source": text(&coupon, "name") },
        { "tender": "TENDER_POINTS_VOUCHER", "amount": yuan(1_000) },
        { "tender": "TENDER_CASH", "amount": yuan(rest) },
    ]);
    let checkout = json!({ "purpose": "PURPOSE_BALANCE", "tenders": tenders });
    let paid = world.desk.post(&format!("/v1/{order}:checkout"), checkout).await;
    assert_eq!(text(&paid, "state"), "STATE_CAPTURED");
    changed(guest, "KIND_SPENT", "-100").await;

    // The first thing that goes back is points.
    let back = json!({ "amount": yuan(1_000), "reason": "COMPLAINT" });
    world.admin.post(&format!("/v1/{order}:refund"), back).await;
    changed(guest, "KIND_RETURNED", "100").await;
    let coupons = || async { guest.client.get("/v1/cashCoupons").await["cashCoupons"][0].clone() };
    eventually(PATIENCE, || async { text(&coupons().await, "state") == "STATE_REDEEMED" }).await;
    world.admin.post(&format!("/v1/{order}:refund"), json!({ "all": true, "reason": "COMPLAINT" })).await;
    eventually(PATIENCE, || async { text(&coupons().await, "state") == "STATE_AVAILABLE" }).await;
}

/// Waits until the guest reads of it, once.
async fn changed(guest: &Guest, kind: &str, points: &str) {
    let found: Vec<Value> = eventually(PATIENCE, || async {
        let answer = guest.client.get("/v1/members/me/pointsEntries").await;
        let all = answer["pointsEntries"].as_array().cloned().unwrap_or_default();
        let found: Vec<Value> = all.into_iter().filter(|entry| text(entry, "kind") == kind).collect();
        (!found.is_empty()).then_some(found)
    })
    .await;
    assert_eq!(found.iter().map(|entry| text(entry, "points")).collect::<Vec<_>>(), [points]);
}
