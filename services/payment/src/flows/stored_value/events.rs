//! What others learn of cards and campaigns.

use kernel::{Result, Timestamp, ids::OrderId};
use pg::{
    Tx,
    outbox::{self, NewEvent},
};
use proto::payment::v1::{self as pb, card_changed::Change};
use rpc::convert::to_money;

use crate::{
    db,
    domain::stored_value::{Campaign, Card, Value},
    rpc::convert::stored_value as convert,
};

/// What happened to a card.
pub(super) struct Happened {
    /// What.
    pub(super) change: Change,
    /// The order that it is about.
    pub(super) order: Option<OrderId>,
    /// What it has added; below zero for what it has taken.
    pub(super) value: Value,
}

impl Happened {
    /// Something that moves no money.
    pub(super) fn to(card: &Card, change: Change) -> Self {
        Self { change, order: None, value: Value::zero(card.currency) }
    }
}

/// Stores a card that was changed since it was locked as `before`, and tells of it: that makes one version more.
pub(super) async fn save_and_tell(
    tx: &mut Tx,
    now: Timestamp,
    before: &Card,
    card: &mut Card,
    happened: Happened,
) -> Result<()> {
    card.version += 1;
    db::stored_value::cards::save(tx, before, card).await?;
    tell(tx, now, card, happened).await
}

/// Tells what made a card what it is.
pub(super) async fn tell(tx: &mut Tx, now: Timestamp, card: &Card, happened: Happened) -> Result<()> {
    let changed = pb::CardChanged {
        card: Some(convert::card(card, now)?),
        change: happened.change.into(),
        order: happened.order.map(OrderId::name).unwrap_or_default(),
        principal: Some(to_money(happened.value.principal)),
        bonus: Some(to_money(happened.value.bonus)),
    };
    outbox::append(tx, NewEvent::new(card.id.uuid(), card.version, now, &changed)).await?;
    Ok(())
}

/// Tells what a campaign is.
pub(super) async fn campaign_changed(tx: &mut Tx, now: Timestamp, campaign: &Campaign) -> Result<()> {
    let changed = pb::TopUpCampaignChanged { campaign: Some(convert::campaign(campaign)) };
    outbox::append(tx, NewEvent::new(campaign.id.uuid(), campaign.version, now, &changed)).await?;
    Ok(())
}
