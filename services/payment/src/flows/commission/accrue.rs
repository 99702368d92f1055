//! Booking tells that a visit is completed: what is earned by it is owed.

use feed::Event;
use jiff::{civil::Date, tz::TimeZone};
use kernel::{
    Error, Money, Result, Timestamp,
    ids::{BookingId, ItemId, OrderId, StoreId, TherapistId},
};
use pg::Tx;
use proto::booking::v1::{self as pb, booking_completed::Part as PbPart};
use rpc::convert::money;

use super::take_back::take_back;
use crate::{
    App,
    db::{self, commission::CompletedVisit},
    domain::{
        commission::{Manner, Part, Share, Visit, award, given_back},
        ledger::{Account, Entry, Kind, Transaction},
    },
};

/// Accrues what a completed visit earns, once, in the transaction that moves the feed's cursor. What of its order has gone
/// back before is taken back at once. Another event than that of a completed visit is passed over.
///
/// # Errors
/// Internal, if the event is not what booking tells; those of the database.
pub async fn accrue(app: &App, tx: &mut Tx, event: &Event) -> Result<()> {
    let Some(told) = event.decode::<pb::BookingCompleted>()? else { return Ok(()) };
    let Some(facts) = &told.booking else { return Err(Error::internal("a completed visit has no facts")) };
    let (booking, order) =
        (BookingId::parse_name("booking", &facts.booking)?, OrderId::parse_name("order", &facts.order)?);
    let price = money("price", facts.price.as_ref())?;
    let store = StoreId::parse_name("store", &facts.store)?;
    let date = local_date(app, &facts.time_zone, event.occur_time)?;
    let partner = Some(told.partner.clone()).filter(|partner| !partner.is_empty());
    let visit = Visit { store, date, price, partner, parts: parts(&told, facts)? };

    let now = app.clock.now();
    let order_row = db::orders::lock(tx, order).await?;
    // The price that booking tells is the one after it sank.
    let lowered = match &order_row {
        Some(order) if order.currency() == price.currency() => given_back(order)?.1,
        _ => Money::zero(price.currency()),
    };
    let shares = award(&db::commission::rules_on(tx, date).await?, &visit)?;
    let (complete_time, payable_time) = (event.occur_time, event.occur_time + app.policy.claw_back());
    let completed = CompletedVisit { booking, order, store, price, lowered, complete_time, payable_time };
    if !db::commission::insert_visit(tx, &completed, &shares).await? {
        return Ok(());
    }
    if let Some(posting) = posting(&completed, &shares)? {
        let posting = if order_row.is_some() { posting.of_order(order) } else { posting };
        db::ledger::post(tx, now, &posting).await?;
    }
    if let Some(order) = &order_row {
        take_back(tx, now, order).await?;
    }
    kernel::crash::point("payment.commission.accrued");
    Ok(())
}

/// What is booked of it; `None` if nobody earns anything.
fn posting(visit: &CompletedVisit, shares: &[Share]) -> Result<Option<Transaction>> {
    let all = Money::try_sum(visit.price.currency(), shares.iter().map(|share| share.amount))?;
    if all.is_zero() {
        return Ok(None);
    }
    let mut entries = vec![Entry::debit(Account::CommissionExpense.at(visit.store), all)?];
    for Share { payee, amount, .. } in shares.iter().filter(|share| !share.amount.is_zero()) {
        entries.push(Entry::credit(payee.account().at(visit.store).of(payee.party()), *amount)?);
    }
    Transaction::try_new(Kind::CommissionAccrued, visit.booking, entries).map(Some)
}

/// The parts that booking tells; of an event from before it told them, the only one that is known.
fn parts(told: &pb::BookingCompleted, facts: &pb::BookingFacts) -> Result<Vec<Part>> {
    if told.parts.is_empty() {
        let therapist = TherapistId::parse_name("therapist", &facts.therapist)?;
        let item = ItemId::parse_name("item", &facts.item)?;
        return Ok(vec![Part { therapist, item, grade: None, manner: None, minutes: 0 }]);
    }
    told.parts.iter().map(part).collect()
}

fn part(part: &PbPart) -> Result<Part> {
    Ok(Part {
        therapist: TherapistId::parse_name("therapist", &part.therapist)?,
        item: ItemId::parse_name("item", &part.item)?,
        grade: i16::try_from(part.grade).ok().filter(|grade| *grade > 0),
        manner: Some(if part.requested { Manner::Requested } else { Manner::Rotation }),
        minutes: u32::try_from(part.minutes).unwrap_or(0),
    })
}

/// The day of the store on which something happened.
fn local_date(app: &App, zone: &str, at: Timestamp) -> Result<Date> {
    let zone = TimeZone::get(if zone.is_empty() { &app.policy.time_zone } else { zone }).map_err(Error::internal)?;
    Ok(zone.to_datetime(at).date())
}
