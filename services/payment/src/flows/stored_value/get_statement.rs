//! What was booked on a card.

use kernel::{Error, Result, Timestamp, Uuid, ids::CardId};
use proto::payment::v1 as pb;
use rpc::{
    Ctx,
    convert::optional_timestamp,
    paging::{Listing, PageRequest},
};

use super::known;
use crate::{
    App,
    db::stored_value::statement::{self, Line},
    domain::{ledger::first_id, stored_value::Value},
};

/// One page of a card's statement.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Whose.
    pub card: CardId,
    /// What was on it at its first instant.
    pub opening: Value,
    /// What was booked, each with what was on the card after it.
    pub lines: Vec<(Line, Value)>,
    /// What was on it at its last instant.
    pub closing: Value,
    /// The first instant after it.
    pub end_time: Timestamp,
    /// For the next page; empty on the last.
    pub next_page_token: String,
}

/// Reads a page of a card's statement as of any moment.
///
/// # Errors
/// As for reading the card; `InvalidArgument` for times that are none or the wrong way round, or a bad page.
pub async fn get_statement(app: &App, ctx: Ctx, request: pb::GetCardStatementRequest) -> Result<Statement> {
    let now = app.clock.now();
    let card = known(app, &ctx.caller, CardId::parse_name("card", &request.card)?).await?;
    let start = optional_timestamp("start_time", request.start_time.as_ref())?;
    let end = optional_timestamp("end_time", request.end_time.as_ref())?;
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err(Error::invalid("end_time", "must not be before start_time"));
    }
    let told = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let listing = Listing::new(ctx.method).with(&request.card).with(told(start)).with(told(end));
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let from = start.map_or(Uuid::nil(), first_id);
    let (end, after) = match page.after() {
        Some(key) => read_key(key).ok_or_else(|| Error::invalid("page_token", "must be one of this list"))?,
        // What is booked just now has a time of now; a millisecond more shows it.
        None => (end.unwrap_or(now + std::time::Duration::from_millis(1)), Uuid::nil()),
    };
    let until = first_id(end);

    let mut conn = app.pg.conn().await?;
    let opening = statement::sum(&mut conn, card.id, card.currency, from).await?;
    let mut running = opening;
    if !after.is_nil() {
        running = statement::sum_through(&mut conn, card.id, card.currency, after).await?;
    }
    let lines = statement::lines(&mut conn, card.id, card.currency, (from, after, until), page.limit()).await?;
    let closing = statement::sum(&mut conn, card.id, card.currency, until).await?;

    let (lines, next_page_token) =
        page.cut(lines, |line| format!("{}/{}", end.as_microsecond(), line.transaction.uuid()));
    let lines = lines.into_iter().map(|line| {
        running = running.try_add(line.change)?;
        Ok((line, running))
    });
    let lines = lines.collect::<Result<_>>()?;
    Ok(Statement { card: card.id, opening, lines, closing, end_time: end, next_page_token })
}

fn read_key(key: &str) -> Option<(Timestamp, Uuid)> {
    let (end, after) = key.split_once('/')?;
    Some((Timestamp::from_microsecond(end.parse().ok()?).ok()?, after.parse().ok()?))
}
