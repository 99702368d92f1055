use kernel::ids::CardId;
use payment::domain::Subject;
use proto::payment::v1::payment::Tender;
use tonic::Code;

use super::*;
use crate::{
    house::House,
    subjects::paid_ahead,
    wire::{fresh, refused, usd},
};

#[tokio::test]
async fn what_its_keeper_refuses_is_refused_and_sets_nothing_aside() {
    let house = House::open().await;
    house.coupons.fill(1_000);
    let order = house.order_of(5_000, 0).await;
    // The coupon is there, the points are not.
    let tenders = [coupon(1_000), points(1_000), tender(Tender::Cash, 3_000)];
    let answer = refused(start(&house, &request(&order, &tenders)).await);
    assert_eq!(answer, (Code::FailedPrecondition, "INSUFFICIENT_POINTS".to_owned()));
    tell(&house).await;
    assert_eq!((house.coupons.purse(), house.books().await), (1_000, vec![]));
    assert_eq!(house.get(&order).await.payments.len(), 0);
    sound(&house).await;
}

#[tokio::test]
async fn what_can_not_be_is_refused_before_anybody_is_asked() {
    let house = House::open().await;
    house.points.fill(100_000);
    let order = house.order_of(5_000, 0).await;
    let try_with = |tenders: Vec<pb::CheckoutTender>| {
        let (house, request) = (&house, request(&order, &tenders));
        async move { refused(start(house, &request).await).1 }
    };
    let cash = |minor| tender(Tender::Cash, minor);
    let bare = tender(Tender::Coupon, 1_000);
    let dollars = pb::CheckoutTender { amount: usd(1_000), ..points(0) };
    for (tenders, why) in [
        (vec![points(0), cash(5_000)], "INVALID_ARGUMENT"),
        (vec![points(-1_000), cash(6_000)], "INVALID_ARGUMENT"),
        (vec![points(1_000), points(1_000), cash(3_000)], "INVALID_ARGUMENT"),
        (vec![points(1_000), cash(4_001)], "AMOUNT_MISMATCH"),
        (vec![points(i64::MAX), cash(1)], "AMOUNT_OVERFLOW"),
        (vec![dollars, cash(4_000)], "CURRENCY_MISMATCH"),
        (vec![bare.clone(), cash(4_000)], "INVALID_ARGUMENT"),
        (vec![pb::CheckoutTender { source: "coupons/7".to_owned(), ..bare.clone() }, cash(4_000)], "INVALID_ARGUMENT"),
        (vec![pb::CheckoutTender { source: format!("coupons/{}", fresh()), ..points(5_000) }], "INVALID_ARGUMENT"),
        (vec![pb::CheckoutTender { item: format!("items/{}", fresh()), ..points(5_000) }], "INVALID_ARGUMENT"),
    ] {
        assert_eq!(try_with(tenders.clone()).await, why, "{tenders:?}");
    }
    let top_up = paid_ahead(&house, Subject::TopUp(CardId::new(testkit::START)), 5_000).await;
    assert_eq!(refused(start(&house, &request(&top_up, &[points(5_000)])).await).1, "NOT_A_VISIT");
    start(&house, &request(&order, &[cash(5_000)])).await.expect("paid");
    assert_eq!(refused(start(&house, &request(&order, &[points(5_000)])).await).1, "NOTHING_DUE");
    assert_eq!((house.points.calls(), house.coupons.calls()), (0, 0));
    assert_eq!(house.count("select count(*) from peer_tender").await, 0);
}

#[tokio::test]
async fn a_request_id_is_for_one_request() {
    let house = House::open().await;
    house.points.fill(10_000);
    let order = house.order_of(5_000, 0).await;
    let request = with_points(&order, Tender::Cash, 4_000);
    house.points.set_deaf(true);
    start(&house, &request).await.expect_err("not known");
    house.points.set_deaf(false);
    let other = super::request(&order, &[points(2_000), tender(Tender::Cash, 3_000)]);
    let other = pb::StartCheckoutRequest { request_id: request.request_id.clone(), ..other };
    assert_eq!(refused(start(&house, &other).await).1, "REQUEST_ID_REUSED");
    start(&house, &request).await.expect("goes on");
    assert_eq!(refused(start(&house, &other).await).1, "REQUEST_ID_REUSED");
    tell(&house).await;
    assert_eq!(house.points.purse(), 9_000);
    sound(&house).await;
}

#[tokio::test]
async fn nobody_pays_so_where_nobody_keeps_them() {
    let house = House::open().await;
    let order = house.order_of(5_000, 0).await;
    let peers = house.app.peers.clone();
    let bare = payment::App::new(
        house.db.pg.clone(),
        crate::house::vault(),
        house.clock.clone(),
        payment::Policy::default(),
        peers,
    );
    let feed = feed::FeedServer::new(
        house.db.pg.clone(),
        tokio::sync::watch::channel(0).1,
        tokio_util::sync::CancellationToken::new(),
    );
    let channel = testkit::serve(payment::rpc::routes(&std::sync::Arc::new(bare), feed)).await;
    let house = House { channel, ..house };
    for tender in [points(5_000), coupon(5_000)] {
        assert_eq!(refused(start(&house, &request(&order, &[tender])).await).1, "TENDER_NOT_OFFERED");
    }
}
