//! What was earned, to be read.

use kernel::{
    Error, Result,
    ids::{StaffId, StoreId},
};
use proto::{access::Role, payment::v1 as pb};
use rpc::{
    Caller, CallerKind, Ctx,
    paging::{Listing, PageRequest, time_key},
};

use crate::{
    App, db,
    db::commission::{Accrual, Filter},
    domain::commission::Payee,
};

/// A page of what was earned, the newest first, and the token of the next one. Therapists get what they have earned
/// themselves, wherever; staff bound to a store what was earned there.
///
/// # Errors
/// `THERAPIST_NOT_LINKED`; `PermissionDenied` for another store; `InvalidArgument` for a bad page or name.
pub async fn list_accruals(app: &App, ctx: Ctx, request: pb::ListAccrualsRequest) -> Result<(Vec<Accrual>, String)> {
    let given = |name: &str| !name.is_empty();
    let store = given(&request.store).then(|| StoreId::parse_name("store", &request.store)).transpose()?;
    let payee = given(&request.payee).then(|| Payee::parse_name("payee", &request.payee)).transpose()?;
    let mut conn = app.pg.conn().await?;
    let (payee, store) = match only_therapist(&ctx.caller) {
        Some(staff) => {
            // A store is no matter of a therapist: he may have worked at several.
            ctx.caller.see_own(None, None)?;
            let therapist = db::commission::therapist_of(&mut conn, staff).await?.ok_or_else(not_linked)?;
            (Some(Payee::Therapist(therapist)), store)
        }
        None => (payee, store.or(ctx.caller.bound_store())),
    };
    if only_therapist(&ctx.caller).is_none() {
        ctx.caller.see_own(None, store)?;
    }
    let listing = Listing::new(ctx.method)
        .with(payee.as_ref().map(Payee::name).unwrap_or_default())
        .with(store.map(StoreId::name).unwrap_or_default());
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let filter = Filter { payee, store, after: page.after_time()? };
    let accruals = db::commission::list(&mut conn, &filter, page.limit()).await?;
    Ok(page.cut(accruals, |last| time_key(last.complete_time, last.id.uuid())))
}

/// Who calls, if he sees but what he has earned himself: a therapist who is nothing else that may look.
fn only_therapist(caller: &Caller) -> Option<StaffId> {
    let looks = [Role::StoreManager, Role::RegionalManager, Role::Finance, Role::Administrator, Role::Auditor];
    match caller.kind() {
        CallerKind::Staff { id, .. } if !looks.into_iter().any(|role| caller.has_role(role)) => Some(*id),
        _ => None,
    }
}

fn not_linked() -> Error {
    let message = "nobody has said yet which therapist you are; ask an administrator to link you";
    Error::precondition("THERAPIST_NOT_LINKED", message)
}
