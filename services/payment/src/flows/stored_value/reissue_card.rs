//! A new card takes the place of one that was lost or stopped.

use kernel::{Result, ids::CardId};
use proto::payment::v1::{self as pb, card_changed::Change};
use rpc::Ctx;
use serde_json::json;

use super::{
    edit::{Edit, Started},
    events::{self, Happened},
    no_such_card, see,
};
use crate::{
    App, db,
    domain::stored_value::{Value, postings},
    rpc::convert::stored_value as convert,
};

/// Moves all that is on a card to a new one, which is returned; the old one ends.
///
/// # Errors
/// `NotFound`; `PermissionDenied` for staff of a store where it can't be used; those of
/// [`Card::replace`](crate::domain::stored_value::Card::replace).
pub async fn reissue_card(app: &App, ctx: Ctx, request: pb::ReissueCardRequest) -> Result<pb::Card> {
    let id = CardId::parse_name("name", &request.name)?;
    let mut edit = match Edit::begin(app, &ctx, &request, &request.request_id).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    let (tx, now) = (&mut edit.tx, edit.now);
    let before = db::stored_value::cards::lock(tx, id).await?.ok_or_else(|| no_such_card(id))?;
    see(&ctx.caller, &before)?;
    let mut old = before.clone();
    let new = old.replace(CardId::new(now), now)?;
    let moved = new.balance()?;

    db::stored_value::cards::insert(tx, &new).await?;
    db::stored_value::cards::move_lots(tx, id, new.id).await?;
    if !moved.is_zero() {
        db::ledger::post(tx, now, &postings::replaced(id, before.store, id, new.id, moved)?).await?;
    }
    let gone = Value::zero(old.currency).try_sub(moved)?;
    let replaced = Happened { change: Change::Replaced, order: None, value: gone };
    events::save_and_tell(tx, now, &before, &mut old, replaced).await?;
    let issued = Happened { change: Change::Issued, order: None, value: moved };
    events::tell(tx, now, &new, issued).await?;

    let detail = json!({
        "replaced_by": new.id.name(),
        "principal_minor": moved.principal.minor(),
        "bonus_minor": moved.bonus.minor(),
    });
    edit.note("card.reissue", id.name(), detail).await?;
    let reply = convert::card(&new, now)?;
    edit.finish(reply).await
}
