//! Takes the coupon behind a price where its visit goes.

use kernel::{
    Result, Timestamp,
    ids::{BookingId, QuoteId},
};
use pg::{
    Tx,
    outbox::{self, NewEvent},
};
use proto::marketing::v1 as pb;
use rpc::convert::to_money;

use crate::{
    db,
    domain::{
        coupon::Coupon,
        quote::Quote,
        visit::{CouponUse, Visit},
    },
};

/// Keeps, redeems or releases the coupon of the visit's quote.
pub async fn follow(tx: &mut Tx, visit: &Visit, now: Timestamp) -> Result<()> {
    let Some(id) = visit.quote else { return Ok(()) };
    let Some(quote) = db::quote::lock(tx, id).await? else {
        tracing::error!(quote = %id, booking = %visit.booking, "a booking came with a quote that does not exist");
        return Ok(());
    };
    if quote.booking.is_some_and(|booking| booking != visit.booking) {
        tracing::error!(quote = %id, booking = %visit.booking, "a booking came with the quote of another");
        return Ok(());
    }
    db::quote::link(tx, id, visit.booking).await?;
    let Some(coupon) = lock_coupon(tx, &quote).await? else { return Ok(()) };
    match visit.state.coupon_use() {
        CouponUse::Keep => keep(tx, coupon, id, now).await,
        CouponUse::Redeem => redeem(tx, coupon, &quote, visit.booking, now).await,
        CouponUse::Release => {
            db::overrun::void(tx, id, now).await?;
            release(tx, coupon, id, Some(visit.booking), now).await.map(|_| ())
        }
    }
}

/// Lets the coupon of a quote go of which no booking was heard. False if there is nothing to let go (any more).
pub async fn forget(tx: &mut Tx, id: QuoteId, now: Timestamp) -> Result<bool> {
    let Some(quote) = db::quote::lock(tx, id).await?.filter(|quote| quote.booking.is_none()) else { return Ok(false) };
    match lock_coupon(tx, &quote).await? {
        Some(coupon) => release(tx, coupon, id, None, now).await,
        None => Ok(false),
    }
}

async fn lock_coupon(tx: &mut Tx, quote: &Quote) -> Result<Option<Coupon>> {
    match quote.priced.coupon {
        Some(id) => Ok(db::coupon::lock(tx, id).await?),
        None => Ok(None),
    }
}

/// A reservation that was let go because the booking was heard of late is taken up again if it still can be; else the
/// matter is settled when the visit is confirmed.
async fn keep(tx: &mut Tx, coupon: Coupon, quote: QuoteId, now: Timestamp) -> Result<()> {
    if let Some(reserved) = coupon.reserve(quote, now) {
        db::coupon::save(tx, &reserved).await?;
    }
    Ok(())
}

async fn redeem(tx: &mut Tx, coupon: Coupon, quote: &Quote, booking: BookingId, now: Timestamp) -> Result<()> {
    let (id, before) = (coupon.id, coupon.quote());
    let Some(redeemed) = coupon.redeem(quote.id, now) else {
        // Either this visit has it already, or another has: then the price is kept all the same.
        if before != Some(quote.id) && db::overrun::record(tx, quote, id, booking, now).await? {
            tracing::warn!(coupon = %id, %booking, "price kept without its coupon");
        }
        return Ok(());
    };
    db::coupon::save(tx, &redeemed).await?;
    // The visit that had it may have been given up since this one was confirmed without it.
    db::overrun::void(tx, quote.id, now).await?;
    let event = pb::CouponRedeemed {
        coupon: id.name(),
        code: redeemed.code,
        customer: redeemed.customer.name(),
        store: quote.wanted.store.name(),
        booking: booking.name(),
        amount: Some(to_money(quote.priced.coupon_amount())),
    };
    outbox::append(tx, NewEvent::new(id.uuid(), redeemed.version, now, &event)).await?;
    Ok(())
}

async fn release(
    tx: &mut Tx,
    coupon: Coupon,
    quote: QuoteId,
    booking: Option<BookingId>,
    now: Timestamp,
) -> Result<bool> {
    let Some(released) = coupon.release(quote) else { return Ok(false) };
    db::coupon::save(tx, &released).await?;
    let event = pb::CouponReleased {
        coupon: released.id.name(),
        code: released.code,
        customer: released.customer.name(),
        booking: booking.map(BookingId::name).unwrap_or_default(),
    };
    outbox::append(tx, NewEvent::new(released.id.uuid(), released.version, now, &event)).await?;
    Ok(true)
}
