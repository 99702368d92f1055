//! The chart of accounts with its balances.

use kernel::{Money, Result, ids::StoreId};
use proto::payment::v1 as pb;
use rpc::{
    Ctx,
    paging::{Listing, PageRequest},
};

use crate::{App, db, domain::ledger::Account};

/// A page of the chart by code, each account with its balances at one store or at all together, and the token of the next
/// page.
///
/// # Errors
/// `PermissionDenied` for staff of another store; `InvalidArgument` for a bad page.
pub async fn list_accounts(
    app: &App,
    ctx: Ctx,
    request: pb::ListAccountsRequest,
) -> Result<(Vec<(Account, Vec<Money>)>, String)> {
    let given = !request.store.is_empty();
    let store = given.then(|| StoreId::parse_name("store", &request.store)).transpose()?;
    let store = store.or(ctx.caller.bound_store());
    ctx.caller.see_own(None, store)?;
    let listing = Listing::new(ctx.method).with(store.map(StoreId::name).unwrap_or_default());
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;

    let balances = db::ledger::balances_at(&mut *app.pg.conn().await?, store).await?;
    let mut accounts = Account::ALL.to_vec();
    accounts.sort_unstable_by_key(|account| account.code());
    let after = page.after().unwrap_or_default().to_owned();
    let of = |account: Account| balances.iter().filter(move |(of, _)| *of == account).map(|(_, balance)| *balance);
    let size = usize::try_from(page.limit()).unwrap_or(usize::MAX);
    let rows = accounts.into_iter().filter(|account| *account.code() > *after);
    let rows = rows.take(size).map(|account| (account, of(account).collect())).collect();
    Ok(page.cut(rows, |(last, _): &(Account, Vec<Money>)| last.code().to_owned()))
}
