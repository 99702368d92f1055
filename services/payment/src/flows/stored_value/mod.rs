//! Stored value: what can be done with cards, campaigns and limits. [`domain::stored_value`](crate::domain::stored_value)
//! has the rules.

pub mod campaigns;
pub mod change_card;
mod edit;
mod events;
pub(super) mod follow_order;
pub mod get_statement;
pub mod issue_card;
pub mod lapse;
pub mod limits;
pub mod read_cards;
pub mod refund_card;
pub mod reissue_card;
pub mod tender;
pub mod top_up;

use kernel::{Error, Result, ids::CardId};
use rpc::Caller;

use crate::{
    App, db,
    domain::stored_value::{Card, Scope},
};

fn no_such_card(id: CardId) -> Error {
    Error::not_found(id)
}

/// That the caller may see a card: its holder; staff of the store that it can be used at, or of any if it can be used
/// everywhere.
fn see(caller: &Caller, card: &Card) -> Result<()> {
    let store = (card.scope == Scope::Store).then_some(card.store);
    caller.see_own(card.holder, store)
}

/// Reads a card that the caller may see.
async fn known(app: &App, caller: &Caller, id: CardId) -> Result<Card> {
    let card = db::stored_value::cards::get(&mut *app.pg.conn().await?, id).await?.ok_or_else(|| no_such_card(id))?;
    see(caller, &card)?;
    Ok(card)
}
