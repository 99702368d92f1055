//! What the chain offers: adding, changing and retiring. Every edit has a version of its own, one event and one entry in
//! the audit log; what plans are made from is changed by the one who owns the roster of the store
//! ([`db::roster`](crate::db::roster)).

mod item;
mod package;
mod room;
mod store;
mod therapist;

pub use item::{create_item, retire_item, update_item};
pub use package::{create_package, retire_package, update_package};
pub use room::{create_room, retire_room, update_room};
pub use store::{create_store, update_store};
pub use therapist::{create_therapist, retire_therapist, update_therapist};

use kernel::{Error, Result, ids::StoreId};
use pg::Tx;
use serde_json::{Value, json};

use crate::db;

/// What the audit log says of an edit: the version that it led to, and what an update named.
fn detail(version: i64, fields: &[&'static str]) -> Value {
    match fields {
        [] => json!({ "version": version }),
        fields => json!({ "version": version, "fields": fields }),
    }
}

/// Owns the roster of a store that exists.
async fn own(tx: &mut Tx, store: StoreId) -> Result<()> {
    known_store(tx, store).await?;
    db::roster::own(tx, store).await?;
    Ok(())
}

async fn known_store(tx: &mut Tx, store: StoreId) -> Result<()> {
    db::catalog::get_store(tx, store).await?.map(|_| ()).ok_or_else(|| Error::not_found(store))
}
