//! Reading accounts of staff.

use kernel::{Error, ErrorKind, Result, ids::StaffId};
use pg::PgConnection;
use rpc::{Caller, paging::PageRequest};

use super::create_staff::DISPLAY_NAME;
use crate::{
    App,
    db::{self, staff::Stored},
    domain::staff::Staff,
};

/// Reads an account. Who is bound to a store reads that store's only.
pub async fn get_staff(app: &App, caller: &Caller, id: StaffId) -> Result<Staff> {
    let mut conn = app.pg.conn().await?;
    let stored = db::staff::get(&mut conn, id).await?.ok_or_else(|| Error::not_found(id))?;
    if caller.bound_store().is_some() && stored.store.is_none() {
        let text = "this account is of the whole chain, and you work for one store";
        return Err(Error::new(ErrorKind::PermissionDenied, "OTHER_STORE", text));
    }
    caller.see_own(None, stored.store)?;
    unseal(app, &mut conn, vec![stored]).await?.pop().ok_or_else(|| Error::not_found(id))
}

/// Lists accounts by name; who is bound to a store gets that store's.
pub async fn list_staff(app: &App, caller: &Caller, page: &PageRequest) -> Result<(Vec<Staff>, String)> {
    let store = caller.bound_store();
    caller.see_own(None, store)?;
    let mut conn = app.pg.conn().await?;
    let rows = db::staff::list(&mut conn, store, page.after(), page.limit()).await?;
    let (rows, next) = page.cut(rows, |row| row.user_name.clone());
    Ok((unseal(app, &mut conn, rows).await?, next))
}

async fn unseal(app: &App, conn: &mut PgConnection, rows: Vec<Stored>) -> Result<Vec<Staff>> {
    let ids: Vec<_> = rows.iter().map(|row| row.id.uuid()).collect();
    let keys = app.vault.open_many(conn, &ids).await?;
    rows.into_iter()
        .map(|row| {
            let key = keys.get(&row.id.uuid());
            let name = key.map(|key| key.unseal(DISPLAY_NAME, row.id.uuid(), &row.sealed_display_name)).transpose()?;
            Ok(Staff {
                id: row.id,
                user_name: row.user_name,
                display_name: name.unwrap_or_default(),
                roles: row.roles,
                store: row.store,
                create_time: row.create_time,
            })
        })
        .collect()
}
