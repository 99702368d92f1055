//! The roster of a store (its hours, rooms, therapists, shifts, blocks and what its items need) as one thing that is
//! either as a plan saw it, or not.
//!
//! A plan is made from what is committed and carried out later, in a transaction of its own. In between somebody may
//! take a shift away. So whoever keeps resources *shares* the roster first, and whoever edits it *owns* it: an advisory
//! lock, which costs no write. Owning waits for everybody who is just keeping something, so that the edit sees all that
//! was kept; sharing waits for the edit, and then finds another version.

use kernel::ids::StoreId;
use pg::PgConnection;

use super::locks::{self, Name};

/// Keeps the roster of a store from being edited until the transaction ends, and then takes `names` as
/// [`locks::take`] does; returns the roster's version. Plans of another version must be made again. To be called before
/// any row is locked.
#[tracing::instrument(name = "db.roster.share", skip_all)]
pub async fn share(conn: &mut PgConnection, store: StoreId, names: &[Name<'_>]) -> pg::Result<i64> {
    let (sorts, names) = locks::keys(names);
    // The parts of a union come one after the other.
    sqlx::query!(
        "select pg_advisory_xact_lock_shared($1)
         union all
         select pg_advisory_xact_lock(sort, name) from unnest($2::integer[], $3::integer[]) as lock (sort, name)",
        key(store),
        &sorts,
        &names,
    )
    .execute(&mut *conn)
    .await?;
    // A statement of its own: its snapshot must be newer than the lock.
    version(conn, store).await
}

/// Keeps everybody else from keeping resources of a store until the transaction ends, and gives the roster another
/// version. To be called before any row is locked. What is checked afterwards sees all that is kept.
#[tracing::instrument(name = "db.roster.own", skip_all)]
pub async fn own(conn: &mut PgConnection, store: StoreId) -> pg::Result<i64> {
    sqlx::query!("select pg_advisory_xact_lock($1)", key(store)).execute(&mut *conn).await?;
    Ok(sqlx::query_scalar!(
        "update store set roster_version = roster_version + 1 where id = $1 returning roster_version",
        store.uuid()
    )
    .fetch_one(conn)
    .await?)
}

/// Owns the rosters of all stores, for what each of them may offer. Everybody takes them in the same order.
#[tracing::instrument(name = "db.roster.own_all", skip_all)]
pub async fn own_all(conn: &mut PgConnection) -> pg::Result<()> {
    let keys = all_keys(&mut *conn).await?;
    sqlx::query!("select pg_advisory_xact_lock(key) from unnest($1::bigint[]) as key", &keys)
        .execute(&mut *conn)
        .await?;
    sqlx::query!("update store set roster_version = roster_version + 1").execute(conn).await?;
    Ok(())
}

/// Shares the menu: what all stores may offer stays as it is. For a store that is just being opened.
#[tracing::instrument(name = "db.roster.share_menu", skip_all)]
pub async fn share_menu(conn: &mut PgConnection) -> pg::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock_shared($1)", MENU).execute(conn).await?;
    Ok(())
}

/// Shares the rosters of all stores: what each of them may offer stays as it is.
#[tracing::instrument(name = "db.roster.share_all", skip_all)]
pub async fn share_all(conn: &mut PgConnection) -> pg::Result<()> {
    let keys = all_keys(&mut *conn).await?;
    sqlx::query!("select pg_advisory_xact_lock_shared(key) from unnest($1::bigint[]) as key", &keys)
        .execute(conn)
        .await?;
    Ok(())
}

/// The key of what all stores may offer, those too that are just being opened. It is nobody's id: those of UUIDs have
/// their highest bit set.
const MENU: i64 = 0;

/// The keys of all stores, by store (the order in which whoever takes several takes them), and of the menu.
async fn all_keys(conn: &mut PgConnection) -> pg::Result<Vec<i64>> {
    let ids = sqlx::query_scalar!("select id from store order by id").fetch_all(conn).await?;
    Ok(ids.into_iter().map(|id| key(StoreId::from_uuid(id))).chain([MENU]).collect())
}

/// The present version of a store's roster, 0 if there is no such store: to be read before all else that a plan is made
/// from.
#[tracing::instrument(name = "db.roster.version", skip_all)]
pub async fn version(conn: &mut PgConnection, store: StoreId) -> pg::Result<i64> {
    let version = sqlx::query_scalar!("select roster_version from store where id = $1", store.uuid());
    Ok(version.fetch_optional(conn).await?.unwrap_or_default())
}

/// Half of the store's id: a clash of two stores only makes them wait for each other.
fn key(store: StoreId) -> i64 {
    let (_, low) = store.uuid().as_u64_pair();
    i64::from_ne_bytes(low.to_ne_bytes())
}
