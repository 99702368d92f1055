//! Packages.

use kernel::{Error, Result, Timestamp, ids::PackageId};
use pg::{
    Tx,
    outbox::{self, NewEvent},
};
use proto::booking::v1 as pb;
use rpc::{Caller, convert::to_money};

use super::detail;
use crate::{
    App, db,
    domain::{
        catalog::{Package, check_in_use, check_package},
        etag,
    },
    flows::{
        Once,
        edit::{Frame, Started},
    },
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
    let mut frame = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(frame) => *frame,
    };
    // Its items stay as they are until it is stored.
    db::roster::share_all(&mut frame.tx).await?;
    let package = checked(&mut frame.tx, package).await?;
    db::catalog::insert_package(&mut frame.tx, &package).await?;
    tell(&mut frame.tx, &package, now).await?;
    frame
        .finish_with(caller, "package.create", package.id.name(), detail(package.version, &[]), to_package(&package))
        .await
}

/// Changes a package.
pub async fn update_package(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::UpdatePackageRequest>,
    id: PackageId,
    edit: Edit<pb::Package>,
) -> Result<pb::Package> {
    let mut frame = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(frame) => *frame,
    };
    let now = frame.now;
    let before = locked(&mut frame.tx, id, edit.etag()).await?;
    let after = convert::package(edit.onto(to_package(&before))?, now)?;
    let after = Package { id, version: before.version + 1, create_time: before.create_time, ..after };
    let after = checked(&mut frame.tx, after).await?;
    db::catalog::update_package(&mut frame.tx, &after).await?;
    tell(&mut frame.tx, &after, now).await?;
    frame
        .finish_with(caller, "package.update", id.name(), detail(after.version, &edit.fields), to_package(&after))
        .await
}

/// Takes a package off the menu; what is booked takes place.
pub async fn retire_package(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::RetirePackageRequest>,
    id: PackageId,
    given: &str,
) -> Result<pb::Package> {
    let mut frame = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(frame) => *frame,
    };
    let now = frame.now;
    let package = locked(&mut frame.tx, id, given).await?;
    let package = Package { version: package.version + 1, retire_time: Some(now), ..package };
    db::catalog::update_package(&mut frame.tx, &package).await?;
    tell(&mut frame.tx, &package, now).await?;
    frame.finish_with(caller, "package.retire", id.name(), detail(package.version, &[]), to_package(&package)).await
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
