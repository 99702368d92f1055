//! What the chain offers.

use proto::{access::Role, booking::v1 as pb};
use rpc::convert::to_money;
use testkit::with_token;
use tonic::Code;

use crate::world::{World, at, cny, daily, field, id, reason};

#[tokio::test]
async fn what_is_added_reads_back_and_is_listed_by_name() {
    let world = World::new(2, 2).await;
    let store = world.catalog().get_store(pb::GetStoreRequest { name: world.store.clone() }).await.expect("a store");
    let store = store.into_inner();
    assert_eq!((store.opening_hours.clone(), store.time_zone.as_str()), (daily(10, 22), "Asia/Shanghai"));
    let item = world.catalog().get_item(pb::GetItemRequest { name: world.item.clone() }).await.expect("an item");
    assert_eq!(item.into_inner().price, Some(to_money(cny(20_000))));
    let mut request = pb::ListTherapistsRequest { store: world.store.clone(), page_size: 1, ..Default::default() };
    let first = world.catalog().list_therapists(request.clone()).await.expect("a page").into_inner();
    request.page_token = first.next_page_token;
    let second = world.catalog().list_therapists(request).await.expect("a page").into_inner();
    let names: Vec<_> = first.therapists.into_iter().chain(second.therapists).map(|t| t.name).collect();
    assert_eq!((names, second.next_page_token.as_str()), (world.therapists.clone(), ""));
    assert_eq!(world.count("select count(*) from outbox where type like '%StoreChanged'").await, 1);
}

#[tokio::test]
async fn a_therapist_has_one_shift_at_a_time() {
    let world = World::new(1, 1).await;
    let refused = world.create_shift(&world.therapists[0], at(1), at(2)).await.expect_err("overlaps");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "SHIFT_OVERLAPS"));
    world.create_shift(&world.therapists[0], at(14), at(15)).await.expect("right after it");
    let long = world.create_shift(&world.therapists[0], at(100), at(117)).await.expect_err("17 hours");
    assert_eq!(field(&long), "shift.end_time");
}

#[tokio::test]
async fn stores_that_cannot_be() {
    let world = World::new(1, 1).await;
    let nowhere = world.create_store(daily(10, 22), "Asia/Atlantis").await.expect_err("no such zone");
    assert_eq!(field(&nowhere), "store.time_zone");
    let twice = [daily(10, 22), daily(21, 23)].concat();
    let overlapping = world.create_store(twice, "UTC").await.expect_err("overlap");
    assert_eq!(field(&overlapping), "store.opening_hours[7]");
    let late = world.create_store(daily(10, 25), "UTC").await.expect_err("25:00");
    assert_eq!(field(&late), "store.opening_hours[0].close_time");
}

#[tokio::test]
async fn a_manager_furnishes_his_own_store_only() {
    let world = World::new(1, 1).await;
    let other = world.create_store(daily(9, 18), "Asia/Urumqi").await.expect("another store").name;
    let room = |store: &str| pb::CreateRoomRequest {
        room: Some(pb::Room {
            store: store.to_owned(),
            display_name: "new".to_owned(),
            kind: "massage".to_owned(),
            ..pb::Room::default()
        }),
        request_id: id(),
    };
    let manager = world.staff(Role::StoreManager);
    world.catalog().create_room(with_token(room(&world.store), &manager)).await.expect("his own");
    let refused = world.catalog().create_room(with_token(room(&other), &manager)).await.expect_err("another's");
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn an_item_priced_in_another_currency_cannot_be_had() {
    let world = World::new(1, 1).await;
    let mut item = world.create_item("thai", "massage").await;
    item.price = Some(proto::google::r#type::Money { currency_code: "USD".to_owned(), units: 30, nanos: 0 });
    let request = pb::CreateItemRequest { item: Some(item.clone()), request_id: id() };
    let item = world.catalog().create_item(with_token(request, &world.admin)).await.expect("an item").into_inner();
    let mut hold = world.hold(at(1));
    hold.item = item.name.clone();
    let refused = world.send_hold(&crate::world::member().1, hold).await.expect_err("currency");
    assert_eq!(reason(&refused), "CURRENCY_MISMATCH");
    let mut item = item;
    item.price = Some(proto::google::r#type::Money { currency_code: "CNY".to_owned(), units: 1, nanos: 5_000_000 });
    let request = pb::CreateItemRequest { item: Some(item), request_id: id() };
    let refused = world.catalog().create_item(with_token(request, &world.admin)).await.expect_err("third decimal");
    assert_eq!(field(&refused), "item.price.nanos");
}

/// One place can't be both at once: such an item would be offered and never held.
#[tokio::test]
async fn an_items_machine_is_of_another_kind_than_its_room() {
    let world = World::new(1, 1).await;
    let mut item = world.create_item("thai", "massage").await;
    item.equipment_kind = "massage".to_owned();
    let request = pb::CreateItemRequest { item: Some(item), request_id: id() };
    let refused = world.catalog().create_item(with_token(request, &world.admin)).await.expect_err("the same kind");
    assert_eq!(field(&refused), "item.equipment_kind");
}
