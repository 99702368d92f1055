//! All SQL of analytics: functions on a connection, rows → domain. A row that our own code can't have written is an
//! error, never a panic. Facts are written so that writing one a second time changes nothing.

pub mod booking;
pub mod figures;
pub mod marketing;
pub mod membership;
pub mod payment;
pub mod position;
pub mod store;

use kernel::{Timestamp, Uuid, ids::StoreId};

/// An instant as a parameter.
fn sql(at: Timestamp) -> jiff_sqlx::Timestamp {
    jiff_sqlx::ToSqlx::to_sqlx(at)
}

/// A store that may be missing, as a parameter.
fn store_uuid(store: Option<StoreId>) -> Option<Uuid> {
    store.map(StoreId::uuid)
}
