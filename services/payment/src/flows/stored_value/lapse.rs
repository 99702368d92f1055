//! What ends by itself: bonus whose time is over, and top-ups that nobody pays.

use kernel::{
    Error, Result, Timestamp,
    ids::{CardId, OrderId, derive},
};
use proto::payment::v1::card_changed::Change;

use super::{
    super::record::record,
    events::{self, Happened},
};
use crate::{
    App, db,
    db::stored_value::{campaigns, cards, top_ups},
    domain::{
        Keep,
        stored_value::{Value, postings},
    },
};

/// How many of each kind one step takes on.
pub const BATCH: usize = 50;

/// Why an order ends that nobody has paid in time.
const NOT_PAID: &str = "NOT_PAID_IN_TIME";

/// Lets end what is due. Returns how much it was.
///
/// # Errors
/// The first of them, after all were tried; what has failed is tried again later.
pub async fn lapse(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let mut conn = app.pg.conn().await?;
    let unpaid = top_ups::due(&mut conn, now, limit).await?;
    let lapsed = cards::lapsed(&mut conn, now, limit).await?;
    drop(conn);
    let mut failed = Vec::new();
    for &order in &unpaid {
        failed.extend(end_top_up(app, now, order).await.err());
    }
    for &card in &lapsed {
        failed.extend(expire_bonus(app, now, card).await.err());
    }
    match failed.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(unpaid.len() + lapsed.len()),
    }
}

/// Ends the order of a top-up; what is paid later goes back whole. One that was paid meanwhile is left alone.
async fn end_top_up(app: &App, now: Timestamp, order: OrderId) -> Result<()> {
    let mut tx = app.pg.begin().await?;
    let before = db::orders::lock(&mut tx, order).await?.ok_or_else(|| Error::not_found(order))?;
    let Some(top_up) = top_ups::end(&mut tx, order, top_ups::End::Lapsed).await? else { return Ok(()) };
    if let Some((campaign, bonus, _)) = top_up.promised {
        let back = kernel::Money::zero(bonus.currency()).try_sub(bonus)?;
        campaigns::promise(&mut tx, campaign, back).await?;
    }
    let outcome = before.clone().close(Keep::Nothing, NOT_PAID, now)?;
    record(&mut tx, now, "services/payment", &before, &outcome).await?;
    tx.commit().await?;
    kernel::crash::point("payment.card.top_up_ended");
    app.wake_refunds();
    Ok(())
}

async fn expire_bonus(app: &App, now: Timestamp, card: CardId) -> Result<()> {
    let mut tx = app.pg.begin().await?;
    let before = cards::lock(&mut tx, card).await?.ok_or_else(|| super::no_such_card(card))?;
    let mut after = before.clone();
    let gone = after.expire(now)?;
    if gone.is_empty() {
        return Ok(());
    }
    let (mut value, mut lapsed) = (Value::zero(after.currency), Vec::new());
    for (id, amount) in gone {
        value.bonus = value.bonus.try_sub(amount)?;
        // It lapses again if some of it comes back, or is released, and is not spent.
        let source = derive(id.uuid(), &format!("lapsed in version {}", after.version + 1));
        lapsed.push(postings::lapsed(card, after.store, source, amount)?);
    }
    let happened = Happened { change: Change::BonusExpired, order: None, value };
    events::save_and_tell(&mut tx, now, &before, &mut after, happened).await?;
    db::ledger::post_all(&mut tx, now, &lapsed).await?;
    tx.commit().await?;
    kernel::crash::point("payment.card.bonus_expired");
    Ok(())
}
