//! Prices a visit, keeps the price, and reserves the coupon that it needs.

use kernel::{
    Result, crash,
    ids::{CouponId, QuoteId},
};
use pg::idempotency::{self, Begin};
use proto::marketing::v1 as pb;

use super::{Once, apply_coupon, first_visit};
use crate::{
    App, db,
    domain::{
        coupon::FIRST_VISIT,
        quote::{Quote, Wanted, reckon},
    },
    rpc::convert::to_quote,
};

/// Prices a visit and keeps the price, in place of the quote `replaces`. Of several at once for one member, one has the coupon; the others say so.
pub async fn create_quote(
    app: &App,
    once: Once<'_, pb::CreateQuoteRequest>,
    wanted: Wanted,
    replaces: Option<QuoteId>,
) -> Result<pb::Quote> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    if let Some(before) = replaces {
        apply_coupon::forget(&mut tx, before, now).await?;
    }
    first_visit::give(app, &mut tx, wanted.customer, now).await?;
    let coupon = db::coupon::lock(&mut tx, CouponId::derive(wanted.customer.uuid(), FIRST_VISIT)).await?;
    let candidate = first_visit::candidate(app, &mut tx, wanted.customer, coupon.as_ref(), now).await?;
    let tier = db::member::tier(&mut tx, wanted.customer).await?;
    let candidates: Vec<_> = candidate.into_iter().collect();
    let priced = reckon(wanted.list_price, tier, app.policy.tier_reduction(tier), &candidates)?;
    let quote = Quote { id: QuoteId::new(now), wanted, priced, booking: None, create_time: now };
    db::quote::insert(&mut tx, &quote).await?;
    if let Some(coupon) = coupon.filter(|coupon| quote.priced.coupon == Some(coupon.id))
        && let Some(reserved) = coupon.reserve(quote.id, now)
    {
        db::coupon::save(&mut tx, &reserved).await?;
    }
    let reply = to_quote(&quote);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    crash::point("marketing.quote.committed");
    Ok(reply)
}
