//! A card is issued.

use kernel::{
    Currency, Error, Result,
    ids::{CardId, MemberId, StoreId},
};
use proto::payment::v1::{self as pb, card_changed::Change};
use rpc::Ctx;
use serde_json::json;

use super::{
    edit::{Edit, Started},
    events::{self, Happened},
};
use crate::{
    App, db,
    domain::stored_value::{Card, State, number},
    rpc::convert::stored_value as convert,
};

/// Issues a card with nothing on it.
///
/// # Errors
/// `InvalidArgument`; `NotFound` for a member who names another; `PermissionDenied` for staff of another store.
pub async fn issue_card(app: &App, ctx: Ctx, request: pb::IssueCardRequest) -> Result<pb::Card> {
    let mut edit = match Edit::begin(app, &ctx, &request, &request.request_id).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    let store = StoreId::parse_name("store", &request.store)?;
    let named = !request.holder.is_empty();
    let holder = named.then(|| MemberId::parse_name("holder", &request.holder)).transpose()?;
    let holder = holder.or(ctx.caller.member());
    ctx.caller.see_own(holder, Some(store))?;
    let id = CardId::new(edit.now);
    let card = Card {
        id,
        number: number(id),
        store,
        scope: convert::read_scope(request.scope()),
        holder,
        currency: Currency::parse("currency_code", &request.currency_code)?,
        order: app.policy.card_spending_order(),
        state: State::Active,
        lots: Vec::new(),
        create_time: edit.now,
        version: 1,
    };
    match db::stored_value::cards::insert(&mut edit.tx, &card).await {
        // One in 10^15 or so.
        Err(error) if error.is_constraint("stored_value_card_number") => {
            return Err(Error::aborted("NUMBER_TAKEN", "the number that was drawn is another card's; try again"));
        }
        inserted => inserted?,
    }
    events::tell(&mut edit.tx, edit.now, &card, Happened::to(&card, Change::Issued)).await?;
    let detail = json!({ "scope": card.scope.as_str(), "named": card.holder.is_some() });
    edit.note("card.issue", id.name(), detail).await?;
    let reply = convert::card(&card, edit.now)?;
    edit.finish(reply).await
}
