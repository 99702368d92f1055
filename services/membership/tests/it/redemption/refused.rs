use kernel::ids::OrderId;
use membership::Policy;

use super::*;

#[tokio::test]
async fn what_can_not_be_is_refused_and_changes_nothing() {
    let world = world().await;
    let member = world.member(PHONE).await;
    world.pay(member, 10_000).await;
    for (worth, why) in [
        (0, "INVALID_ARGUMENT"),
        (-1_000, "INVALID_ARGUMENT"),
        (999, "INVALID_ARGUMENT"),
        (1_001, "INVALID_ARGUMENT"),
        (i64::MAX, "INVALID_ARGUMENT"),
        (i64::MAX / 1_000 * 1_000, "REDEMPTION_SHARE_EXCEEDED"),
        (51_000, "REDEMPTION_SHARE_EXCEEDED"),
        (11_000, "INSUFFICIENT_POINTS"),
    ] {
        assert_eq!(reason(ask(&world, reserve(&world, new_id(), member, worth)).await), why, "{worth}");
    }
    let good = || reserve(&world, new_id(), member, 1_000);
    let usd = Money::new(1_000, Currency::parse("c", "USD").expect("known"));
    for (request, why) in [
        (pb::ReservePointsRequest { worth: Some(to_money(usd)), ..good() }, "CURRENCY_MISMATCH"),
        (pb::ReservePointsRequest { order_total: Some(to_money(usd)), ..good() }, "CURRENCY_MISMATCH"),
        (pb::ReservePointsRequest { order_total: cny(-1), ..good() }, "REDEMPTION_SHARE_EXCEEDED"),
        (pb::ReservePointsRequest { worth: None, ..good() }, "INVALID_ARGUMENT"),
        (pb::ReservePointsRequest { redemption_id: "7".to_owned(), ..good() }, "INVALID_ARGUMENT"),
        (pb::ReservePointsRequest { order: member.name(), ..good() }, "INVALID_ARGUMENT"),
        (pb::ReservePointsRequest { expire_time: Some(to_timestamp(testkit::START)), ..good() }, "INVALID_ARGUMENT"),
        (
            pb::ReservePointsRequest { expire_time: Some(to_timestamp(testkit::START + 61 * DAY)), ..good() },
            "INVALID_ARGUMENT",
        ),
        (pb::ReservePointsRequest { member: MemberId::new(testkit::START).name(), ..good() }, "NOT_FOUND"),
    ] {
        assert_eq!(reason(ask(&world, request.clone()).await), why, "{request:?}");
    }
    assert_eq!(reason(commit(&world, new_id()).await), "NOT_FOUND");
    assert_eq!(reason(back(&world, give_back(new_id(), 1)).await), "NOT_FOUND");
    assert_eq!(open(&world, member).await, 1_000);
    assert_eq!(world.count("select count(*) from points_redemption").await, 0);
}

#[tokio::test]
async fn an_id_is_for_one_redemption() {
    let world = world().await;
    let (member, other) = (world.member(PHONE).await, world.member(&phone(2)).await);
    for of in [member, other] {
        world.pay(of, 10_000).await;
    }
    let id = reserved(&world, member, 1_000).await;
    assert_eq!(reason(ask(&world, reserve(&world, id, member, 2_000)).await), "REQUEST_ID_REUSED");
    assert_eq!(reason(ask(&world, reserve(&world, id, other, 1_000)).await), "REQUEST_ID_REUSED");
    assert_eq!(reason(void(&world, id, other).await), "REQUEST_ID_REUSED");
    assert_eq!((open(&world, member).await, open(&world, other).await), (900, 1_000));
    let not_yet = back(&world, give_back(id, 1)).await;
    assert_eq!(reason(not_yet), "REDEMPTION_NOT_COMMITTED");
}

#[tokio::test]
async fn all_redemptions_of_an_order_share_its_share() {
    let world = world_with(Policy { redeem_max_share_basis_points: 3_000, ..Policy::default() }).await;
    let member = world.member(PHONE).await;
    world.pay(member, 10_000).await;
    let order = OrderId::new(testkit::START);
    let part = |minor| pb::ReservePointsRequest {
        order: order.name(),
        order_total: cny(10_000),
        ..reserve(&world, new_id(), member, minor)
    };
    ask(&world, part(2_000)).await.expect("20 of 100");
    assert_eq!(reason(ask(&world, part(2_000)).await), "REDEMPTION_SHARE_EXCEEDED");
    ask(&world, part(1_000)).await.expect("30 of 100");
    assert_eq!(open(&world, member).await, 700);
}

#[tokio::test]
async fn what_was_decided_stays_as_it_is_in_the_database_too() {
    let world = world().await;
    let member = world.member(PHONE).await;
    world.pay(member, 1_000).await;
    spent(&world, member, 1_000).await;
    for breach in [
        "update points_redemption set state = 'VOIDED'",
        "update points_redemption set points = 1",
        "delete from points_redemption",
        "update points_redemption set returned = 101",
        "update points_redemption_share set returned = 101",
        "update points_lot set remaining = 1",
        "update points_lot set spent = -1",
    ] {
        assert!(sqlx::query(breach).execute(world.db.pg.pool()).await.is_err(), "{breach}");
    }
}
