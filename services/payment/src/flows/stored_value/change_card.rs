//! A card is reported lost, frozen, let be used again, or given to another member.

use kernel::{
    Result,
    ids::{CardId, MemberId},
};
use prost::Message;
use proto::payment::v1::{self as pb, card_changed::Change};
use rpc::Ctx;
use serde_json::{Value as Json, json};

use super::{
    edit::{Edit, Started},
    events::{self, Happened},
    no_such_card, see,
};
use crate::{App, db, domain::stored_value::Card, rpc::convert::stored_value as convert};

/// Notes that its holder has lost a card.
///
/// # Errors
/// `NotFound`, also for another's; `PermissionDenied` for staff of a store where it can't be used; those of
/// [`Card::report_lost`].
pub async fn report_lost(app: &App, ctx: Ctx, request: pb::ReportCardLostRequest) -> Result<pb::Card> {
    let of =
        Asked { name: &request.name, request_id: &request.request_id, action: "card.report_lost", detail: json!({}) };
    change(app, &ctx, &request, of, Change::State, Card::report_lost).await
}

/// Stops a card.
///
/// # Errors
/// As [`report_lost`]; those of [`Card::freeze`].
pub async fn freeze(app: &App, ctx: Ctx, request: pb::FreezeCardRequest) -> Result<pb::Card> {
    let detail = json!({ "reason": request.reason });
    let of = Asked { name: &request.name, request_id: &request.request_id, action: "card.freeze", detail };
    change(app, &ctx, &request, of, Change::State, |card| card.freeze(&request.reason)).await
}

/// Lets a card be used again.
///
/// # Errors
/// As [`report_lost`]; those of [`Card::unfreeze`].
pub async fn unfreeze(app: &App, ctx: Ctx, request: pb::UnfreezeCardRequest) -> Result<pb::Card> {
    let of = Asked { name: &request.name, request_id: &request.request_id, action: "card.unfreeze", detail: json!({}) };
    change(app, &ctx, &request, of, Change::State, Card::unfreeze).await
}

/// Gives a card to another member.
///
/// # Errors
/// As [`report_lost`]; those of [`Card::transfer`].
pub async fn transfer(app: &App, ctx: Ctx, request: pb::TransferCardRequest) -> Result<pb::Card> {
    let holder = MemberId::parse_name("holder", &request.holder)?;
    let detail = json!({ "holder": holder.name() });
    let of = Asked { name: &request.name, request_id: &request.request_id, action: "card.transfer", detail };
    change(app, &ctx, &request, of, Change::Transferred, |card| card.transfer(holder)).await
}

/// What is asked of which card.
struct Asked<'a> {
    name: &'a str,
    request_id: &'a str,
    action: &'static str,
    detail: Json,
}

/// `change` says whether it has changed anything: what is so already makes no new version.
async fn change<Q: Message>(
    app: &App,
    ctx: &Ctx,
    request: &Q,
    of: Asked<'_>,
    told: Change,
    change: impl FnOnce(&mut Card) -> Result<bool>,
) -> Result<pb::Card> {
    let id = CardId::parse_name("name", of.name)?;
    let mut edit = match Edit::begin(app, ctx, request, of.request_id).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    let before = db::stored_value::cards::lock(&mut edit.tx, id).await?.ok_or_else(|| no_such_card(id))?;
    see(&ctx.caller, &before)?;
    let mut card = before.clone();
    if change(&mut card)? {
        let happened = Happened::to(&card, told);
        events::save_and_tell(&mut edit.tx, edit.now, &before, &mut card, happened).await?;
        edit.note(of.action, id.name(), of.detail).await?;
    }
    let reply = convert::card(&card, edit.now)?;
    edit.finish(reply).await
}
