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
    domain::fact::{BookingChange, BookingChangeFact, BookingFact, Store},
};

/// Reads one sort of event.
type Reader = fn(&Event) -> Result<Option<Told>>;

/// Draws the facts from an event of the booking service.
pub async fn record(app: &App, tx: &mut Tx, event: &Event) -> Result<()> {
    if let Some(changed) = event.decode::<pb::StoreChanged>()? {
        db::store::put(tx, &store(event, changed)?).await?;
    } else if let Some(told) = told(event)? {
        let booking = booking(app, event, told.booking)?;
        db::booking::put(tx, &booking).await?;
        if let Some((change, before)) = told.change {
            let start_before = before.map(|before| timestamp("before.start_time", before.start_time.as_ref()));
            let start_before = start_before.transpose()?;
            let fact = BookingChangeFact { event: event.id, booking, change, start_before };
            db::booking::put_change(tx, &fact).await?;
        }
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

/// What an event tells of a visit.
struct Told {
    booking: pb::BookingFacts,
    /// What became of it otherwise than planned, and how it was before.
    change: Option<(BookingChange, Option<pb::Before>)>,
}

impl Told {
    /// A step on the way that every visit goes.
    // An event without its booking reads as an empty one, whose names are then refused.
    fn step(booking: Option<pb::BookingFacts>) -> Self {
        Self { booking: booking.unwrap_or_default(), change: None }
    }

    fn change(booking: Option<pb::BookingFacts>, change: BookingChange, before: Option<pb::Before>) -> Self {
        Self { change: Some((change, before)), ..Self::step(booking) }
    }
}

/// What an event tells of a visit; none if it is about none.
fn told(event: &Event) -> Result<Option<Told>> {
    use BookingChange::{Cancelled, Extended, Moved, NoShow, Rescheduled};
    let readers: [Reader; 13] = [
        |event| read(event, |it: pb::BookingHeld| Told::step(it.booking)),
        |event| read(event, |it: pb::BookingAwaitingPayment| Told::step(it.booking)),
        |event| read(event, |it: pb::BookingConfirmed| Told::step(it.booking)),
        |event| read(event, |it: pb::HoldExtended| Told::step(it.booking)),
        |event| read(event, |it: pb::BookingRescheduled| Told::change(it.booking, Rescheduled, it.before)),
        |event| read(event, |it: pb::BookingMoved| Told::change(it.booking, Moved, it.before)),
        |event| read(event, |it: pb::BookingExtended| Told::change(it.booking, Extended, it.before)),
        |event| read(event, |it: pb::BookingCheckedIn| Told::step(it.booking)),
        |event| read(event, |it: pb::BookingStarted| Told::step(it.booking)),
        |event| read(event, |it: pb::BookingCompleted| Told::step(it.booking)),
        |event| read(event, |it: pb::BookingCancelled| Told::change(it.booking, Cancelled, None)),
        |event| read(event, |it: pb::BookingNoShow| Told::change(it.booking, NoShow, None)),
        |event| read(event, |it: pb::BookingExpired| Told::step(it.booking)),
    ];
    for reader in readers {
        if let Some(told) = reader(event)? {
            return Ok(Some(told));
        }
    }
    Ok(None)
}

fn read<M: Message + Name + Default>(event: &Event, told: impl FnOnce(M) -> Told) -> Result<Option<Told>> {
    Ok(event.decode::<M>()?.map(told))
}
