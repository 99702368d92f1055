//! A visit that is to be made from a plan: its row as it will be, and storing it with all that belongs to it.

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{BookingId, ItemId, MemberId},
};
use pg::Tx;

use super::{
    assignment::{self, Given},
    keep::{self, Plan},
    record,
};
use crate::{
    domain::{
        booking::{Booking, Change, Channel, State},
        chosen::Chosen,
        span::instant,
        visit::Wish,
    },
    peers::Quote,
};

/// What a visit is made under, besides its plan.
#[derive(Debug, Clone)]
pub struct Terms {
    /// For whom.
    pub customer: MemberId,
    /// Through which way it came.
    pub channel: Channel,
    /// Who was wished for.
    pub wish: Wish,
    /// What must be paid to confirm it.
    pub deposit: Money,
    /// Until when the time is kept without a deposit.
    pub hold_expire_time: Timestamp,
    /// Up to when the hold may be prolonged.
    pub hold_limit_time: Timestamp,
}

/// What a plan is known by, and what it costs before any reduction.
pub fn list_price(plan: &Plan, chosen: &Chosen) -> Result<(ItemId, Money)> {
    let Plan { sight, visit, start, assignment, .. } = plan;
    let served = sight.served(visit, assignment, *start);
    Ok((chosen.first()?.id, chosen.price(&sight.store, &sight.zone, visit, *start, &served)?))
}

/// The row of a visit that a plan serves.
pub fn draft(plan: &Plan, chosen: &Chosen, quote: Quote, terms: Terms, now: Timestamp) -> Result<Booking> {
    let first = plan.parts().into_iter().next().ok_or_else(|| Error::internal("a plan without a part"))?;
    let (item, list_price) = list_price(plan, chosen)?;
    Ok(Booking {
        id: BookingId::new(now),
        store: plan.sight.store.id,
        item,
        therapist: first.therapist,
        room: first.room,
        equipment: first.equipment,
        customer: terms.customer,
        start_time: instant(plan.start),
        end_time: instant(plan.end()),
        state: State::Held,
        channel: terms.channel,
        list_price,
        price: quote.price,
        deposit: terms.deposit,
        quote: Some(quote.id),
        hold_expire_time: terms.hold_expire_time,
        create_time: now,
        version: 1,
        package: chosen.package(),
        parts: plan.further_parts(),
        add_ons: chosen.add_ons().iter().map(|item| item.id).collect(),
        group: None,
        extension_minutes: 0,
        requested: terms.wish.therapist.is_some(),
        assignment: String::new(),
        device: None,
        partner: None,
        hold_limit_time: terms.hold_limit_time,
        overbook_reason: None,
        wish: terms.wish.besides_name(),
        least_fee: Money::zero(quote.price.currency()),
    })
}

/// Stores a visit with its event, what it keeps and what it counts for its therapists. `None` if the plan does not hold
/// any more: then the caller must roll back and plan again. To be called after [`keep::enter`], with the name of
/// [`keep::assignments`] locked.
pub async fn insert(tx: &mut Tx, plan: &Plan, mut booking: Booking, actor: &str) -> Result<Option<Change>> {
    let now = booking.create_time;
    let Some(assignment) = keep::settle(tx, plan, now).await? else { return Ok(None) };
    booking.assignment = assignment;
    let change = booking.made(actor);
    record::insert(tx, &change, now).await?;
    if !keep::take(tx, change.booking.id, plan).await? {
        return Ok(None);
    }
    let Booking { id: booking, store, requested, .. } = change.booking;
    for (therapist, minutes) in change.booking.work() {
        let given = Given { booking, therapist, requested, minutes };
        assignment::record(tx, store, plan.policy(), given, now).await?;
    }
    Ok(Some(change))
}
