//! A top-up is begun: its order is made, to be paid like any other.

use std::time::Duration;

use jiff::tz::TimeZone;
use kernel::{
    Error, Money, Result, Timestamp,
    ids::{CardId, MemberId, OrderId, TopUpCampaignId, parse_uuid},
};
use pg::Tx;
use proto::payment::v1 as pb;
use rpc::{Ctx, convert::money};
use serde_json::json;

use super::{
    super::{
        create_order::create_in_tx,
        risk::{self, OnReview},
    },
    edit::{Edit, Started},
    no_such_card, see,
};
use crate::{
    App,
    db::stored_value::{campaigns, cards, limits, top_ups},
    domain::{
        Line, NewOrder, Subject,
        risk::{Operation, OperationKind},
        stored_value::{Card, campaign::ranked, rules},
    },
    rpc::convert,
};

/// Makes the order of a top-up, and promises the bonus of the best campaign as of now.
///
/// # Errors
/// `InvalidArgument`; `NotFound`, also for another's card; `PermissionDenied`; `CARD_LOST`, `CARD_FROZEN`, `CARD_CLOSED`;
/// `CURRENCY_MISMATCH`, `CARD_LIMIT_EXCEEDED`, `SALE_STOPPED`; `RISK_REFUSED`; `CARD_CHANGED`.
pub async fn top_up_card(app: &App, ctx: Ctx, request: pb::TopUpCardRequest) -> Result<pb::Order> {
    let done = top_up(app, ctx, request).await;
    risk::noted(app, done).await
}

async fn top_up(app: &App, ctx: Ctx, request: pb::TopUpCardRequest) -> Result<pb::Order> {
    let id = CardId::parse_name("card", &request.card)?;
    let mut edit = match Edit::begin(app, &ctx, &request, &request.request_id).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    let (tx, now) = (&mut edit.tx, edit.now);
    let known = cards::get(tx, id).await?.ok_or_else(|| no_such_card(id))?;
    see(&ctx.caller, &known)?;
    let amount = money("amount", request.amount.as_ref())?;
    if amount.minor() <= 0 {
        return Err(Error::invalid("amount", "must be above zero"));
    }
    let customer = match known.holder {
        Some(holder) => holder,
        None => MemberId::parse_name("customer", &request.customer)?,
    };
    // Before the card is locked, as by whoever pays with it.
    let actor = ctx.caller.subject();
    let looked_at = Operation {
        kind: OperationKind::TopUp,
        source: kernel::ids::derive(parse_uuid("request_id", &request.request_id)?, &format!("top-up by {actor}")),
        target: id.name(),
        customer,
        store: known.store,
        card: Some(id),
        address: None,
        actor: actor.to_owned(),
        amount,
    };
    risk::assess(tx, now, &looked_at, OnReview::Queue).await?;
    let card = cards::lock(tx, id).await?.ok_or_else(|| no_such_card(id))?;
    if card.holder != known.holder {
        return Err(Error::aborted("CARD_CHANGED", "the card was handed over just now; read it again, then decide"));
    }
    if let Some(bound) = ctx.caller.bound_store()
        && bound != card.store
    {
        return Err(Error::precondition("CARD_OF_OTHER_STORE", "a card is topped up at the store that has issued it"));
    }
    card.usable()?;
    may_be_sold(app, tx, now, &card, amount).await?;
    let promised = promise(tx, now, &card, amount).await?;

    let order = OrderId::new(now);
    let expire_time = now + Duration::from_secs(u64::from(app.policy.top_up_minutes) * 60);
    let last = card.number.get(12..).unwrap_or_default();
    let line = Line {
        item: card.id.name(),
        display_name: format!("Top-up of card …{last}"),
        amount,
        discount: Money::zero(card.currency),
        amendment: None,
    };
    let new = NewOrder {
        id: order,
        subject: Subject::TopUp(id),
        customer,
        store: card.store,
        lines: vec![line],
        discount: Money::zero(card.currency),
        deposit: Money::zero(card.currency),
    };
    let made = create_in_tx(tx, now, new).await?;
    let top_up = top_ups::TopUp { order, card: id, store: card.store, amount, promised, create_time: now, expire_time };
    top_ups::insert(tx, &top_up).await?;
    let detail = json!({
        "card": id.name(),
        "amount_minor": amount.minor(),
        "bonus_minor": promised.map_or(0, |(_, bonus, _)| bonus.minor()),
        "campaign": promised.map(|(campaign, ..)| campaign.name()),
    });
    edit.note("card.top_up", order.name(), detail).await?;
    edit.finish(convert::order(&made)).await
}

/// Whether the law and the house let so much be sold. Limits are locked, so that no two sales fit each for itself only.
async fn may_be_sold(app: &App, tx: &mut Tx, now: Timestamp, card: &Card, amount: Money) -> Result<()> {
    let balance = card.balance()?.principal.try_add(top_ups::under_way(tx, card.id, card.currency).await?)?;
    let zone = TimeZone::get(&app.policy.time_zone).map_err(Error::internal)?;
    let today = zone.to_datetime(now).date();
    rules::check_card(rules::CAPS, card.holder.is_some(), balance, amount, today)?;
    for limit in limits::lock(tx, Some(card.store), card.currency).await? {
        let owed = limits::owed(tx, limit.store, card.currency).await?;
        limit.check(owed, amount)?;
    }
    Ok(())
}

/// Promises the bonus of the best campaign that has something left.
async fn promise(
    tx: &mut Tx,
    now: Timestamp,
    card: &Card,
    amount: Money,
) -> Result<Option<(TopUpCampaignId, Money, Option<u32>)>> {
    for campaign in ranked(campaigns::running(tx, card.store, card.currency, now).await?) {
        let times = match campaign.per_card {
            Some(_) => cards::times(tx, card.id, campaign.id).await?,
            None => 0,
        };
        // The budget is looked at again as it is taken: another may be quicker.
        if campaign.applies(card.store, amount, times, now)
            && campaigns::promise(tx, campaign.id, campaign.bonus).await?
        {
            return Ok(Some((campaign.id, campaign.bonus, campaign.bonus_days)));
        }
    }
    Ok(None)
}
