//! Points and coupons, which others keep, as tenders of a checkout.

mod interrupted;
mod paying;
mod races;
mod refused;

use std::time::Duration;

use payment::worker::tell_peers;
use proto::{
    access::Role,
    payment::v1::{self as pb, payment::Tender, refund_order_request::What},
};
use tonic::Status;

use crate::{
    audit,
    checkout::{self, client, request, start, tender},
    house::House,
    wire::{cny, fresh},
};

/// Beyond every pause of a task.
pub const LATER: Duration = Duration::from_secs(60);

/// Beyond the time in which a request can go on.
pub const TOO_LATE: Duration = Duration::from_secs(11 * 60);

pub fn points(minor: i64) -> pb::CheckoutTender {
    tender(Tender::PointsVoucher, minor)
}

pub fn coupon(minor: i64) -> pb::CheckoutTender {
    pb::CheckoutTender { source: format!("coupons/{}", fresh()), ..tender(Tender::Coupon, minor) }
}

/// 10 yuan in points, and the rest otherwise.
pub fn with_points(order: &str, other: Tender, minor: i64) -> pb::StartCheckoutRequest {
    request(order, &[points(1_000), tender(other, minor)])
}

/// Those who keep points and coupons are told all that is due.
pub async fn tell(house: &House) {
    house.clock.advance(LATER);
    tell_peers(&house.app).await.expect("told");
}

/// No invariant is broken, and nobody is still to be told anything.
pub async fn sound(house: &House) {
    house.balances().await;
    assert_eq!(audit::broken(&mut house.db.pg.conn().await.expect("a connection")).await, []);
    assert_eq!(house.count("select count(*) from task where done_time is null and due_time <= now()").await, 0);
}

pub async fn give_back(house: &House, order: &str, what: What) -> Result<pb::OrderReturn, Status> {
    let request = house.as_staff(checkout::refund(order, what), Role::StoreManager, Some(house.store));
    Ok(client(house).refund_order(request).await?.into_inner())
}

pub fn amount(minor: i64) -> What {
    What::Amount(cny(minor).expect("an amount"))
}

/// One that has given a part back and one that is open, of all of which the keepers know; for the audit's test.
pub async fn one_of_each(house: &House) {
    house.points.fill(3_000);
    let (spent, open, asked) =
        (house.order_of(5_000, 0).await, house.order_of(5_000, 0).await, house.order_of(5_000, 0).await);
    start(house, &with_points(&spent, Tender::Cash, 4_000)).await.expect("paid");
    give_back(house, &spent, amount(500)).await.expect("given back");
    tell_peers(&house.app).await.expect("told");
    start(house, &with_points(&open, Tender::Sandbox, 4_000)).await.expect("open");
    house.points.set_down(true);
    start(house, &with_points(&asked, Tender::Cash, 4_000)).await.expect_err("it is away");
    house.points.set_down(false);
}
