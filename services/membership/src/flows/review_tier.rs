//! Looks whether a member's tier still fits his spend.

use kernel::{Result, Timestamp, ids::MemberId};
use pg::Tx;
use proto::membership::v1 as pb;

use super::publish::publish;
use crate::{
    App, db,
    domain::{
        member::Member,
        tier::{SPEND_WINDOW, review},
    },
    rpc::convert::to_tier,
};

/// How many members one step looks at.
pub const BATCH: usize = 100;

/// Looks at the tiers that are due; returns how many it looked at.
pub async fn review_tiers(app: &App) -> Result<usize> {
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let due = db::member::due_for_review(&mut *app.pg.conn().await?, app.clock.now(), limit).await?;
    for id in &due {
        review_one(app, *id).await?;
    }
    Ok(due.len())
}

async fn review_one(app: &App, id: MemberId) -> Result<()> {
    let mut tx = app.pg.begin().await?;
    let now = app.clock.now();
    let member = db::member::lock(&mut tx, id).await?;
    // Another replica, or a purchase, may have looked meanwhile.
    let Some(mut member) = member.filter(|member| member.tier_review_time.is_some_and(|due| due <= now)) else {
        return Ok(());
    };
    settle_tier(app, &mut tx, &mut member, now).await?;
    db::member::save(&mut tx, &member).await?;
    tx.commit().await?;
    Ok(())
}

/// Looks at the tier of a member who is locked; the caller saves him.
pub(super) async fn settle_tier(app: &App, tx: &mut Tx, member: &mut Member, now: Timestamp) -> Result<()> {
    let currency = app.policy.currency()?;
    let spend = db::purchase::spend(tx, &[member.id.uuid()], currency, now - SPEND_WINDOW).await?;
    let spend = spend.first().map_or(0, |(_, spend)| *spend);
    let deserved = app.policy.thresholds().tier(spend, currency);
    let outcome = review(member.tier, member.tier_low_since, deserved, app.policy.tier_grace(), now);
    let old = std::mem::replace(&mut member.tier, outcome.tier);
    member.tier_low_since = outcome.low_since;
    member.tier_review_time = outcome.next_time;
    if old == member.tier {
        return Ok(());
    }
    let changed = pb::TierChanged {
        member: member.id.name(),
        old_tier: to_tier(old).into(),
        new_tier: to_tier(member.tier).into(),
    };
    Ok(publish(tx, member, &changed, now).await?)
}
