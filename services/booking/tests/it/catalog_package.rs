//! Packages.

use kernel::ids::ItemId;
use proto::{booking::v1 as pb, google::r#type::Money};
use rpc::convert::to_money;
use testkit::with_token;
use tonic::{Code, Response, Status};

use crate::{
    catalog_edit::mask,
    world::{World, cny, fact, field, id, reason},
};

impl World {
    async fn add_package(&self, package: pb::Package) -> Result<pb::Package, Status> {
        let request = pb::CreatePackageRequest { package: Some(package), request_id: id() };
        self.packages().create_package(with_token(request, &self.admin)).await.map(Response::into_inner)
    }

    async fn update_package(&self, package: pb::Package, paths: &[&str]) -> Result<pb::Package, Status> {
        let request = pb::UpdatePackageRequest { package: Some(package), update_mask: mask(paths), request_id: id() };
        self.packages().update_package(with_token(request, &self.admin)).await.map(Response::into_inner)
    }

    async fn retire_package(&self, name: &str, etag: &str) -> Result<pb::Package, Status> {
        let (name, etag) = (name.to_owned(), etag.to_owned());
        let request = pb::RetirePackageRequest { name, etag, request_id: id() };
        self.packages().retire_package(with_token(request, &self.admin)).await.map(Response::into_inner)
    }

    async fn list_packages(&self, show_retired: bool) -> Vec<pb::Package> {
        let list = pb::ListPackagesRequest { show_retired, ..Default::default() };
        self.packages().list_packages(list).await.expect("a page").into_inner().packages
    }
}

/// The item twice.
fn combo(world: &World) -> pb::Package {
    pb::Package {
        display_name: "Twice".to_owned(),
        items: vec![world.item.clone(), world.item.clone()],
        gap_limit_minutes: 15,
        one_therapist: true,
        price: Some(to_money(cny(35_000))),
        ..pb::Package::default()
    }
}

#[tokio::test]
async fn a_package_reads_back_changes_and_retires() {
    let world = World::new(1, 1).await;
    let foot = pb::Item { display_name: "Foot care".to_owned(), ..world.get_item().await };
    let foot = world.add_item(foot).await.expect("an item").name;
    let items = vec![foot.clone(), world.item.clone(), foot];
    let made = world.add_package(pb::Package { items: items.clone(), ..combo(&world) }).await.expect("a package");
    assert_eq!((&made.items, made.gap_limit_minutes, made.one_therapist), (&items, 15, true));
    let get = pb::GetPackageRequest { name: made.name.clone() };
    assert_eq!(world.packages().get_package(get).await.expect("a package").into_inner(), made);
    let sum = world.update_package(pb::Package { price: None, ..made.clone() }, &["price"]).await.expect("the sum");
    assert_eq!((sum.price.as_ref(), &sum.items), (None, &items));
    let stale = world.update_package(made.clone(), &["price"]).await.expect_err("stale");
    assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
    assert_eq!(world.list_packages(false).await, std::slice::from_ref(&sum));
    assert_eq!(reason(&world.retire_package(&made.name, &made.etag).await.expect_err("stale")), "ETAG_MISMATCH");
    let retired = world.retire_package(&made.name, &sum.etag).await.expect("retired");
    assert_eq!((world.list_packages(false).await, world.list_packages(true).await), (vec![], vec![retired.clone()]));
    assert_eq!(reason(&world.update_package(retired, &["price"]).await.expect_err("retired")), "RETIRED");
    assert_eq!(world.count("select count(*) from outbox where type like '%PackageChanged'").await, 3);
    assert_eq!(world.versions_without_one_event().await, 0);
}

#[tokio::test]
async fn packages_that_cannot_be() {
    let world = World::new(1, 1).await;
    let dollars = |units| Some(Money { currency_code: "USD".to_owned(), units, nanos: 0 });
    let plain = world.get_item().await;
    let foreign = world.add_item(pb::Item { price: dollars(30), ..plain.clone() }).await.expect("an item").name;
    let add_on = pb::Item { add_on_to: vec![world.item.clone()], ..plain.clone() };
    let add_on = world.add_item(add_on).await.expect("an item").name;
    let long = world.add_item(pb::Item { duration_minutes: 720, ..plain.clone() }).await.expect("an item").name;
    let gone = world.add_item(plain).await.expect("an item").name;
    world.retire_item(&gone).await.expect("retired");
    let with = |second: &str| pb::Package { items: vec![world.item.clone(), second.to_owned()], ..combo(&world) };
    let cases = [
        (with(&ItemId::new(testkit::START).name()), "package.items[1]"),
        (with("items/1"), "package.items[1]"),
        (with(&foreign), "package.items[1]"),
        (with(&add_on), "package.items[1]"),
        (with(&gone), "package.items[1]"),
        (pb::Package { items: vec![long.clone(), long.clone()], ..combo(&world) }, "package.items"),
        (pb::Package { items: vec![world.item.clone()], ..combo(&world) }, "package.items"),
        (pb::Package { items: vec![world.item.clone(); 11], ..combo(&world) }, "package.items"),
        // Ten hours of treatment are fine, nine gaps of four hours are not.
        (pb::Package { items: vec![world.item.clone(); 10], gap_limit_minutes: 240, ..combo(&world) }, "package.items"),
        (pb::Package { gap_limit_minutes: -1, ..combo(&world) }, "package.gap_limit_minutes"),
        (pb::Package { price: dollars(1), ..combo(&world) }, "package.price.currency_code"),
        (pb::Package { price: Some(to_money(cny(-1))), ..combo(&world) }, "package.price"),
        (pb::Package { display_name: String::new(), ..combo(&world) }, "package.display_name"),
    ];
    for (package, what) in cases {
        let refused = world.add_package(package).await.expect_err(what);
        assert_eq!((refused.code(), field(&refused).as_str()), (Code::InvalidArgument, what));
    }
    assert_eq!(world.count("select count(*) from package").await, 0);
    world.add_package(pb::Package { items: vec![world.item.clone(); 10], ..combo(&world) }).await.expect("ten hours");
}

#[tokio::test]
async fn an_item_does_not_break_the_packages_that_have_it() {
    let world = World::new(1, 1).await;
    let package = world.add_package(combo(&world)).await.expect("a package").name;
    let refused = world.retire_item(&world.item).await.expect_err("in a package");
    assert_eq!((reason(&refused).as_str(), fact(&refused, "package")), ("IN_PACKAGE", package.clone()));
    let long = pb::Item { duration_minutes: 720, ..world.get_item().await };
    let refused = world.update_item(long, &["duration_minutes"]).await.expect_err("twice 12 hours");
    assert_eq!((reason(&refused).as_str(), fact(&refused, "package")), ("PACKAGE_IMPOSSIBLE", package.clone()));
    world.retire_package(&package, "").await.expect("retired");
    world.retire_item(&world.item).await.expect("retired");
}
