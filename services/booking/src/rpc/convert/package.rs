//! Packages.

use kernel::{
    Currency, Result, Timestamp,
    ids::{ItemId, PackageId},
};
use proto::booking::v1 as pb;
use rpc::convert::{money, to_money, to_timestamp};

use crate::domain::{catalog::Package, etag};

/// A new package. Its currency becomes known with its items; until then it is that of its price.
pub fn package(package: pb::Package, now: Timestamp) -> Result<Package> {
    let price = package.price.as_ref().map(|price| money("package.price", Some(price))).transpose()?;
    let items = package.items.iter().enumerate();
    Ok(Package {
        id: PackageId::new(now),
        items: items
            .map(|(index, name)| ItemId::parse_name(&format!("package.items[{index}]"), name))
            .collect::<Result<_>>()?,
        display_name: package.display_name,
        description: package.description,
        photos: package.photos,
        gap_limit_minutes: package.gap_limit_minutes,
        one_therapist: package.one_therapist,
        price,
        currency: price.map_or(Currency::CNY, |price| price.currency()),
        version: 1,
        create_time: now,
        retire_time: None,
    })
}

/// A package for the wire.
pub fn to_package(package: &Package) -> pb::Package {
    pb::Package {
        name: package.id.name(),
        display_name: package.display_name.clone(),
        description: package.description.clone(),
        photos: package.photos.clone(),
        items: package.items.iter().map(|id| id.name()).collect(),
        gap_limit_minutes: package.gap_limit_minutes,
        one_therapist: package.one_therapist,
        price: package.price.map(to_money),
        etag: etag::etag(package.version),
        create_time: Some(to_timestamp(package.create_time)),
        retire_time: package.retire_time.map(to_timestamp),
    }
}
