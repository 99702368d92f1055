//! Packages.

use kernel::{Error, Result, Timestamp, ids::PackageId};
use pg::{
    Tx,
    outbox::{self, NewEvent},
};
use proto::booking::v1 as pb;
use rpc::{Caller, convert::to_money};

use super::{Deed, Started, begin, finish};
use crate::{
    App, db,
    domain::{
        catalog::{Package, check_in_use, check_package},
        roster::etag,
    },
    flows::Once,
    rpc::convert::{self, Edit, to_package},
};

/// Adds a package. No plan can have been made with it, so nobody's roster changes.
pub async fn create_package(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::CreatePackageRequest>,
    package: Package,
) -> Result<pb::Package> {
    let now = package.create_time;
    let (mut tx, ticket) = match begin(app, &once, now).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(tx, ticket) => (tx, ticket),
    };
    // Its items stay as they are until it is stored.
    db::roster::share_all(&mut tx).await?;
    let package = checked(&mut tx, package).await?;
    db::catalog::insert_package(&mut tx, &package).await?;
    tell(&mut tx, &package, now).await?;
    let deed = Deed::new(caller, "package.create", package.id.name(), package.version);
    finish(tx, ticket, now, deed, to_package(&package)).await
}

/// Changes a package.
pub async fn update_package(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::UpdatePackageRequest>,
    id: PackageId,
    edit: Edit<pb::Package>,
) -> Result<pb::Package> {
    let now = app.clock.now();
    let (mut tx, ticket) = match begin(app, &once, now).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(tx, ticket) => (tx, ticket),
    };
    let before = locked(&mut tx, id, edit.etag()).await?;
    let after = convert::package(edit.onto(to_package(&before))?, now)?;
    let after = Package { id, version: before.version + 1, create_time: before.create_time, ..after };
    let after = checked(&mut tx, after).await?;
    db::catalog::update_package(&mut tx, &after).await?;
    tell(&mut tx, &after, now).await?;
    let deed = Deed { fields: &edit.fields, ..Deed::new(caller, "package.update", id.name(), after.version) };
    finish(tx, ticket, now, deed, to_package(&after)).await
}

/// Takes a package off the menu; what is booked takes place.
pub async fn retire_package(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::RetirePackageRequest>,
    id: PackageId,
    given: &str,
) -> Result<pb::Package> {
    let now = app.clock.now();
    let (mut tx, ticket) = match begin(app, &once, now).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(tx, ticket) => (tx, ticket),
    };
    let package = locked(&mut tx, id, given).await?;
    let package = Package { version: package.version + 1, retire_time: Some(now), ..package };
    db::catalog::update_package(&mut tx, &package).await?;
    tell(&mut tx, &package, now).await?;
    let deed = Deed::new(caller, "package.retire", id.name(), package.version);
    finish(tx, ticket, now, deed, to_package(&package)).await
}

/// Owns every roster, since every store may offer it, and reads the package as it is now.
async fn locked(tx: &mut Tx, id: PackageId, given: &str) -> Result<Package> {
    db::catalog::get_package(tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    db::roster::own_all(tx).await?;
    let package = db::catalog::get_package(tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    etag::check("package.etag", given, package.version)?;
    check_in_use(package.retire_time)?;
    Ok(package)
}

async fn checked(tx: &mut Tx, package: Package) -> Result<Package> {
    let items = db::catalog::get_items(tx, &package.items).await?;
    let currency = check_package(&package, &items)?;
    Ok(Package { currency, ..package })
}

async fn tell(tx: &mut Tx, package: &Package, now: Timestamp) -> Result<()> {
    let changed = pb::PackageChanged {
        package: package.id.name(),
        display_name: package.display_name.clone(),
        items: package.items.iter().map(|id| id.name()).collect(),
        price: package.price.map(to_money),
        retired: package.retire_time.is_some(),
    };
    outbox::append(tx, NewEvent::new(package.id.uuid(), package.version, now, &changed)).await?;
    Ok(())
}
