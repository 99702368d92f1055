//! Items: phases, prices, add-ons, certificates, retirement.

use booking::domain::cancellation::Rule;
use proto::{
    booking::v1::{self as pb, phase::Resource},
    google::r#type::{DayOfWeek, TimeOfDay},
};
use rpc::convert::to_money;
use testkit::with_token;
use tonic::{Code, Response, Status};

use crate::{
    catalog_edit::mask,
    world::{World, at, cny, daily, fact, field, id, member, reason},
};

impl World {
    pub async fn get_item(&self) -> pb::Item {
        let get = pb::GetItemRequest { name: self.item.clone() };
        self.catalog().get_item(get).await.expect("an item").into_inner()
    }

    pub async fn add_item(&self, item: pb::Item) -> Result<pb::Item, Status> {
        let request = pb::CreateItemRequest { item: Some(item), request_id: id() };
        self.catalog().create_item(with_token(request, &self.admin)).await.map(Response::into_inner)
    }

    pub async fn update_item(&self, item: pb::Item, paths: &[&str]) -> Result<pb::Item, Status> {
        let request = pb::UpdateItemRequest { item: Some(item), update_mask: mask(paths), request_id: id() };
        self.catalog().update_item(with_token(request, &self.admin)).await.map(Response::into_inner)
    }

    pub async fn retire_item(&self, name: &str) -> Result<pb::Item, Status> {
        let request = pb::RetireItemRequest { name: name.to_owned(), request_id: id(), ..Default::default() };
        self.catalog().retire_item(with_token(request, &self.admin)).await.map(Response::into_inner)
    }
}

fn phase(resource: Resource, start_minutes: i32, duration_minutes: i32) -> pb::Phase {
    pb::Phase { resource: resource.into(), start_minutes, duration_minutes }
}

/// Ten minutes of preparation, an hour with the therapist, the machine in a part of it, a rest, cleaning.
fn phases() -> Vec<pb::Phase> {
    vec![phase(Resource::Room, -10, 95), phase(Resource::Therapist, 0, 60), phase(Resource::Equipment, 20, 15)]
}

fn price(store: &str, grade: i32, hours: Option<(i32, i32)>, minor: i64) -> pb::ItemPrice {
    let time = |hours| Some(TimeOfDay { hours, ..TimeOfDay::default() });
    let daypart = hours.map(|(start, end)| pb::Daypart {
        start_time: time(start),
        end_time: time(end),
        days: vec![DayOfWeek::Saturday.into(), DayOfWeek::Sunday.into()],
    });
    pb::ItemPrice { store: store.to_owned(), grade, daypart, price: Some(to_money(cny(minor))) }
}

#[tokio::test]
async fn an_item_with_all_that_belongs_to_it_reads_back() {
    let world = World::new(1, 1).await;
    let tiers = vec![pb::CancellationTier { notice_minutes: 1_440, fee_basis_points: 5_000 }];
    let wanted = pb::Item {
        duration_minutes: 75,
        preparation_minutes: 0,
        cleanup_minutes: 0,
        equipment_kind: "steam".to_owned(),
        phases: phases(),
        prices: vec![
            price(&world.store, 0, None, 18_000),
            price("", 5, None, 30_000),
            price(&world.store, 5, Some((18, 24)), 35_000),
        ],
        certificate: "physiotherapy".to_owned(),
        photos: vec!["https://example.com/thai.jpg".to_owned()],
        cancellations: vec![pb::ItemCancellation { store: world.store.clone(), tiers }],
        ..world.get_item().await
    };
    let updated = world.update_item(wanted.clone(), &[]).await.expect("changed");
    assert_eq!(updated, pb::Item { etag: "2".to_owned(), ..wanted.clone() });
    assert_eq!(world.get_item().await, updated);
    let list = world.catalog().list_items(pb::ListItemsRequest::default()).await.expect("a page").into_inner();
    assert_eq!(list.items, std::slice::from_ref(&updated));
    let mut conn = world.app.pg.conn().await.expect("a connection");
    let store = kernel::ids::StoreId::parse_name("store", &world.store).expect("a store");
    let item = kernel::ids::ItemId::parse_name("item", &world.item).expect("an item");
    let rule = booking::db::policy::cancellation(&mut conn, &world.app.policy, store, item).await.expect("a rule");
    let Rule::Tiers { own: true, tiers } = rule else { panic!("not the chain's: {rule:?}") };
    assert_eq!(tiers.iter().map(|tier| tier.notice_minutes).collect::<Vec<_>>(), [1_440]);
    assert_eq!(world.versions_without_one_event().await, 0);
}

#[tokio::test]
async fn items_that_cannot_be() {
    let world = World::new(1, 1).await;
    let good = world.get_item().await;
    let with = |phases: Vec<pb::Phase>| pb::Item {
        duration_minutes: 75,
        preparation_minutes: 0,
        cleanup_minutes: 0,
        equipment_kind: "steam".to_owned(),
        phases,
        ..good.clone()
    };
    let but = |index: usize, phase: pb::Phase| {
        let mut phases = phases();
        phases[index] = phase;
        with(phases)
    };
    let mut again = phases();
    again.push(phase(Resource::Therapist, 59, 10));
    let usd = Some(proto::google::r#type::Money { currency_code: "USD".to_owned(), units: 1, nanos: 0 });
    let nobody = kernel::ids::StoreId::new(testkit::START).name();
    let priced = |prices| pb::Item { prices, ..good.clone() };
    let added = |to: &[&str]| pb::Item { add_on_to: to.iter().map(|to| (*to).to_owned()).collect(), ..good.clone() };
    let cancelled = |store: &str| pb::ItemCancellation { store: store.to_owned(), tiers: vec![Default::default()] };
    let cases = [
        (with(again), "item.phases[3]"),
        (but(2, phase(Resource::Equipment, 20, 0)), "item.phases[2].duration_minutes"),
        (but(2, phase(Resource::Equipment, 20, 961)), "item.phases[2].duration_minutes"),
        (but(2, phase(Resource::Unspecified, 20, 5)), "item.phases[2].resource"),
        (but(0, phase(Resource::Room, 0, 74)), "item.phases"),
        (with(phases()[..2].to_vec()), "item.phases"),
        (pb::Item { equipment_kind: String::new(), ..with(phases()) }, "item.equipment_kind"),
        (pb::Item { cleanup_minutes: 5, ..with(phases()) }, "item.cleanup_minutes"),
        (priced(vec![price("", 5, None, 1), price("", 5, None, 2)]), "item.prices[1]"),
        (priced(vec![price("", 0, Some((18, 22)), 1), price("", 0, Some((21, 23)), 2)]), "item.prices[1]"),
        (priced(vec![price(&nobody, 0, None, 1)]), "item.prices[0].store"),
        (
            priced(vec![pb::ItemPrice { price: usd.clone(), ..Default::default() }]),
            "item.prices[0].price.currency_code",
        ),
        (priced(vec![price("", 6, None, 1)]), "item.prices[0].grade"),
        (priced(vec![price("", 0, Some((25, 26)), 1)]), "item.prices[0].daypart.start_time"),
        (priced(vec![price("", 5, None, -1)]), "item.prices[0].price"),
        (added(&["items/1"]), "item.add_on_to[0]"),
        (added(&[&kernel::ids::ItemId::new(testkit::START).name()]), "item.add_on_to[0]"),
        (added(&[&good.name, &good.name]), "item.add_on_to[1]"),
        (pb::Item { cancellations: vec![cancelled(&nobody)], ..good.clone() }, "item.cancellations[0].store"),
        (
            pb::Item { cancellations: vec![cancelled(&world.store), cancelled(&world.store)], ..good.clone() },
            "item.cancellations[1].store",
        ),
    ];
    for (item, what) in cases {
        let refused = world.add_item(item).await.expect_err(what);
        assert_eq!((refused.code(), field(&refused).as_str()), (Code::InvalidArgument, what));
    }
    let dollars = world.update_item(pb::Item { price: usd, ..good.clone() }, &["price"]).await.expect_err("dollars");
    assert_eq!(field(&dollars), "item.price.currency_code");
    let itself = pb::Item { add_on_to: vec![good.name.clone()], ..good.clone() };
    assert_eq!(field(&world.update_item(itself, &["add_on_to"]).await.expect_err("itself")), "item.add_on_to[0]");
    assert_eq!(world.get_item().await, good);
    assert_eq!(world.count("select count(*) from item").await, 1);
}

#[tokio::test]
async fn an_add_on_belongs_to_items_and_is_not_had_alone() {
    let world = World::new(1, 1).await;
    let plain = world.get_item().await;
    let hot_stones = pb::Item {
        display_name: "Hot stones".to_owned(),
        duration_minutes: 15,
        add_on_to: vec![world.item.clone()],
        ..plain.clone()
    };
    let added = world.add_item(hot_stones.clone()).await.expect("an add-on");
    let alone = pb::HoldSlotRequest { item: added.name.clone(), ..world.hold(at(1)) };
    assert_eq!(reason(&world.send_hold(&member().1, alone).await.expect_err("alone")), "ADD_ON_ALONE");
    let list = pb::ListItemsRequest { add_on_to: world.item.clone(), ..Default::default() };
    assert_eq!(
        world.catalog().list_items(list).await.expect("a page").into_inner().items,
        std::slice::from_ref(&added)
    );
    let nested = pb::Item { add_on_to: vec![added.name.clone()], ..hot_stones };
    assert_eq!(field(&world.add_item(nested).await.expect_err("nested")), "item.add_on_to[0]");
    let other = world.create_item("thai", "massage").await.name;
    let turned = pb::Item { add_on_to: vec![other], ..plain };
    assert_eq!(field(&world.update_item(turned, &["add_on_to"]).await.expect_err("has some")), "item.add_on_to");
}

#[tokio::test]
async fn a_retired_item_is_kept_for_what_is_booked_and_offered_to_nobody() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(1)).await;
    let retired = world.retire_item(&world.item).await.expect("retired");
    assert!(retired.retire_time.is_some());
    let refused = world.send_hold(&token, world.hold(at(3))).await.expect_err("off the menu");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "ITEM_RETIRED"));
    assert_eq!(world.get(&booking.name).await.state(), pb::booking::State::Confirmed);
    assert_eq!(world.get_item().await, retired);
    let items = async |show_retired| {
        let list = pb::ListItemsRequest { show_retired, ..Default::default() };
        world.catalog().list_items(list).await.expect("a page").into_inner().items
    };
    assert_eq!((items(false).await, items(true).await), (vec![], vec![retired.clone()]));
    assert_eq!(reason(&world.retire_item(&world.item).await.expect_err("again")), "RETIRED");
    assert_eq!(reason(&world.update_item(retired, &["category"]).await.expect_err("retired")), "RETIRED");
}

#[tokio::test]
async fn an_item_asks_for_nothing_that_booked_visits_lack() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(1)).await.name;
    let item = world.get_item().await;
    let cases = [
        (pb::Item { skill: "tuina".to_owned(), ..item.clone() }, "skill"),
        (pb::Item { certificate: "physiotherapy".to_owned(), ..item.clone() }, "certificate"),
        (pb::Item { room_kind: "foot".to_owned(), ..item.clone() }, "room_kind"),
        (pb::Item { equipment_kind: "steam".to_owned(), ..item.clone() }, "equipment_kind"),
    ];
    for (wanted, path) in &cases {
        let refused = world.update_item(wanted.clone(), &[path]).await.expect_err(path);
        assert_eq!(reason(&refused), "STRANDS_BOOKINGS", "{path}");
        assert_eq!(fact(&refused, "bookings"), booking, "{path}");
    }
    let longer = world.update_item(pb::Item { duration_minutes: 90, ..item }, &["duration_minutes"]).await;
    longer.expect("what is booked keeps its times");
    world.cancel(&token, &booking).await.expect("cancelled");
    for (wanted, path) in cases {
        world.update_item(pb::Item { etag: String::new(), ..wanted }, &[path]).await.expect(path);
    }
}

/// Every store may offer an item: an edit makes the plans of all of them old.
#[tokio::test]
async fn an_edit_of_an_item_is_an_edit_of_every_roster() {
    let world = World::new(1, 1).await;
    world.create_store(daily(9, 18), "UTC").await.expect("another store");
    let before = world.count("select sum(roster_version)::bigint from store").await;
    let item = pb::Item { category: "thai".to_owned(), ..world.get_item().await };
    world.update_item(item, &["category"]).await.expect("changed");
    assert_eq!(world.count("select sum(roster_version)::bigint from store").await, before + 2);
}
