//! The chain of seals: recomputing it, and giving it out to be recomputed elsewhere.

use kernel::{Error, ErrorKind, Result};
use pg::seal::{Place, Seal, Verdict, hex};
use proto::payment::v1 as pb;
use rpc::{
    Ctx,
    paging::{Listing, PageRequest},
};

use crate::{App, db, domain::ledger::Record};

/// How many seals are looked at if the request doesn't say.
const DEFAULT_SEALS: i32 = 50;

/// Recomputes a stretch of the chain.
///
/// # Errors
/// `InvalidArgument` if there is no seal to begin after; `PermissionDenied` for staff bound to a store.
pub async fn verify_chain(app: &App, ctx: Ctx, request: pb::VerifyChainRequest) -> Result<pb::VerifyChainResponse> {
    whole_chain(&ctx)?;
    let limit = if request.max_seals == 0 { DEFAULT_SEALS } else { request.max_seals };
    let mut conn = app.pg.conn().await?;
    let verdict = db::ledger::verify_after(&mut conn, request.after_seal, limit.into()).await?;
    let verdict = verdict.ok_or_else(|| Error::invalid("after_seal", "must be the number of a seal, or 0"))?;
    let newest = db::ledger::last_seal(&mut conn).await?.number;
    Ok(match verdict {
        Verdict::Intact { seals, entries, head } => pb::VerifyChainResponse {
            intact: true,
            seal: request.after_seal + seals,
            hash: hex(&head),
            transactions: entries,
            more: request.after_seal + seals < newest,
            fault: String::new(),
        },
        Verdict::Broken { seal, what } => pb::VerifyChainResponse {
            intact: false,
            seal: seal - 1,
            more: seal < newest,
            fault: what.to_owned(),
            ..pb::VerifyChainResponse::default()
        },
    })
}

/// A page of an export.
#[derive(Debug, Clone)]
pub struct Page {
    /// In the order in which they are sealed.
    pub records: Vec<Record>,
    /// Those that end among them.
    pub seals: Vec<Seal>,
    /// For the next page; empty on the last.
    pub next_page_token: String,
}

/// A page of all that is booked, as it is sealed.
///
/// # Errors
/// `InvalidArgument` for a bad page; `PermissionDenied` for staff bound to a store.
pub async fn export_entries(app: &App, ctx: Ctx, request: pb::ExportEntriesRequest) -> Result<Page> {
    whole_chain(&ctx)?;
    let page = PageRequest::parse(request.page_size, &request.page_token, Listing::new(ctx.method))?;
    let after = page.after().map_or_else(|| Some(Place::default()), read_key);
    let after = after.ok_or_else(|| Error::invalid("page_token", "must be one of this list"))?;
    let mut conn = app.pg.conn().await?;
    let records = db::ledger::records(&mut conn, &after, page.limit()).await?;
    let (records, next_page_token) = page.cut(records, |last| format!("{}.{}", last.xid, last.position));
    let seals = match records.last() {
        Some(last) => db::ledger::seals_between(&mut conn, &after, &db::ledger::place_of(last)).await?,
        None => Vec::new(),
    };
    Ok(Page { records, seals, next_page_token })
}

fn read_key(key: &str) -> Option<Place> {
    let (xid, position) = key.split_once('.')?;
    Some(Place { xid: xid.parse::<u64>().ok()?.to_string(), position: position.parse().ok()? })
}

/// The chain is that of all stores: who is bound to one of them can't have it.
fn whole_chain(ctx: &Ctx) -> Result<()> {
    if let Some(bound) = ctx.caller.bound_store() {
        let message = "this is about all stores, and you work for one";
        return Err(Error::new(ErrorKind::PermissionDenied, "OTHER_STORE", message).with("your_store", bound));
    }
    ctx.caller.see_own(None, None)
}
