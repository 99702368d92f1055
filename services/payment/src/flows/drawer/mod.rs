//! Cash drawers: opened, counted and closed by the desk, and followed by whatever moves cash.

pub mod close;
pub mod count;
pub(super) mod follow;
pub mod open;
pub mod pay_in_out;
pub mod policy;
pub mod read;

use kernel::{Error, Result, Timestamp, ids::DrawerId};
use pg::{
    Tx,
    audit::{self, Entry},
};
use proto::access::Role;
use rpc::{Caller, Ctx};
use serde_json::Value;

use crate::{
    db,
    domain::drawer::{Drawer, Movement},
};

/// What should be in an open drawer is told to these. Whoever only works at the desk counts blindly.
const SEERS: [Role; 5] = [Role::StoreManager, Role::RegionalManager, Role::Finance, Role::Administrator, Role::Auditor];

/// Whether the caller is told what should be in an open drawer.
fn sees_expected(caller: &Caller) -> bool {
    SEERS.iter().any(|role| caller.has_role(*role))
}

/// Locks an open drawer of a store where the caller works.
async fn lock_open(tx: &mut Tx, ctx: &Ctx, id: DrawerId) -> Result<Drawer> {
    let drawer = db::drawers::lock(tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    ctx.caller.see_own(None, Some(drawer.store))?;
    drawer.must_be_open()?;
    Ok(drawer)
}

/// Books what opening and closing move, and notes it.
async fn book(tx: &mut Tx, now: Timestamp, actor: &str, drawer: &Drawer, movements: &[Movement]) -> Result<()> {
    for movement in movements {
        let booking = movement.booking(drawer.store, movement.counterpart())?;
        db::ledger::post(tx, now, &booking).await?;
    }
    Ok(db::drawers::insert_movements(tx, drawer.id, now, actor, movements).await?)
}

/// Records what somebody did with a drawer.
async fn note(tx: &mut Tx, now: Timestamp, ctx: &Ctx, action: &str, target: String, detail: Value) -> Result<()> {
    let actor = ctx.caller.subject().to_owned();
    let entry = Entry { actor, action: format!("payment.drawer.{action}"), target, detail };
    Ok(audit::record(tx, now, entry).await?)
}
