use kernel::{Currency, Money};
use testkit::{keys, with_token};

use super::*;
use crate::support::member;

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::parse("c", "USD").expect("known"))
}

#[tokio::test]
async fn what_can_not_be_given_is_refused() {
    let (world, me) = (World::new().await, member());
    let with = |amount: Money| pb::IssueCouponRequest { amount: Some(to_money(amount)), min_spend: None, ..gift(me) };
    for request in [
        with(cny(0)),
        with(cny(-1)),
        with(cny(100_001)),
        with(cny(i64::MAX)),
        pb::IssueCouponRequest { min_spend: Some(to_money(cny(-1))), ..gift(me) },
        pb::IssueCouponRequest { min_spend: Some(to_money(usd(1))), ..gift(me) },
        pb::IssueCouponRequest { amount: None, ..gift(me) },
        pb::IssueCouponRequest { valid_days: 0, ..gift(me) },
        pb::IssueCouponRequest { valid_days: 3_651, ..gift(me) },
        pb::IssueCouponRequest { reason: String::new(), ..gift(me) },
        pb::IssueCouponRequest { customer: "members/7".to_owned(), ..gift(me) },
        pb::IssueCouponRequest { request_id: "7".to_owned(), ..gift(me) },
    ] {
        assert_eq!(why(issue(&world, request.clone()).await), "INVALID_ARGUMENT", "{request:?}");
    }
    issue(&world, with(cny(100_000))).await.expect("the most that is allowed");
    let request = gift(me);
    issue(&world, request.clone()).await.expect("given");
    let other = pb::IssueCouponRequest { valid_days: 1, ..request };
    assert_eq!(why(issue(&world, other).await), "REQUEST_ID_REUSED");
    assert_eq!(states(&world, me).await.len(), 2);
}

#[tokio::test]
async fn what_can_not_be_used_is_refused_and_changes_nothing() {
    let (world, me, other) = (World::new().await, member(), member());
    let coupon = issued(&world, me).await;
    let first_visit = world.coupon(me).await.name;
    let good = || use_of(&world, &coupon);
    let amount = |amount: Money| pb::ReserveCouponRequest { amount: Some(to_money(amount)), ..good() };
    for (request, expected) in [
        (amount(cny(0)), "INVALID_ARGUMENT"),
        (amount(cny(-1)), "INVALID_ARGUMENT"),
        (amount(cny(5_001)), "COUPON_WORTH_EXCEEDED"),
        (amount(cny(i64::MAX)), "COUPON_WORTH_EXCEEDED"),
        (amount(usd(5_000)), "CURRENCY_MISMATCH"),
        (pb::ReserveCouponRequest { order_total: Some(to_money(cny(9_999))), ..good() }, "COUPON_MIN_SPEND"),
        (pb::ReserveCouponRequest { order_total: Some(to_money(usd(20_000))), ..good() }, "CURRENCY_MISMATCH"),
        (pb::ReserveCouponRequest { customer: other.name(), ..good() }, "NOT_FOUND"),
        (pb::ReserveCouponRequest { coupon: format!("coupons/{}", uuid_v7(START)), ..good() }, "NOT_FOUND"),
        // One that takes a part off a price pays nothing.
        (pb::ReserveCouponRequest { coupon: first_visit, ..good() }, "NOT_FOUND"),
        (pb::ReserveCouponRequest { expire_time: Some(to_timestamp(START)), ..good() }, "INVALID_ARGUMENT"),
        (pb::ReserveCouponRequest { expire_time: Some(to_timestamp(START + 61 * DAY)), ..good() }, "INVALID_ARGUMENT"),
        (pb::ReserveCouponRequest { redemption_id: "7".to_owned(), ..good() }, "INVALID_ARGUMENT"),
    ] {
        assert_eq!(why(reserve(&world, &request).await), expected, "{request:?}");
    }
    assert_eq!(why(commit(&world, &good()).await), "NOT_FOUND");
    assert_eq!(why(give_back(&world, &good()).await), "NOT_FOUND");
    let others = pb::ReserveCouponRequest { customer: other.name(), ..good() };
    assert_eq!(why(void(&world, &others).await), "NOT_FOUND");
    assert_eq!(states(&world, me).await, [State::Available]);
    world.clock.advance(90 * DAY);
    assert_eq!(why(reserve(&world, &use_of(&world, &coupon)).await), "COUPON_EXPIRED");
}

#[tokio::test]
async fn an_id_is_for_one_redemption() {
    let (world, me) = (World::new().await, member());
    let (one, two) = (issued(&world, me).await, issued(&world, me).await);
    let request = use_of(&world, &one);
    reserve(&world, &request).await.expect("set aside");
    let less = pb::ReserveCouponRequest { amount: Some(to_money(cny(1))), ..request.clone() };
    assert_eq!(why(reserve(&world, &less).await), "REQUEST_ID_REUSED");
    let another = pb::ReserveCouponRequest { coupon: two.name.clone(), ..request.clone() };
    assert_eq!(why(reserve(&world, &another).await), "REQUEST_ID_REUSED");
    assert_eq!(why(void(&world, &another).await), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn only_who_may_gives_lists_and_uses_them() {
    let (world, me, other) = (World::new().await, member(), member());
    issued(&world, me).await;
    for role in Role::ALL.iter().copied().filter(|role| !matches!(role, Role::Member | Role::Service)) {
        let may = matches!(role, Role::StoreManager | Role::RegionalManager | Role::Marketing | Role::Administrator);
        let answer = why(world.cash.clone().issue_coupon(as_staff(role, Some(world.store), gift(other))).await);
        assert_eq!(answer, if may { "OK" } else { "ROLE_NOT_ALLOWED" }, "{role:?}");
        let request = use_of(&world, &pb::CashCoupon::default());
        let answer = world.cash.clone().reserve_coupon(as_staff(role, Some(world.store), request)).await;
        assert_eq!(why(answer), "ROLE_NOT_ALLOWED", "{role:?}");
    }
    assert_eq!(why(world.cash.clone().issue_coupon(as_member(me, gift(me))).await), "ROLE_NOT_ALLOWED");
    assert_eq!(why(world.cash.clone().issue_coupon(as_service(gift(me))).await), "ROLE_NOT_ALLOWED");
    let request = pb::ListCashCouponsRequest { customer: me.name(), ..Default::default() };
    let refused = world.cash.clone().list_cash_coupons(as_member(other, request.clone())).await;
    assert_eq!(why(refused), "NOT_FOUND");
    let listed = world.cash.clone().list_cash_coupons(as_staff(Role::Support, None, request.clone())).await;
    assert_eq!(listed.expect("listed").into_inner().cash_coupons.len(), 1);
    let request = pb::CommitCouponRequest { name: name(&use_of(&world, &pb::CashCoupon::default())) };
    let member_token = keys().member_token(me);
    assert_eq!(why(world.cash.clone().commit_coupon(with_token(request, &member_token)).await), "ROLE_NOT_ALLOWED");
}
