//! Points that pay a part of an order.

mod coming_back;
mod races;
mod refused;
mod set_aside;

use kernel::{
    Currency, Money,
    ids::{MemberId, OrderId, PointsRedemptionId},
};
use proto::membership::v1::{
    self as pb, ListPointsEntriesRequest, PointsReturned, PointsSpent, points_entry::Kind,
    redemption_service_client::RedemptionServiceClient,
};
use rpc::convert::{to_money, to_timestamp};
use tonic::{Request, Status, transport::Channel};

use crate::world::*;

pub const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

pub fn client(world: &World) -> RedemptionServiceClient<Channel> {
    RedemptionServiceClient::new(world.channel.clone())
}

pub fn as_payment<T>(world: &World, message: T) -> Request<T> {
    with(message, &testkit::keys().at(kernel::Clock::now(&*world.clock)).service_token("payment"))
}

pub fn cny(minor: i64) -> Option<proto::google::r#type::Money> {
    Some(to_money(Money::new(minor, Currency::CNY)))
}

pub fn new_id() -> PointsRedemptionId {
    PointsRedemptionId::new(testkit::START)
}

/// Points worth `minor` fen, for an order of 1,000 yuan.
pub fn reserve(world: &World, id: PointsRedemptionId, member: MemberId, minor: i64) -> pb::ReservePointsRequest {
    pb::ReservePointsRequest {
        redemption_id: id.uuid().to_string(),
        member: member.name(),
        order: OrderId::from_uuid(id.uuid()).name(),
        worth: cny(minor),
        order_total: cny(100_000),
        expire_time: Some(to_timestamp(kernel::Clock::now(&*world.clock) + DAY)),
    }
}

pub async fn ask(world: &World, request: pb::ReservePointsRequest) -> Result<pb::PointsRedemption, Status> {
    Ok(client(world).reserve_points(as_payment(world, request)).await?.into_inner())
}

/// Points worth `minor` fen are set aside.
pub async fn reserved(world: &World, member: MemberId, minor: i64) -> PointsRedemptionId {
    let id = new_id();
    ask(world, reserve(world, id, member, minor)).await.expect("set aside");
    id
}

pub async fn commit(world: &World, id: PointsRedemptionId) -> Result<pb::PointsRedemption, Status> {
    let request = pb::CommitPointsRequest { name: id.name() };
    Ok(client(world).commit_points(as_payment(world, request)).await?.into_inner())
}

/// Points worth `minor` fen are spent.
pub async fn spent(world: &World, member: MemberId, minor: i64) -> PointsRedemptionId {
    let id = reserved(world, member, minor).await;
    commit(world, id).await.expect("spent");
    id
}

pub async fn void(world: &World, id: PointsRedemptionId, member: MemberId) -> Result<pb::PointsRedemption, Status> {
    let order = OrderId::from_uuid(id.uuid()).name();
    let request = pb::VoidPointsRequest { name: id.name(), member: member.name(), order };
    Ok(client(world).void_points(as_payment(world, request)).await?.into_inner())
}

pub fn give_back(id: PointsRedemptionId, minor: i64) -> pb::ReturnPointsRequest {
    pb::ReturnPointsRequest { name: id.name(), return_id: request_id(), amount: cny(minor) }
}

/// A minute later something goes back.
pub async fn back(world: &World, request: pb::ReturnPointsRequest) -> Result<pb::PointsRedemption, Status> {
    world.minutes(1);
    Ok(client(world).return_points(as_payment(world, request)).await?.into_inner())
}

/// What the member can spend, by the balance; and that lots, redemptions, entries and events say the same.
pub async fn open(world: &World, member: MemberId) -> i64 {
    let sums: (i64, i64, i64, i64, i64) = sqlx::query_as(
        "select coalesce(sum(earned), 0)::bigint, coalesce(sum(remaining), 0)::bigint, coalesce(sum(reserved), 0)::bigint,
                coalesce(sum(spent), 0)::bigint, coalesce(sum(expired), 0)::bigint
         from points_lot where member_id = $1",
    )
    .bind(member.uuid())
    .fetch_one(world.db.pg.pool())
    .await
    .expect("sums");
    let (earned, remaining, reserved, spent, expired) = sums;
    let of = |sql: &'static str| {
        let query = sqlx::query_scalar::<_, i64>(sql).bind(member.uuid()).fetch_one(world.db.pg.pool());
        async { query.await.expect("a sum") }
    };
    let revoked = of("select coalesce(sum(points_revoked), 0)::bigint from purchase where member_id = $1").await;
    assert_eq!(earned, remaining + reserved + spent + expired + revoked, "points are conserved");
    let set_aside = of("select coalesce(sum(points), 0)::bigint from points_redemption
                        where member_id = $1 and state = 'RESERVED'")
    .await;
    let committed = of("select coalesce(sum(points - returned), 0)::bigint from points_redemption
                        where member_id = $1 and state = 'COMMITTED'")
    .await;
    assert_eq!((set_aside, committed), (reserved, spent), "what redemptions have is what lots gave");
    let entries = of("select coalesce(sum(points), 0)::bigint from points_entry where member_id = $1").await;
    assert_eq!(entries, remaining + reserved, "the entries");
    let told: i64 = world.payloads::<PointsSpent>(member.uuid()).await.iter().map(|event| event.points).sum();
    let back: i64 = world.payloads::<PointsReturned>(member.uuid()).await.iter().map(|event| event.points).sum();
    assert_eq!(told - back, spent, "the events");
    let versions: Vec<i64> = world.events(member.uuid()).await.into_iter().map(|(_, version)| version).collect();
    assert_eq!(versions, (1..).take(versions.len()).collect::<Vec<_>>(), "no gap and nothing twice");
    remaining
}

/// What the member reads of his points, the newest first; what is of one time is in no order.
pub async fn entries(world: &World, member: MemberId) -> Vec<(Kind, i64)> {
    let token = testkit::keys().at(kernel::Clock::now(&*world.clock)).member_token(member);
    let request = ListPointsEntriesRequest { member: "members/me".to_owned(), ..ListPointsEntriesRequest::default() };
    let list = world.members().list_points_entries(with(request, &token)).await.expect("lists").into_inner();
    list.points_entries.into_iter().map(|entry| (entry.kind(), entry.points)).collect()
}
