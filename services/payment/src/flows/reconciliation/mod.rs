//! Providers' bills against our books.

pub mod book_bill;
pub mod import_bill;
mod intake;
pub mod read_proofs;
pub mod reconcile_day;
pub mod resolve_break;

use kernel::{Error, ErrorKind, Result};
use rpc::Ctx;

/// Bills are those of all stores: who is bound to one of them can't see or do anything about them.
fn all_stores(ctx: &Ctx) -> Result<()> {
    if let Some(bound) = ctx.caller.bound_store() {
        let message = "this is about all stores, and you work for one";
        return Err(Error::new(ErrorKind::PermissionDenied, "OTHER_STORE", message).with("your_store", bound));
    }
    ctx.caller.see_own(None, None)
}
