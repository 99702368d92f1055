//! Stored value for the wire.

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{CardId, MemberId, OrderId, StoreId, TopUpCampaignId},
};
use proto::{google::r#type::Money as PbMoney, payment::v1 as pb};
use rpc::convert::{money, optional_timestamp, timestamp, to_money, to_timestamp};

use crate::{
    db::stored_value::statement::Line,
    domain::{
        etag::etag,
        stored_value::{Campaign, Card, Limit, Lot, Pot, Scope, SpendingOrder, State, Value},
    },
    flows::stored_value::get_statement::Statement,
};

/// A card as of `now`.
///
/// # Errors
/// `AMOUNT_OVERFLOW`.
pub fn card(card: &Card, now: Timestamp) -> Result<pb::Card> {
    use pb::card::{Scope as WireScope, SpendingOrder as WireOrder};
    let (reason, replaced_by) = match &card.state {
        State::Active | State::Lost => (String::new(), None),
        State::Frozen { reason } => (reason.clone(), None),
        State::Closed { reason, replaced_by } => (reason.clone(), *replaced_by),
    };
    let balance = card.balance()?;
    let available = match card.state {
        State::Active => card.available(now)?.total()?,
        _ => Money::zero(card.currency),
    };
    Ok(pb::Card {
        name: card.id.name(),
        number: card.number.clone(),
        store: card.store.name(),
        scope: match card.scope {
            Scope::Store => WireScope::Store,
            Scope::Chain => WireScope::Chain,
        }
        .into(),
        holder: card.holder.map(MemberId::name).unwrap_or_default(),
        spending_order: match card.order {
            SpendingOrder::BonusFirst => WireOrder::BonusFirst,
            SpendingOrder::Proportional => WireOrder::Proportional,
            SpendingOrder::PrincipalFirst => WireOrder::PrincipalFirst,
        }
        .into(),
        state: state(&card.state).into(),
        reason,
        replaced_by: replaced_by.map(CardId::name).unwrap_or_default(),
        principal: Some(to_money(balance.principal)),
        bonus: Some(to_money(balance.bonus)),
        available: Some(to_money(available)),
        create_time: Some(to_timestamp(card.create_time)),
        version: card.version,
    })
}

fn state(state: &State) -> pb::card::State {
    match state {
        State::Active => pb::card::State::Active,
        State::Lost => pb::card::State::Lost,
        State::Frozen { .. } => pb::card::State::Frozen,
        State::Closed { .. } => pb::card::State::Closed,
    }
}

/// The stored word of a state from the wire; `None` if it is not stated.
pub const fn stored_state(state: pb::card::State) -> Option<&'static str> {
    match state {
        pb::card::State::Unspecified => None,
        pb::card::State::Active => Some("active"),
        pb::card::State::Lost => Some("lost"),
        pb::card::State::Frozen => Some("frozen"),
        pb::card::State::Closed => Some("closed"),
    }
}

/// A scope from the wire.
pub const fn read_scope(scope: pb::card::Scope) -> Scope {
    match scope {
        pb::card::Scope::Store => Scope::Store,
        pb::card::Scope::Chain | pb::card::Scope::Unspecified => Scope::Chain,
    }
}

/// A lot.
pub fn lot(lot: &Lot) -> pb::CardLot {
    pb::CardLot {
        name: lot.id.name(),
        order: lot.order.name(),
        campaign: lot.campaign.map(TopUpCampaignId::name).unwrap_or_default(),
        principal: Some(pot(&lot.principal)),
        bonus: Some(pot(&lot.bonus)),
        bonus_expire_time: lot.bonus_expire_time.map(to_timestamp),
        create_time: Some(to_timestamp(lot.create_time)),
    }
}

fn pot(pot: &Pot) -> pb::card_lot::Pot {
    pb::card_lot::Pot {
        brought: Some(to_money(pot.brought)),
        open: Some(to_money(pot.open)),
        held: Some(to_money(pot.held)),
        spent: Some(to_money(pot.spent)),
        refunded: Some(to_money(pot.refunded)),
        expired: Some(to_money(pot.expired)),
    }
}

/// A page of a card's statement.
pub fn statement(statement: Statement) -> pb::CardStatement {
    let line = |(line, after): (Line, Value)| pb::card_statement::Line {
        transaction: line.transaction.name(),
        create_time: Some(to_timestamp(line.time)),
        kind: line.kind,
        order: line.order.map(OrderId::name).unwrap_or_default(),
        store: line.store.name(),
        change: Some(balance(line.change)),
        balance: Some(balance(after)),
    };
    pb::CardStatement {
        card: statement.card.name(),
        opening: Some(balance(statement.opening)),
        lines: statement.lines.into_iter().map(line).collect(),
        closing: Some(balance(statement.closing)),
        end_time: Some(to_timestamp(statement.end_time)),
        next_page_token: statement.next_page_token,
    }
}

fn balance(value: Value) -> pb::card_statement::Balance {
    pb::card_statement::Balance { principal: Some(to_money(value.principal)), bonus: Some(to_money(value.bonus)) }
}

/// A campaign.
pub fn campaign(campaign: &Campaign) -> pb::TopUpCampaign {
    let count = |count: Option<u32>| count.and_then(|count| i32::try_from(count).ok()).unwrap_or_default();
    pb::TopUpCampaign {
        name: campaign.id.name(),
        store: campaign.store.map(StoreId::name).unwrap_or_default(),
        display_name: campaign.display_name.clone(),
        threshold: Some(to_money(campaign.threshold)),
        bonus: Some(to_money(campaign.bonus)),
        start_time: Some(to_timestamp(campaign.start_time)),
        end_time: campaign.end_time.map(to_timestamp),
        bonus_days: count(campaign.bonus_days),
        per_card: count(campaign.per_card),
        budget: campaign.budget.map(to_money),
        granted: Some(to_money(campaign.granted)),
        create_time: Some(to_timestamp(campaign.create_time)),
        etag: etag(campaign.version),
    }
}

/// What a campaign shall be.
///
/// # Errors
/// `InvalidArgument` with the wrong field.
pub fn new_campaign(id: TopUpCampaignId, wanted: &pb::TopUpCampaign, now: Timestamp) -> Result<Campaign> {
    let threshold = money("campaign.threshold", wanted.threshold.as_ref())?;
    let store = (!wanted.store.is_empty()).then(|| StoreId::parse_name("campaign.store", &wanted.store)).transpose()?;
    if wanted.display_name.is_empty() {
        return Err(Error::invalid("campaign.display_name", "must be given: customers read it"));
    }
    Ok(Campaign {
        id,
        store,
        display_name: wanted.display_name.clone(),
        threshold,
        bonus: money("campaign.bonus", wanted.bonus.as_ref())?,
        start_time: timestamp("campaign.start_time", wanted.start_time.as_ref())?,
        end_time: optional_timestamp("campaign.end_time", wanted.end_time.as_ref())?,
        bonus_days: count(wanted.bonus_days),
        per_card: count(wanted.per_card),
        budget: optional_money("campaign.budget", wanted.budget.as_ref())?,
        granted: Money::zero(threshold.currency()),
        create_time: now,
        version: 1,
    })
}

/// A count of which 0 means that there is none; the validation rules have seen that it is not below.
pub fn count(count: i32) -> Option<u32> {
    u32::try_from(count).ok().filter(|count| *count > 0)
}

/// An amount that may be left out.
///
/// # Errors
/// `InvalidArgument` with the wrong field.
pub fn optional_money(field: &str, amount: Option<&PbMoney>) -> Result<Option<Money>> {
    amount.map(|amount| money(field, Some(amount))).transpose()
}

/// A limit with what is owed.
pub fn limit(limit: &Limit, owed: Money) -> pb::LiabilityLimit {
    pb::LiabilityLimit {
        store: limit.store.map(StoreId::name).unwrap_or_default(),
        limit: Some(to_money(limit.amount)),
        owed: Some(to_money(owed)),
        update_time: Some(to_timestamp(limit.update_time)),
        etag: etag(limit.version),
    }
}
