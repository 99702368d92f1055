//! Packages.

use kernel::{
    Money, Uuid,
    ids::{ItemId, PackageId},
};
use pg::PgConnection;

use super::AfterName;
use crate::{
    db::{currency, sql},
    domain::catalog::Package,
};

/// Which packages are listed.
#[derive(Debug, Clone, Copy, Default)]
struct PackageFilter {
    /// Also those that are offered no longer.
    retired: bool,
    /// Only those with this item.
    item: Option<ItemId>,
}

/// Stores a new package.
#[tracing::instrument(name = "db.package.insert", skip_all)]
pub async fn insert_package(conn: &mut PgConnection, package: &Package) -> pg::Result<()> {
    sqlx::query!(
        "insert into package (id, display_name, description, photos, gap_limit_minutes, one_therapist, price_minor,
                              currency, version, create_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        package.id.uuid(),
        package.display_name,
        package.description,
        &package.photos,
        package.gap_limit_minutes,
        package.one_therapist,
        package.price.map(Money::minor),
        package.currency.code(),
        package.version,
        sql(package.create_time) as _,
    )
    .execute(&mut *conn)
    .await?;
    insert_items(conn, package).await
}

/// Stores the new content of a package.
#[tracing::instrument(name = "db.package.update", skip_all)]
pub async fn update_package(conn: &mut PgConnection, package: &Package) -> pg::Result<()> {
    sqlx::query!(
        "update package set display_name = $2, description = $3, photos = $4, gap_limit_minutes = $5,
                            one_therapist = $6, price_minor = $7, currency = $8, version = $9, retire_time = $10
         where id = $1",
        package.id.uuid(),
        package.display_name,
        package.description,
        &package.photos,
        package.gap_limit_minutes,
        package.one_therapist,
        package.price.map(Money::minor),
        package.currency.code(),
        package.version,
        package.retire_time.map(sql) as _,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("delete from package_item where package_id = $1", package.id.uuid()).execute(&mut *conn).await?;
    insert_items(conn, package).await
}

async fn insert_items(conn: &mut PgConnection, package: &Package) -> pg::Result<()> {
    sqlx::query!(
        "insert into package_item (package_id, item_id, ordinal)
         select $1, item_id, ordinal from unnest($2::uuid[]) with ordinality as t (item_id, ordinal)",
        package.id.uuid(),
        &package.items.iter().map(|id| id.uuid()).collect::<Vec<_>>(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads a package.
#[tracing::instrument(name = "db.package.get", skip_all)]
pub async fn get_package(conn: &mut PgConnection, id: PackageId) -> pg::Result<Option<Package>> {
    let all = PackageFilter { retired: true, item: None };
    Ok(packages(conn, Some(id), all, None, 1).await?.pop())
}

/// Lists packages by name.
#[tracing::instrument(name = "db.package.list", skip_all)]
pub async fn list_packages(
    conn: &mut PgConnection,
    retired: bool,
    after: AfterName,
    limit: i64,
) -> pg::Result<Vec<Package>> {
    packages(conn, None, PackageFilter { retired, item: None }, after, limit).await
}

/// The packages that are offered and have this item.
#[tracing::instrument(name = "db.package.with", skip_all)]
pub async fn packages_with(conn: &mut PgConnection, item: ItemId) -> pg::Result<Vec<Package>> {
    packages(conn, None, PackageFilter { retired: false, item: Some(item) }, None, i64::MAX).await
}

async fn packages(
    conn: &mut PgConnection,
    id: Option<PackageId>,
    filter: PackageFilter,
    after: AfterName,
    limit: i64,
) -> pg::Result<Vec<Package>> {
    let (name, last) = after.unzip();
    let rows = sqlx::query!(
        r#"select p.*, array(select item_id from package_item i where i.package_id = p.id order by ordinal) as "items!"
           from package p
           where ($1::uuid is null or p.id = $1) and ($2 or retire_time is null)
             and ($3::uuid is null or exists (select from package_item i where i.package_id = p.id and i.item_id = $3))
             and ($4::text is null or (display_name, p.id) > ($4, $5::uuid))
           order by display_name, p.id limit $6"#,
        id.map(PackageId::uuid),
        filter.retired,
        filter.item.map(ItemId::uuid),
        name,
        last,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let currency = currency("package", row.id, &row.currency)?;
            Ok(Package {
                id: PackageId::from_uuid(row.id),
                display_name: row.display_name,
                description: row.description,
                photos: row.photos,
                items: row.items.into_iter().map(|id: Uuid| ItemId::from_uuid(id)).collect(),
                gap_limit_minutes: row.gap_limit_minutes,
                one_therapist: row.one_therapist,
                price: row.price_minor.map(|minor| Money::new(minor, currency)),
                currency,
                version: row.version,
                create_time: row.create_time.to_jiff(),
                retire_time: row.retire_time.map(jiff_sqlx::Timestamp::to_jiff),
            })
        })
        .collect()
}
