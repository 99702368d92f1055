//! People who come together.

mod hold;
mod leave;
mod places;
mod races;
mod roles;
mod search;
mod wishes;

use kernel::Timestamp;
use prost::Name;
use proto::booking::v1::{self as pb, booking_group::Payer};
use rpc::convert::to_timestamp;
use testkit::with_token;
use tonic::{Response, Status};

use crate::world::{World, id};

/// What is paid to confirm one visit, in fen.
const DEPOSIT: i64 = 3_200;

/// So many guests who want the item of the world.
pub fn guests(world: &World, count: usize) -> Vec<pb::GroupGuest> {
    vec![pb::GroupGuest { item: world.item.clone(), ..pb::GroupGuest::default() }; count]
}

/// A hold that the organiser pays.
pub fn hold(world: &World, guests: Vec<pb::GroupGuest>, start: Timestamp) -> pb::HoldGroupRequest {
    pb::HoldGroupRequest {
        store: world.store.clone(),
        guests,
        start_time: Some(to_timestamp(start)),
        payer: Payer::One.into(),
        request_id: id(),
        ..pb::HoldGroupRequest::default()
    }
}

pub async fn send(world: &World, token: &str, request: pb::HoldGroupRequest) -> Result<pb::BookingGroup, Status> {
    world.groups().hold_group(with_token(request, token)).await.map(Response::into_inner)
}

async fn get(world: &World, token: &str, name: &str) -> Result<pb::BookingGroup, Status> {
    let request = pb::GetGroupRequest { name: name.to_owned() };
    world.groups().get_group(with_token(request, token)).await.map(Response::into_inner)
}

async fn cancel(world: &World, token: &str, name: &str) -> Result<pb::BookingGroup, Status> {
    let request = pb::CancelGroupRequest { name: name.to_owned(), request_id: id(), ..Default::default() };
    world.groups().cancel_group(with_token(request, token)).await.map(Response::into_inner)
}

/// A search of which every page is read; pages of so many.
async fn search(
    world: &World,
    guests: Vec<pb::GroupGuest>,
    within_minutes: i32,
    (from, to): (Timestamp, Timestamp),
    page_size: i32,
) -> Vec<pb::GroupTime> {
    let mut request = pb::SearchGroupTimesRequest {
        store: world.store.clone(),
        guests,
        within_minutes,
        start_time: Some(to_timestamp(from)),
        end_time: Some(to_timestamp(to)),
        page_size,
        page_token: String::new(),
    };
    let mut times = Vec::new();
    loop {
        let page = world.groups().search_group_times(request.clone()).await.expect("a page").into_inner();
        times.extend(page.times);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return times;
        }
    }
}

/// The deposit of a visit is paid.
async fn pay(world: &World, booking: &pb::Booking) {
    world.fake.pay(&booking.order, DEPOSIT);
    world.paid(booking, DEPOSIT).await;
}

/// What was told of a group: each change in order.
async fn told(world: &World, group: &str) -> Vec<pb::GroupChanged> {
    let group = kernel::ids::GroupId::parse_name("group", group).expect("a group").uuid();
    let rows: Vec<(i64, String, Vec<u8>)> = sqlx::query_as(
        "select aggregate_version, type, payload from outbox where aggregate_id = $1 order by aggregate_version",
    )
    .bind(group)
    .fetch_all(world.app.pg.pool())
    .await
    .expect("events");
    let versions: Vec<i64> = rows.iter().map(|(version, ..)| *version).collect();
    assert_eq!(
        versions,
        (1..=i64::try_from(rows.len()).expect("few")).collect::<Vec<_>>(),
        "each version has one event"
    );
    assert!(rows[0].1.ends_with(&pb::GroupHeld::full_name()), "{}", rows[0].1);
    rows[1..].iter().map(|(.., payload)| prost::Message::decode(payload.as_slice()).expect("a change")).collect()
}

/// The minutes from the start of the group at which its guests start.
fn offsets(
    start: Option<prost_types::Timestamp>,
    starts: impl Iterator<Item = Option<prost_types::Timestamp>>,
) -> Vec<i64> {
    let start = start.map(|time| time.seconds).unwrap_or_default();
    starts.map(|time| (time.map(|time| time.seconds).unwrap_or_default() - start) / 60).collect()
}
