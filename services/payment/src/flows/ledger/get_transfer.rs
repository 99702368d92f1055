//! A transfer in two phases.

use kernel::{Error, Result, ids::LedgerTransferId};
use proto::payment::v1 as pb;
use rpc::Ctx;

use crate::{App, db, domain::ledger::Transfer};

/// Reads a transfer.
///
/// # Errors
/// `NotFound`; `PermissionDenied` for staff bound to a store where not all of it happens.
pub async fn get_transfer(app: &App, ctx: Ctx, request: pb::GetTransferRequest) -> Result<Transfer> {
    let id = LedgerTransferId::parse_name("name", &request.name)?;
    let transfer = db::ledger::get_transfer(&mut *app.pg.conn().await?, id).await?;
    let transfer = transfer.ok_or_else(|| Error::not_found(id))?;
    for entry in transfer.transaction.entries() {
        ctx.caller.see_own(None, entry.on.store)?;
    }
    Ok(transfer)
}
