//! Reads a quote.

use kernel::{Error, Result, ids::QuoteId};
use rpc::Caller;

use crate::{App, db, domain::quote::Quote};

/// Reads a quote.
///
/// # Errors
/// `NotFound`, also for a member who asks for another's; `PermissionDenied` for staff of another store.
pub async fn get_quote(app: &App, caller: &Caller, id: QuoteId) -> Result<Quote> {
    let quote = db::quote::get(&mut *app.pg.conn().await?, id).await?.ok_or_else(|| Error::not_found(id))?;
    caller.see_own(Some(quote.wanted.customer), Some(quote.wanted.store))?;
    Ok(quote)
}
