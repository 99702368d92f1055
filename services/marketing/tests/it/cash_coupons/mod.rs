//! Cash coupons: given by staff, used by payment.

mod life;
mod races;
mod refused;

use std::time::Duration;

use kernel::{
    Clock, Uuid,
    ids::{CouponRedemptionId, MemberId, OrderId, StaffId, uuid_v7},
};
use proto::{
    access::Role,
    marketing::v1::{self as pb, cash_coupon::State},
};
use rpc::convert::{to_money, to_timestamp};
use testkit::{START, keys, with_token};
use tonic::Status;

use crate::support::{World, as_member, as_service, as_staff, cny, reason};

pub const DAY: Duration = Duration::from_secs(24 * 3_600);

/// 50 yuan off orders of 100 and more, for 90 days.
pub fn gift(customer: MemberId) -> pb::IssueCouponRequest {
    pb::IssueCouponRequest {
        customer: customer.name(),
        amount: Some(to_money(cny(5_000))),
        min_spend: Some(to_money(cny(10_000))),
        valid_days: 90,
        reason: "COMPENSATION".to_owned(),
        request_id: uuid_v7(START).to_string(),
    }
}

pub async fn issue(world: &World, request: pb::IssueCouponRequest) -> Result<pb::CashCoupon, Status> {
    let manager = StaffId::from_uuid(Uuid::from_u128(7));
    let token = keys().staff_token(manager, [Role::StoreManager], Some(world.store));
    Ok(world.cash.clone().issue_coupon(with_token(request, &token)).await?.into_inner())
}

pub async fn issued(world: &World, customer: MemberId) -> pb::CashCoupon {
    issue(world, gift(customer)).await.expect("given")
}

/// The coupon pays 50 yuan of an order of 200.
pub fn use_of(world: &World, coupon: &pb::CashCoupon) -> pb::ReserveCouponRequest {
    pb::ReserveCouponRequest {
        redemption_id: uuid_v7(START).to_string(),
        coupon: coupon.name.clone(),
        customer: coupon.customer.clone(),
        order: OrderId::new(START).name(),
        amount: Some(to_money(cny(5_000))),
        order_total: Some(to_money(cny(20_000))),
        expire_time: Some(to_timestamp(world.clock.now() + DAY)),
    }
}

pub async fn reserve(world: &World, request: &pb::ReserveCouponRequest) -> Result<pb::CouponRedemption, Status> {
    Ok(world.cash.clone().reserve_coupon(as_service(request.clone())).await?.into_inner())
}

pub fn name(request: &pb::ReserveCouponRequest) -> String {
    CouponRedemptionId::from_uuid(request.redemption_id.parse().expect("a UUID")).name()
}

pub async fn commit(world: &World, of: &pb::ReserveCouponRequest) -> Result<pb::CouponRedemption, Status> {
    let request = pb::CommitCouponRequest { name: name(of) };
    Ok(world.cash.clone().commit_coupon(as_service(request)).await?.into_inner())
}

pub async fn void(world: &World, of: &pb::ReserveCouponRequest) -> Result<pb::CouponRedemption, Status> {
    let pb::ReserveCouponRequest { coupon, customer, order, .. } = of.clone();
    let request = pb::VoidCouponRequest { name: name(of), coupon, customer, order };
    Ok(world.cash.clone().void_coupon(as_service(request)).await?.into_inner())
}

pub async fn give_back(world: &World, of: &pb::ReserveCouponRequest) -> Result<pb::CouponRedemption, Status> {
    let request = pb::ReturnCouponRequest { name: name(of) };
    Ok(world.cash.clone().return_coupon(as_service(request)).await?.into_inner())
}

/// The states of a member's cash coupons as he reads them; and that each version has one event, which says the same.
pub async fn states(world: &World, customer: MemberId) -> Vec<State> {
    let request = pb::ListCashCouponsRequest::default();
    let list = world.cash.clone().list_cash_coupons(as_member(customer, request)).await.expect("listed");
    let unsound: i64 = sqlx::query_scalar(
        "select count(*) from cash_coupon as coupon
         where (select array_agg(aggregate_version order by aggregate_version) from outbox
                where aggregate_id = coupon.id) <> (select array_agg(n) from generate_series(1, coupon.version) as n)
            or (coupon.state <> 'AVAILABLE') <> exists (
                select from coupon_redemption where coupon_id = coupon.id and id = coupon.redemption_id
                   and state = case coupon.state when 'RESERVED' then 'RESERVED' else 'COMMITTED' end)
            or (select count(*) from coupon_redemption where coupon_id = coupon.id and state in ('RESERVED', 'COMMITTED'))
               <> case coupon.state when 'AVAILABLE' then 0 else 1 end",
    )
    .fetch_one(world.app.pg.pool())
    .await
    .expect("counted");
    assert_eq!(unsound, 0, "coupons, redemptions and events say the same");
    list.into_inner().cash_coupons.iter().map(pb::CashCoupon::state).collect()
}

/// Why something was refused; `OK` if it was not.
pub fn why<T>(result: Result<T, Status>) -> String {
    result.err().map_or_else(|| "OK".to_owned(), |status| reason(&status))
}
