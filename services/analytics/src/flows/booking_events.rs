//! Stores and visits.

use feed::Event;
use kernel::{
    Currency, Error, Result,
    ids::{BookingId, ItemId, MemberId, StoreId, TherapistId},
};
use pg::Tx;
use prost::{Message, Name};
use proto::booking::v1 as pb;
use rpc::convert::{money, timestamp};

use crate::{
    App, db,
    domain::fact::{BookingFact, Store},
};

/// Reads one sort of event.
type Reader = fn(&Event) -> Result<Option<pb::BookingFacts>>;

/// Draws the facts from an event of the booking service.
pub async fn record(app: &App, tx: &mut Tx, event: &Event) -> Result<()> {
    if let Some(changed) = event.decode::<pb::StoreChanged>()? {
        db::store::put(tx, &store(event, changed)?).await?;
    } else if let Some(facts) = facts(event)? {
        db::booking::put(tx, &booking(app, event, facts)?).await?;
    }
    Ok(())
}

fn store(event: &Event, changed: pb::StoreChanged) -> Result<Store> {
    Ok(Store {
        id: StoreId::parse_name("store", &changed.store)?,
        version: event.aggregate_version,
        display_name: changed.display_name,
        time_zone: changed.time_zone,
        currency: Currency::parse("currency_code", &changed.currency_code)?,
    })
}

fn booking(app: &App, event: &Event, facts: pb::BookingFacts) -> Result<BookingFact> {
    let price = money("price", facts.price.as_ref())?;
    let deposit = money("deposit", facts.deposit.as_ref())?;
    if price.currency() != deposit.currency() {
        return Err(Error::internal(format!("{}: price and deposit in two currencies", facts.booking)));
    }
    Ok(BookingFact {
        id: BookingId::parse_name("booking", &facts.booking)?,
        version: event.aggregate_version,
        store: StoreId::parse_name("store", &facts.store)?,
        item: ItemId::parse_name("item", &facts.item)?,
        therapist: TherapistId::parse_name("therapist", &facts.therapist)?,
        customer: app.pseudonym(MemberId::parse_name("customer", &facts.customer)?),
        state: facts.state().as_str_name().to_owned(),
        channel: facts.channel().as_str_name().to_owned(),
        start_time: timestamp("start_time", facts.start_time.as_ref())?,
        end_time: timestamp("end_time", facts.end_time.as_ref())?,
        price,
        deposit,
        change_time: event.occur_time,
    })
}

/// The booking that an event is about, whatever happened to it; none if the event is about none.
fn facts(event: &Event) -> Result<Option<pb::BookingFacts>> {
    let readers: [Reader; 8] = [
        |event| read(event, |held: pb::BookingHeld| held.booking),
        |event| read(event, |awaiting: pb::BookingAwaitingPayment| awaiting.booking),
        |event| read(event, |confirmed: pb::BookingConfirmed| confirmed.booking),
        |event| read(event, |checked_in: pb::BookingCheckedIn| checked_in.booking),
        |event| read(event, |started: pb::BookingStarted| started.booking),
        |event| read(event, |completed: pb::BookingCompleted| completed.booking),
        |event| read(event, |cancelled: pb::BookingCancelled| cancelled.booking),
        |event| read(event, |expired: pb::BookingExpired| expired.booking),
    ];
    for reader in readers {
        if let Some(facts) = reader(event)? {
            return Ok(Some(facts));
        }
    }
    Ok(None)
}

fn read<M: Message + Name + Default>(
    event: &Event,
    booking: impl FnOnce(M) -> Option<pb::BookingFacts>,
) -> Result<Option<pb::BookingFacts>> {
    // An event without its booking reads as an empty one, whose names are then refused.
    Ok(event.decode::<M>()?.map(|message| booking(message).unwrap_or_default()))
}
