//! Opens accounts of staff.

use kernel::{
    Error, ErrorKind, Result, Timestamp,
    ids::{StaffId, StoreId},
};
use pg::{Tx, audit, vault::Column};
use proto::{access::Role, membership::v1 as pb};
use serde_json::json;

use super::once::{self, Once};
use crate::{
    App,
    db::{self, staff::Stored},
    domain::staff::{self, Staff},
    rpc::convert::to_staff,
    secrets,
};

/// Where the form of address is sealed.
pub(super) const DISPLAY_NAME: Column = Column { table: "staff", column: "sealed_display_name" };

/// The shortest password.
const SHORTEST_PASSWORD: usize = 12;

/// An account to be opened.
#[derive(Clone)]
pub struct NewStaff {
    /// What he signs in with: lower-case letters, digits, dots and dashes.
    pub user_name: String,
    /// How to address him.
    pub display_name: String,
    /// The first password, of 12 characters or more.
    pub password: String,
    /// What he may do: roles of staff only.
    pub roles: Vec<Role>,
    /// The store that he is bound to; therapists, front desk and store managers must have one.
    pub store: Option<StoreId>,
}

impl std::fmt::Debug for NewStaff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewStaff").field("user_name", &self.user_name).finish_non_exhaustive()
    }
}

/// Opens an account.
pub async fn create_staff(app: &App, actor: &str, once: &Once, new: NewStaff) -> Result<pb::Staff> {
    let new = checked(new)?;
    // Twins that come at once meet again below; this only spares a late repeat the hashing.
    if let Some(reply) = once::answered(app, &mut *app.pg.conn().await?, once).await? {
        return Ok(reply);
    }
    let password_hash = app.passwords.hash(&new.password).await?;
    let mut tx = app.pg.begin().await?;
    db::lock::digest(&mut tx, &secrets::user_name_index(&app.vault, &new.user_name)).await?;
    if let Some(reply) = once::answered(app, &mut tx, once).await? {
        return Ok(reply);
    }
    let now = app.clock.now();
    let staff = open(app, &mut tx, actor, "staff.create", new, password_hash, now).await?;
    let staff = staff.ok_or_else(|| {
        Error::new(ErrorKind::AlreadyExists, "USER_NAME_TAKEN", "somebody else signs in with this name: take another")
    })?;
    let reply = to_staff(&staff);
    once::keep(app, &mut tx, once, staff.id.uuid(), None, &reply, now).await?;
    tx.commit().await?;
    Ok(reply)
}

/// Opens an account without a caller: the first administrator, and those of a trial. If the name is taken, it is that
/// account, unchanged. It is recorded in the audit log as done by the service.
pub async fn bootstrap_staff(app: &App, new: NewStaff) -> Result<StaffId> {
    let new = checked(new)?;
    let known = |account: Option<Stored>| account.map(|account| account.id);
    if let Some(id) = known(db::staff::by_name(&mut *app.pg.conn().await?, &new.user_name).await?) {
        return Ok(id);
    }
    let password_hash = app.passwords.hash(&new.password).await?;
    let user_name = new.user_name.clone();
    let mut tx = app.pg.begin().await?;
    let staff =
        open(app, &mut tx, "services/membership", "staff.bootstrap", new, password_hash, app.clock.now()).await?;
    match staff {
        Some(staff) => {
            tx.commit().await?;
            Ok(staff.id)
        }
        // Somebody was quicker.
        None => known(db::staff::by_name(&mut tx, &user_name).await?)
            .ok_or_else(|| Error::internal("an account is taken and missing")),
    }
}

fn checked(new: NewStaff) -> Result<NewStaff> {
    let roles = staff::roles("roles", new.roles)?;
    staff::check_store("store", &roles, new.store)?;
    if new.password.chars().count() < SHORTEST_PASSWORD {
        return Err(Error::invalid("password", format!("must have at least {SHORTEST_PASSWORD} characters")));
    }
    Ok(NewStaff {
        user_name: staff::user_name("user_name", &new.user_name)?,
        display_name: crate::domain::member::display_name("display_name", &new.display_name)?,
        roles,
        ..new
    })
}

/// Stores the account; none if the name is taken.
async fn open(
    app: &App,
    tx: &mut Tx,
    actor: &str,
    action: &str,
    new: NewStaff,
    password_hash: String,
    now: Timestamp,
) -> Result<Option<Staff>> {
    let id = StaffId::new(now);
    let key = app.vault.create_key(tx, now, id.uuid()).await?;
    let stored = Stored {
        id,
        user_name: new.user_name,
        sealed_display_name: key.seal(DISPLAY_NAME, id.uuid(), &new.display_name)?,
        password_hash,
        roles: new.roles,
        store: new.store,
        create_time: now,
    };
    if !db::staff::insert(tx, &stored).await? {
        return Ok(None);
    }
    let roles: Vec<_> = stored.roles.iter().map(|role| role.as_str()).collect();
    let entry = audit::Entry {
        actor: actor.to_owned(),
        action: action.to_owned(),
        target: id.name(),
        detail: json!({ "roles": roles, "store": stored.store.map(StoreId::name) }),
    };
    audit::record(tx, now, entry).await?;
    let Stored { user_name, roles, store, .. } = stored;
    Ok(Some(Staff { id, user_name, display_name: new.display_name, roles, store, create_time: now }))
}
