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
        template::{render, visit_values},
        visit::{self, Visit},
    },
};

/// Schedules what the visit's state calls for, and calls back what it rules out.
pub async fn follow(app: &App, tx: &mut Tx, visit: &Visit, now: Timestamp) -> Result<()> {
    match visit.state {
        visit::State::Confirmed => {
            schedule(app, tx, visit, Kind::BookingConfirmed, now, now).await?;
            if let Some(time) = reminder_time(visit.start_time, app.policy.reminder(), now) {
                schedule(app, tx, visit, Kind::BookingReminder, time, now).await?;
            }
            Ok(())
        }
        visit::State::Cancelled => {
            call_back(tx, visit, &[Kind::BookingConfirmed, Kind::BookingReminder], now).await?;
            schedule(app, tx, visit, Kind::BookingCancelled, now, now).await
        }
        // Who is here needs no reminder.
        _ => call_back(tx, visit, &[Kind::BookingReminder], now).await,
    }
}

async fn schedule(
    app: &App,
    tx: &mut Tx,
    visit: &Visit,
    kind: Kind,
    send_time: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let language = app.policy.language;
    let text = render(kind, language, &visit_values(visit, language)?)?;
    let about = About { booking: visit.booking, start_time: visit.start_time };
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
