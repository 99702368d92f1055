//! What was booked on an account of a party or at a store.

use kernel::{Currency, Error, Money, Result, Timestamp, Uuid, ids::StoreId};
use pg::PgConnection;
use proto::payment::v1 as pb;
use rpc::{
    Ctx,
    convert::optional_timestamp,
    paging::{Listing, PageRequest},
};

use crate::{
    App, db,
    db::ledger::{Of, Place, Selection, StatementLine},
    domain::ledger::{Account, Party, first_id},
};

/// One page of a statement.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Of which account.
    pub account: Account,
    /// The balance at its first instant.
    pub opening: Money,
    /// The entries of the page, each with the balance after it.
    pub lines: Vec<(StatementLine, Money)>,
    /// The balance at its last instant.
    pub closing: Money,
    /// The first instant after it.
    pub end_time: Timestamp,
    /// For the next page; empty on the last.
    pub next_page_token: String,
}

/// Reads a page of a statement as of any moment.
///
/// # Errors
/// `InvalidArgument` for an account that is not in the chart, neither party nor store, times that are none or the wrong way
/// round, or a bad page; `PermissionDenied` for staff of another store.
pub async fn get_statement(app: &App, ctx: Ctx, request: pb::GetStatementRequest) -> Result<Statement> {
    let now = app.clock.now();
    let selection = selection(&ctx, &request)?;
    let (start, end) = times(&request)?;
    let listing = Listing::new(ctx.method)
        .with(selection.account.code())
        .with(&request.party)
        .with(&request.store)
        .with(&request.currency_code)
        .with(start.map(|at| at.to_string()).unwrap_or_default())
        .with(end.map(|at| at.to_string()).unwrap_or_default());
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let first = Place::before(start.map_or(Uuid::nil(), first_id));
    let (end, cursor) = match page.after() {
        Some(key) => read_key(key).ok_or_else(|| Error::invalid("page_token", "must be one of this list"))?,
        None => (end.unwrap_or(now), first),
    };
    let last = Place::before(first_id(end));

    // All sums are as of one moment only together with the entries: what is being booked has a time of now.
    let mut conn = app.pg.conn().await?;
    let opening = balance(&mut conn, &selection, start, first).await?;
    let before = opening.try_add(db::ledger::sum(&mut conn, &selection, first, cursor).await?)?;
    let lines = db::ledger::lines(&mut conn, &selection, cursor, last, page.limit()).await?;
    let closing = before.try_add(db::ledger::sum(&mut conn, &selection, cursor, last).await?)?;

    let (lines, next_page_token) = page.cut(lines, |line| key(end, line.place));
    let mut running = before;
    let lines = lines.into_iter().map(|line| {
        running = running.try_add(line.amount)?;
        Ok((line, running))
    });
    let lines = lines.collect::<Result<_>>()?;
    Ok(Statement { account: selection.account, opening, lines, closing, end_time: end, next_page_token })
}

fn selection(ctx: &Ctx, request: &pb::GetStatementRequest) -> Result<Selection> {
    let code = request.account.strip_prefix("accounts/").unwrap_or_default();
    let unknown = || Error::invalid("account", "must be accounts/<code> of an account of the chart");
    let account = Account::from_stored(code).ok_or_else(unknown)?;
    let given = |text: &str| !text.is_empty();
    let store = given(&request.store).then(|| StoreId::parse_name("store", &request.store)).transpose()?;
    let store = store.or(ctx.caller.bound_store());
    ctx.caller.see_own(None, store)?;
    let of = match (given(&request.party), store) {
        (true, store) => Of::Party(Party::from_stored(request.party.clone()), store),
        (false, Some(store)) => Of::Store(Some(store)),
        (false, None) => return Err(Error::invalid("store", "must be given if no party is")),
    };
    Ok(Selection { account, currency: Currency::parse("currency_code", &request.currency_code)?, of })
}

fn times(request: &pb::GetStatementRequest) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
    let start = optional_timestamp("start_time", request.start_time.as_ref())?;
    let end = optional_timestamp("end_time", request.end_time.as_ref())?;
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err(Error::invalid("end_time", "must not be before start_time"));
    }
    Ok((start, end))
}

/// The balance at a time. Of a store's account it is reckoned from the last day that is closed.
async fn balance(conn: &mut PgConnection, selection: &Selection, at: Option<Timestamp>, place: Place) -> Result<Money> {
    let Some(at) = at else { return Ok(Money::zero(selection.currency)) };
    let closed = match selection.of {
        Of::Store(store) => db::ledger::closing_before(conn, store, selection, at).await?,
        Of::Party(..) => None,
    };
    let (known, from) =
        closed.map_or((Money::zero(selection.currency), Uuid::nil()), |(known, end)| (known, first_id(end)));
    known.try_add(db::ledger::sum(conn, selection, Place::before(from), place).await?)
}

fn key(end: Timestamp, place: Place) -> String {
    format!("{}/{}/{}", end.as_microsecond(), place.transaction, place.position)
}

fn read_key(key: &str) -> Option<(Timestamp, Place)> {
    let (end, place) = key.split_once('/')?;
    let (transaction, position) = place.split_once('/')?;
    let end = Timestamp::from_microsecond(end.parse().ok()?).ok()?;
    Some((end, Place { transaction: transaction.parse().ok()?, position: position.parse().ok()? }))
}
