//! Decides what a customer is told about a visit, and when.

use kernel::{Result, Timestamp};
use pg::{
    Tx,
    tasks::{self, NewTask},
};

use super::send_scheduled::SEND_MESSAGE;
use crate::{
    App, db,
    domain::{
        message::{About, Kind, Message, State, reminder_time},
        template::{Values, offer_values, render, visit_values},
        visit::{Known, State as VisitState, Visit},
    },
};

/// What says that a visit will happen, and when.
const PROMISES: [Kind; 4] =
    [Kind::BookingConfirmed, Kind::BookingRescheduled, Kind::BookingMoved, Kind::BookingReminder];

/// What is of no use any more once the visit is more than held.
const OFFERS: [Kind; 1] = [Kind::WaitlistOffer];

/// What an event tells of a visit.
#[derive(Debug)]
pub struct News<'a> {
    /// The visit as it is now.
    pub visit: &'a Visit,
    /// Counts its changes.
    pub version: i64,
    /// What was known of it before; `None` if nothing was.
    pub known: Option<&'a Known>,
    /// The store changed it, not the customer.
    pub by_store: bool,
}

impl News<'_> {
    /// What the customer is to be told of a visit that will happen. It is compared with what is known here and not with
    /// what the event says was before: an event between the two may come late, and then tells nothing any more.
    fn notice(&self) -> Option<Kind> {
        match self.known {
            Some(known) if known.state == VisitState::Confirmed => {
                let kind = if self.by_store { Kind::BookingMoved } else { Kind::BookingRescheduled };
                self.visit.differs_from(known).then_some(kind)
            }
            _ => Some(Kind::BookingConfirmed),
        }
    }
}

/// Schedules what the visit's state calls for, and calls back what it rules out.
pub async fn follow(app: &App, tx: &mut Tx, news: &News<'_>, now: Timestamp) -> Result<()> {
    let visit = news.visit;
    if !visit.state.is_offer() {
        call_back(tx, visit, &OFFERS, now).await?;
    }
    match visit.state {
        VisitState::Confirmed => {
            let Some(notice) = news.notice() else { return Ok(()) };
            // What was not sent yet tells of another time or therapist.
            call_back(tx, visit, &PROMISES, now).await?;
            schedule(app, tx, news, notice, now, now).await?;
            if let Some(time) = reminder_time(visit.start_time, app.policy.reminder(), now) {
                schedule(app, tx, news, Kind::BookingReminder, time, now).await?;
            }
            Ok(())
        }
        VisitState::Cancelled => {
            call_back(tx, visit, &PROMISES, now).await?;
            schedule(app, tx, news, Kind::BookingCancelled, now, now).await
        }
        VisitState::NoShow | VisitState::Expired => call_back(tx, visit, &PROMISES, now).await,
        // Who is here needs no reminder.
        _ => call_back(tx, visit, &[Kind::BookingReminder], now).await,
    }
}

async fn schedule(
    app: &App,
    tx: &mut Tx,
    news: &News<'_>,
    kind: Kind,
    send_time: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let values = visit_values(news.visit, app.policy.language)?;
    put(app, tx, news, kind, &values, send_time, now).await
}

/// Tells somebody on the waitlist that the visit is kept for him until `until`, as long as it still is.
pub async fn offer(app: &App, tx: &mut Tx, news: &News<'_>, until: Timestamp, now: Timestamp) -> Result<()> {
    if until <= now || news.known.is_some_and(|known| !known.state.is_offer()) {
        return Ok(());
    }
    let values = offer_values(news.visit, until, app.policy.language)?;
    put(app, tx, news, Kind::WaitlistOffer, &values, now, now).await
}

async fn put(
    app: &App,
    tx: &mut Tx,
    news: &News<'_>,
    kind: Kind,
    values: &Values,
    send_time: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let visit = news.visit;
    let text = render(kind, app.policy.language, values)?;
    let about = About { booking: visit.booking, start_time: visit.start_time, version: news.version };
    let (id, key_owner) = (about.message(kind), visit.customer.uuid());
    let key = db::key::ensure(&app.vault, tx, key_owner, now).await?;
    let message = Message {
        id,
        customer: Some(visit.customer),
        kind,
        about: Some(about),
        send_time,
        state: State::Scheduled,
        key_owner,
        body: key.seal(db::message::BODY, id.uuid(), &text)?,
    };
    if db::message::insert_if_new(tx, &message, now).await? {
        let task = NewTask { kind: SEND_MESSAGE, aggregate_id: id.uuid(), payload: Vec::new(), due_time: send_time };
        tasks::add(tx, now, task).await?;
    }
    Ok(())
}

async fn call_back(tx: &mut Tx, visit: &Visit, kinds: &[Kind], now: Timestamp) -> Result<()> {
    for id in db::message::call_back(tx, visit.booking, kinds).await? {
        tasks::call_off(tx, now, id.uuid(), SEND_MESSAGE).await?;
    }
    Ok(())
}
