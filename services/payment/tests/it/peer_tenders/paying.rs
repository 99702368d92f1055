use proto::payment::v1::{
    checkout::State,
    payment::{State as PaymentState, Tender},
    refund_order_request::What,
};

use super::*;
use crate::{
    checkout::{cancel, external, get, states},
    keeper::Fate,
    wire::minor,
};

fn book(entries: &[(&str, i64)]) -> Vec<(String, i64)> {
    entries.iter().map(|(account, minor)| ((*account).to_owned(), *minor)).collect()
}

#[tokio::test]
async fn points_and_cash_pay_at_once() {
    let house = House::open().await;
    house.points.fill(1_000);
    let order = house.order_of(5_000, 0).await;
    let request = with_points(&order, Tender::Cash, 4_000);
    let paid = start(&house, &request).await.expect("paid");
    assert_eq!(states(&paid), (State::Captured, vec![PaymentState::Captured; 2]));
    assert_eq!((house.points.fate(), house.points.purse()), (Fate::Reserved, 0), "it is told by and by");
    let books = [("cash_drawer", 4_000), ("promotion_expense", 1_000), ("takings", -5_000)];
    assert_eq!(house.books().await, book(&books));
    tell(&house).await;
    assert_eq!(house.points.fate(), Fate::Committed);
    sound(&house).await;
    let calls = house.points.calls();
    assert_eq!(start(&house, &request).await.expect("the same answer"), paid);
    assert_eq!(house.points.calls(), calls, "nobody is asked again");
}

#[tokio::test]
async fn points_wait_for_the_provider_and_follow_its_outcome() {
    let house = House::open().await;
    house.points.fill(3_000);
    let orders = [house.order_of(5_000, 0).await, house.order_of(5_000, 0).await, house.order_of(5_000, 0).await];
    let mut open = Vec::new();
    for order in &orders {
        open.push(start(&house, &with_points(order, Tender::Sandbox, 4_000)).await.expect("open"));
    }
    assert_eq!(states(&open[0]), (State::Open, vec![PaymentState::Reserved, PaymentState::Pending]));
    house.succeed(&external(&open[0])).await;
    house.press(&external(&open[1]), "fail", "").await;
    house.deliver().await;
    client(&house).cancel_checkout(house.as_desk(cancel(&open[2]))).await.expect("cancelled");
    tell(&house).await;
    let mut fates = house.points.fates();
    fates.sort_by_key(|fate| *fate as u8);
    assert_eq!((fates, house.points.purse()), (vec![Fate::Committed, Fate::Voided, Fate::Voided], 2_000));
    assert_eq!(get(&house, &open[0]).await.state(), State::Captured);
    sound(&house).await;
}

#[tokio::test]
async fn a_checkout_whose_time_is_over_sets_points_free() {
    let house = House::open().await;
    house.points.fill(1_000);
    let order = house.order_of(5_000, 0).await;
    start(&house, &with_points(&order, Tender::Sandbox, 4_000)).await.expect("open");
    house.clock.advance(std::time::Duration::from_secs(36 * 60));
    payment::worker::expire_checkouts(&house.app).await.expect("ended");
    tell(&house).await;
    assert_eq!((house.points.fate(), house.points.purse()), (Fate::Voided, 1_000));
    assert_eq!(house.books().await, []);
    sound(&house).await;
}

#[tokio::test]
async fn points_go_back_first_and_coupons_last() {
    let house = House::open().await;
    house.points.fill(1_000);
    house.coupons.fill(2_000);
    let order = house.order_of(5_000, 0).await;
    let tenders = [coupon(2_000), tender(Tender::Cash, 2_000), points(1_000)];
    let paid = start(&house, &request(&order, &tenders)).await.expect("paid");
    assert_eq!(paid.payments[0].source, tenders[0].source);
    give_back(&house, &order, amount(400)).await.expect("of points");
    let both = give_back(&house, &order, amount(1_600)).await.expect("of points and cash");
    assert_eq!(both.refunds.iter().map(|refund| minor(&refund.amount)).collect::<Vec<_>>(), [600, 1_000]);
    give_back(&house, &order, amount(1_500)).await.expect("of cash and the coupon");
    tell(&house).await;
    assert_eq!(house.points.back(), [(400, false), (600, true)]);
    assert_eq!(house.coupons.back(), [(500, false)]);
    let books = [("promotion_expense", 1_500), ("takings", -1_500)];
    assert_eq!(house.books().await, book(&books));
    give_back(&house, &order, What::All(true)).await.expect("all");
    tell(&house).await;
    assert_eq!(house.coupons.back(), [(500, false), (1_500, true)]);
    assert_eq!((house.books().await, house.points.purse()), (vec![], 1_000));
    sound(&house).await;
}

#[tokio::test]
async fn ending_a_paid_order_gives_points_back_and_keeps_what_is_kept() {
    let house = House::open().await;
    house.points.fill(1_000);
    let order = house.order_of(5_000, 0).await;
    start(&house, &request(&order, &[tender(Tender::Cash, 4_000), points(1_000)])).await.expect("paid");
    house.close(&order, Some(500)).await;
    tell(&house).await;
    assert_eq!((house.points.purse(), house.points.fate()), (1_000, Fate::Committed));
    assert_eq!(house.books().await, book(&[("cash_drawer", 500), ("takings", -500)]));
    sound(&house).await;
}
