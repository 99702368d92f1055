//! Staff give a member a cash coupon.

use jiff::SignedDuration;
use kernel::{
    Error, Money, Result, crash,
    ids::{CouponId, MemberId},
};
use pg::{
    audit,
    idempotency::{self, Begin},
};
use proto::marketing::v1 as pb;
use rpc::convert::money;
use serde_json::json;

use super::tell;
use crate::{
    App, db,
    domain::cash_coupon::{CashCoupon, State},
    flows::Once,
    rpc::convert::to_cash_coupon,
};

/// Gives it, and records who has.
///
/// # Errors
/// `InvalidArgument` for an amount that can't be, or is above what the policy allows.
pub async fn issue_coupon(app: &App, once: Once<'_, pb::IssueCouponRequest>) -> Result<pb::CashCoupon> {
    let now = app.clock.now();
    let request = once.message;
    let (amount, min_spend) = amounts(app, request)?;
    let customer = MemberId::parse_name("customer", &request.customer)?;
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, once.key, request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let coupon = CashCoupon {
        id: CouponId::new(now),
        customer,
        amount,
        min_spend,
        reason: request.reason.clone(),
        state: State::Available,
        create_time: now,
        expire_time: now + SignedDuration::from_hours(i64::from(request.valid_days) * 24),
        version: 1,
    };
    db::cash_coupon::insert(&mut tx, &coupon).await?;
    tell(&mut tx, &coupon, None, now).await?;
    let entry = audit::Entry {
        actor: once.key.caller.to_owned(),
        action: "coupon.issue".to_owned(),
        target: coupon.id.name(),
        detail: json!({
            "customer": customer.name(),
            "currency": amount.currency().code(),
            "amount_minor": amount.minor(),
            "reason": coupon.reason,
        }),
    };
    audit::record(&mut tx, now, entry).await?;
    let reply = to_cash_coupon(&coupon, now);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    crash::point("marketing.coupon.issued");
    Ok(reply)
}

fn amounts(app: &App, request: &pb::IssueCouponRequest) -> Result<(Money, Money)> {
    let amount = money("amount", request.amount.as_ref())?;
    let most = app.policy.cash_coupon_max_major.saturating_mul(amount.currency().minor_per_major());
    if amount.minor() <= 0 || amount.minor() > most {
        let most = Money::new(most, amount.currency());
        return Err(Error::invalid("amount", format!("must be above zero, at most {most}")));
    }
    let min_spend = match &request.min_spend {
        None => Money::zero(amount.currency()),
        given => money("min_spend", given.as_ref())?,
    };
    if min_spend.currency() != amount.currency() || min_spend.is_negative() {
        return Err(Error::invalid("min_spend", format!("must be in {}, not below zero", amount.currency())));
    }
    Ok((amount, min_spend))
}
